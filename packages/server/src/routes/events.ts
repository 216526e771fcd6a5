// Reading events: lists, one with all its deliveries and its causal tree, and the stream of what comes.
import { z } from 'zod'
import { visible } from '../access/tenancy.js'
import { defineRoute } from '../route/route.js'
import {
  cellQuery,
  eventType,
  identifier,
  idPath,
  instant,
  noPath,
  pageOf,
  pageQuery,
  tenantName,
  text,
} from '../schema/parts.js'
import { traceView } from '../schema/trace.js'
import { eventDetails, eventView } from '../schema/views.js'
import { tailPlace } from '../tail/place.js'
import { tailStream } from '../tail/stream.js'
import { emptyPage, found, given, pageAnswer } from './answers.js'
import { eventPage } from './event-page.js'
import { filterOf, searchEvents } from './event-search.js'

const read = { scope: 'read', tenancy: 'filtered' } as const
const tag = 'Events'

const filters = {
  type: eventType.describe('Type of event; * stands for any run of characters').optional(),
  key: text(500).describe('Ordering scope').optional(),
  correlation: text(250).describe('Id of the first event of a chain').optional(),
  tenant: tenantName.optional(),
}

const eventsFound = pageOf(eventView).extend({
  scanned: z.number().int().optional().describe('With a pattern: events looked at'),
  reachedEnd: z.boolean().optional().describe('With a pattern: there is nothing behind them'),
})

const listEvents = defineRoute({
  method: 'GET',
  url: '/v1/events',
  operationId: 'listEvents',
  tag,
  summary: 'List events',
  description:
    'Newest first unless asked otherwise. Times are those at which the events were recorded. A page is shorter than its limit when bodies are large: the cursor says whether there is more. With `pattern` a page looks at 2,000 events at most, says how many it looked at (`scanned`) and whether there is nothing behind them (`reachedEnd`): it may be empty and yet have a cursor that goes on. Name a type, key or time with it.',
  access: read,
  path: noPath,
  query: pageQuery.extend({
    ...filters,
    after: instant.optional(),
    before: instant.optional(),
    pattern: z
      .string()
      .min(1)
      .max(4_000)
      .describe(
        'An event pattern as JSON, over the attributes and the data, such as {"data":{"amount":[{"numeric":[">",100]}]}}',
      )
      .optional(),
    order: z
      .enum(['newest', 'oldest'])
      .describe('Default newest. The cursor of oldest never ends')
      .optional(),
  }),
  successes: [{ status: 200, description: 'A page of events', schema: eventsFound }],
  problems: ['CELL_UNKNOWN'],
  async handle(call) {
    const { cell, correlation, pattern, ...query } = call.query
    const filter = pattern === undefined ? undefined : filterOf(pattern)
    const asked = visible(call.principal, given({ ...query, correlationId: correlation }))
    if (asked === undefined)
      return { body: filter === undefined ? emptyPage : { ...emptyPage, scanned: 0, reachedEnd: true } }
    const operator = call.spine.operator(cell)
    if (filter === undefined) return pageAnswer(call, await eventPage(operator, asked))
    return pageAnswer(call, await searchEvents(operator, asked, filter))
  },
})

const showEvent = defineRoute({
  method: 'GET',
  url: '/v1/events/:id',
  operationId: 'showEvent',
  tag,
  summary: 'Show an event with all its deliveries and its causal tree',
  access: read,
  path: idPath,
  query: cellQuery.extend({ tenant: tenantName.optional() }),
  successes: [{ status: 200, description: 'The event', schema: eventDetails }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, principal, path, query }) {
    const asked = visible(principal, given({ tenant: query.tenant }))
    const details = asked === undefined ? null : await spine.operator(query.cell).event(path.id, asked.tenant)
    return { body: found(details, 'event') }
  },
})

const traceEvent = defineRoute({
  method: 'GET',
  url: '/v1/events/:id/trace',
  operationId: 'traceEvent',
  tag,
  summary: 'Show all that an event came from and led to, with every attempt',
  description:
    'Everything of its correlation in one waterfall, at most 250 events and about 1,000 spans. Attempts are those that run history still has.',
  access: read,
  path: idPath,
  query: cellQuery.extend({ tenant: tenantName.optional() }),
  successes: [{ status: 200, description: 'The trace', schema: traceView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, principal, path, query }) {
    const asked = visible(principal, given({ tenant: query.tenant }))
    const trace = asked === undefined ? null : await spine.operator(query.cell).trace(path.id, asked.tenant)
    return { body: found(trace, 'event') }
  },
})

const tailDescription = `Server-sent events: each message's \`data\` is one event as JSON. Begins with what comes (the
last moment before may be among it), or at the beginning of the log with \`from=beginning\`. A reader that reconnects with
the Last-Event-ID header, as browsers do by themselves, goes on behind that event. It misses none, and after a crash of the
database may see some again. A comment line comes every 15 s when there is nothing else. A reader that takes nothing for a
minute is let go.

With \`pace=live\` a reader that cannot keep up, and one before a log that grows by more than about 1,000 events a second, is
brought to what is newest. A message of the type \`left-out\` then says how many were left out in between:
\`{"events":2144,"exact":true}\`. Beyond 100,000 it is an estimate of all events there, whatever was asked for (\`exact: false\`).

A message of the type \`unreadable\` says that the log cannot be read at the moment, because the database refuses or has not
answered for 5 s; its \`since\` is when it was first asked in vain. One of the type \`readable\` says that this is over. Neither
has an id: the stream goes on where it was.`

const tailEvents = defineRoute({
  method: 'GET',
  url: '/v1/events/tail',
  operationId: 'tailEvents',
  tag,
  summary: 'Follow events as they come',
  description: tailDescription,
  access: read,
  path: noPath,
  query: cellQuery.extend({
    ...filters,
    from: z.enum(['now', 'beginning']).describe('Default now').optional(),
    pace: z
      .enum(['all', 'live'])
      .describe('Default all, which misses none. live leaves out what cannot be kept up with, and counts it')
      .optional(),
    lastEventId: identifier
      .max(2_000)
      .describe('As the Last-Event-ID header, which wins, for clients that cannot send it')
      .optional(),
  }),
  successes: [{ status: 200, description: 'A stream', schema: z.string(), contentType: 'text/event-stream' }],
  problems: ['CELL_UNKNOWN', 'IN_FLIGHT_MAX'],
  handle(call) {
    const { cell, correlation, from, pace, lastEventId, ...query } = call.query
    const asked = visible(call.principal, given({ ...query, correlationId: correlation }))
    const place = tailPlace(call.request.headers['last-event-id'] ?? lastEventId)
    return tailStream(call, call.spine.operator(cell), asked, {
      place,
      from: from ?? 'now',
      pace: pace ?? 'all',
    })
  },
})

export const eventRoutes = [listEvents, tailEvents, showEvent, traceEvent]
