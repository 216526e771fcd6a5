// The state of a whole cell in one glance: now, over the last hour, and as it changes. Its figures span tenants.
import { z } from 'zod'
import { overviewStream } from '../overview/stream.js'
import { defineRoute } from '../route/route.js'
import { mapView } from '../schema/map.js'
import { overviewView } from '../schema/overview.js'
import { cellQuery, noPath } from '../schema/parts.js'

const read = { scope: 'read', tenancy: 'system' } as const
const tag = 'Overview'

const showOverview = defineRoute({
  method: 'GET',
  url: '/v1/overview',
  operationId: 'showOverview',
  tag,
  summary: 'Show the state of a cell, with its last hour',
  description:
    'Read at most once a second, however many ask. Rates are averages over some seconds; they are null in the first second of a server. The history is kept in memory by the server that answers, one point for 30 s, for an hour: `since` says when it begins.',
  access: read,
  path: noPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'The overview', schema: overviewView }],
  problems: ['CELL_UNKNOWN'],
  async handle({ boards, query }) {
    const board = boards.of(query.cell)
    const figures = await board.current()
    return { body: { ...figures, history: board.history, since: board.since } }
  },
})

const liveDescription = `Server-sent events: each message's \`data\` is the overview of a moment as JSON, without its history;
about one a second. A reader that is slow misses some and is never sent an old one. A message of the type \`unreadable\` comes in
the place of what could not be read: its \`since\` is the \`at\` of the newest that this stream has sent, null before any. A reader that takes nothing for a minute is let go.`

const followOverview = defineRoute({
  method: 'GET',
  url: '/v1/overview/live',
  operationId: 'followOverview',
  tag,
  summary: 'Follow the state of a cell',
  description: liveDescription,
  access: read,
  path: noPath,
  query: cellQuery,
  successes: [
    {
      status: 200,
      description: 'A stream of OverviewFigures',
      schema: z.string(),
      contentType: 'text/event-stream',
    },
  ],
  problems: ['CELL_UNKNOWN', 'IN_FLIGHT_MAX'],
  handle: (call) => overviewStream(call, call.boards.of(call.query.cell)),
})

const showMap = defineRoute({
  method: 'GET',
  url: '/v1/map',
  operationId: 'showMap',
  tag,
  summary: 'Show who publishes and who takes which events',
  description:
    'Of all apps that share the cell. Who takes an event is what they define. Who publishes it is seen: the newest 1,000 events of the log, and the newest 20 of each type that is rarer among those, say which subscription published them, and else their source. `takenPerSecond` and `lagSeconds` are of now.',
  access: read,
  path: noPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'The map', schema: mapView }],
  problems: ['CELL_UNKNOWN'],
  async handle({ spine, boards, query }) {
    const [map, figures] = await Promise.all([
      spine.operator(query.cell).map(),
      boards.of(query.cell).current(),
    ])
    const rates = new Map(figures.subscriptions.map(({ name, perSecond }) => [name, perSecond]))
    const edges = map.edges.map((edge) => ({ ...edge, takenPerSecond: takenOf(edge.subscriptions, rates) }))
    return { body: { ...map, edges } }
  },
})

function takenOf(subscriptions: readonly string[], rates: ReadonlyMap<string, number | null>): number | null {
  const known = subscriptions.flatMap((name) => rates.get(name) ?? [])
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0)
}

export const overviewRoutes = [showOverview, followOverview, showMap]
