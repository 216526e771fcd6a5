// Replay: history delivered again to one subscription. It spans tenants.
import { z } from 'zod'
import { scopeMissing } from '../access/principal.js'
import { defineRoute } from '../route/route.js'
import {
  cellQuery,
  idPath,
  instant,
  noPath,
  pageOf,
  pageQuery,
  reasonText,
  subscriptionName,
} from '../schema/parts.js'
import { replayPreviewView, replayView } from '../schema/views.js'
import { found, given, pageAnswer } from './answers.js'

const read = { scope: 'read', tenancy: 'system' } as const
const operate = { scope: 'operate', tenancy: 'system' } as const
const tag = 'Replays'

const from = z
  .union([z.literal('beginning'), instant], {
    error: 'must be "beginning" or an RFC 3339 time such as 2026-01-31T12:00:00Z',
  })
  .describe('Default beginning')
  .optional()

const previewReplay = defineRoute({
  method: 'POST',
  url: '/v1/replays/preview',
  operationId: 'previewReplay',
  tag,
  summary: 'Show how much a replay would deliver, and deliver nothing',
  description:
    'Looks at a bounded number of events from the start on, as workers would judge them, and says how many lie behind those.',
  access: read,
  path: noPath,
  query: cellQuery,
  body: z.strictObject({ subscription: subscriptionName, from }),
  successes: [{ status: 200, description: 'What would be delivered', schema: replayPreviewView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  handle: async ({ spine, query, body }) => ({
    body: await spine.operator(query.cell).previewReplay({ ...given(body), subscription: body.subscription }),
  }),
})

const startReplay = defineRoute({
  method: 'POST',
  url: '/v1/replays',
  operationId: 'startReplay',
  tag,
  summary: 'Replay history into one subscription',
  description:
    'No other subscription sees anything of it. When the handler calls the world, external must be true, which takes a key with the scope `admin`: what is sent again cannot be called back.',
  access: operate,
  path: noPath,
  query: cellQuery,
  body: z.strictObject({
    subscription: subscriptionName,
    from,
    reason: reasonText.optional(),
    external: z.boolean().describe('The handler may call the world again').optional(),
  }),
  successes: [
    {
      status: 202,
      description: 'It runs',
      schema: replayView,
      headers: { location: 'Where to follow it' },
    },
  ],
  problems: ['NOT_FOUND', 'REPLAY_REFUSED', 'CELL_UNKNOWN'],
  async handle({ spine, principal, query, body }) {
    if (body.external === true && !principal.scopes.includes('admin')) throw scopeMissing(principal, 'admin')
    const replay = await spine
      .operator(query.cell)
      .replay({ ...given(body), subscription: body.subscription, actor: principal.actor })
    return {
      status: 202,
      headers: { location: `/v1/replays/${encodeURIComponent(replay.id)}` },
      body: replay,
    }
  },
})

const listReplays = defineRoute({
  method: 'GET',
  url: '/v1/replays',
  operationId: 'listReplays',
  tag,
  summary: 'List replays, newest first',
  access: read,
  path: noPath,
  query: pageQuery,
  successes: [{ status: 200, description: 'A page of replays', schema: pageOf(replayView) }],
  problems: ['CELL_UNKNOWN'],
  async handle(call) {
    const { cell, ...page } = call.query
    return pageAnswer(call, await call.spine.operator(cell).replays(given(page)))
  },
})

const showReplay = defineRoute({
  method: 'GET',
  url: '/v1/replays/:id',
  operationId: 'showReplay',
  tag,
  summary: 'Show a replay and how far it is',
  access: read,
  path: idPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'The replay', schema: replayView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  handle: async ({ spine, path, query }) => ({
    body: found(await spine.operator(query.cell).replayStatus(path.id), 'replay'),
  }),
})

const stopReplay = defineRoute({
  method: 'POST',
  url: '/v1/replays/:id/stop',
  operationId: 'stopReplay',
  tag,
  summary: 'Stop a replay',
  description: 'What was delivered stays so; the rest is passed over. Twice is once.',
  access: operate,
  path: idPath,
  query: cellQuery,
  body: z.strictObject({ reason: reasonText.optional() }),
  successes: [{ status: 200, description: 'It is stopped', schema: replayView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  handle: async ({ spine, path, query, principal, body }) => ({
    body: await spine.operator(query.cell).stopReplay(path.id, principal.actor, body.reason),
  }),
})

export const replayRoutes = [previewReplay, startReplay, listReplays, showReplay, stopReplay]
