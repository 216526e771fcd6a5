// Redrive: dead letters sent again, with preview, canary, rate and stop.
import { z } from 'zod'
import type { Principal } from '../access/principal.js'
import { commanded, sees } from '../access/tenancy.js'
import { defineRoute } from '../route/route.js'
import { deadLetterFilter } from '../schema/dead-letters.js'
import { cellQuery, idPath, noPath, pageOf, pageQuery, reasonText, text } from '../schema/parts.js'
import { redrivePreviewView, redriveView } from '../schema/views.js'
import { found, given, pageAnswer } from './answers.js'

const read = { scope: 'read', tenancy: 'filtered' } as const
const operate = { scope: 'operate', tenancy: 'filtered' } as const
const tag = 'Redrives'

const roundsMax = z
  .int()
  .min(1)
  .max(1_000)
  .describe('Dead letters redriven so often before are left alone. Default 3')

const previewRedrive = defineRoute({
  method: 'POST',
  url: '/v1/redrives/preview',
  operationId: 'previewRedrive',
  tag,
  summary: 'Show what a redrive would send, and send nothing',
  access: { ...operate, scope: 'read' },
  path: noPath,
  query: cellQuery,
  body: z.strictObject({ filter: deadLetterFilter, roundsMax: roundsMax.optional() }),
  successes: [{ status: 200, description: 'What would be sent', schema: redrivePreviewView }],
  problems: ['TENANT_FORBIDDEN', 'CELL_UNKNOWN'],
  async handle({ spine, principal, query, body }) {
    const filter = commanded(principal, given(body.filter))
    return { body: await spine.operator(query.cell).previewRedrive(filter, body.roundsMax) }
  },
})

const startRedrive = defineRoute({
  method: 'POST',
  url: '/v1/redrives',
  operationId: 'startRedrive',
  tag,
  summary: 'Start a redrive',
  description:
    'A few letters go first; the rest follows at its rate when they end well. Asking twice with one idempotencyKey is one redrive. With `data`, the `round` of the letter in the filter makes sure that nobody else has sent it meanwhile.',
  access: operate,
  path: noPath,
  query: cellQuery,
  body: z.strictObject({
    filter: deadLetterFilter,
    rate: z
      .number()
      .min(0.01)
      .max(10_000)
      .describe('Letters sent a second, at most, by all workers together. Default 50')
      .optional(),
    canary: z.int().min(0).max(10_000).describe('So many go first. Default 10').optional(),
    stopAtErrorRate: z
      .number()
      .positive()
      .max(1)
      .describe('Stops when this share of those that ended has failed again. Default 0.5')
      .optional(),
    roundsMax: roundsMax.optional(),
    data: z.unknown().optional().describe('New data for a single dead letter'),
    reason: reasonText.optional(),
    idempotencyKey: text(200).describe('Asking twice with the same key is one redrive').optional(),
  }),
  successes: [
    {
      status: 202,
      description: 'It runs',
      schema: redriveView,
      headers: { location: 'Where to follow it' },
    },
  ],
  problems: ['TENANT_FORBIDDEN', 'EVENT_INVALID', 'LETTER_CHANGED', 'CELL_UNKNOWN'],
  async handle({ spine, principal, query, body }) {
    const { filter, idempotencyKey, ...rest } = given(body)
    const redrive = await spine.operator(query.cell).redrive({
      ...given(rest),
      filter: commanded(principal, given(filter)),
      actor: principal.actor,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey: scoped(principal, idempotencyKey) }),
    })
    return {
      status: 202,
      headers: { location: `/v1/redrives/${encodeURIComponent(redrive.id)}` },
      body: redrive,
    }
  },
})

// Two tenants that choose the same key must not see each other's redrive.
const scoped = (principal: Principal, key: string) =>
  principal.tenant === undefined ? key : `${principal.tenant}/${key}`

const listRedrives = defineRoute({
  method: 'GET',
  url: '/v1/redrives',
  operationId: 'listRedrives',
  tag,
  summary: 'List redrives, newest first',
  access: read,
  path: noPath,
  query: pageQuery,
  successes: [{ status: 200, description: 'A page of redrives', schema: pageOf(redriveView) }],
  problems: ['CELL_UNKNOWN'],
  async handle(call) {
    const { cell, ...page } = call.query
    const { items, cursor } = await call.spine.operator(cell).redrives(given(page))
    // A page of a key with a tenant may be shorter than its limit: the cursor says whether there is more.
    const own = items.filter(({ filter }) => sees(call.principal, filter.tenant))
    return pageAnswer(call, { items: own, cursor })
  },
})

const showRedrive = defineRoute({
  method: 'GET',
  url: '/v1/redrives/:id',
  operationId: 'showRedrive',
  tag,
  summary: 'Show a redrive',
  access: read,
  path: idPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'The redrive', schema: redriveView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, principal, path, query }) {
    const redrive = await spine.operator(query.cell).redriveStatus(path.id)
    return { body: found(sees(principal, redrive?.filter.tenant) ? redrive : null, 'redrive') }
  },
})

const stopRedrive = defineRoute({
  method: 'POST',
  url: '/v1/redrives/:id/stop',
  operationId: 'stopRedrive',
  tag,
  summary: 'Stop a redrive',
  description: 'What was not sent yet becomes a dead letter again.',
  access: operate,
  path: idPath,
  query: cellQuery,
  body: z.strictObject({ reason: reasonText.optional() }),
  successes: [{ status: 200, description: 'It is stopped', schema: redriveView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, principal, path, query, body }) {
    const operator = spine.operator(query.cell)
    const redrive = await operator.redriveStatus(path.id)
    found(sees(principal, redrive?.filter.tenant) ? redrive : null, 'redrive')
    return { body: await operator.stopRedrive(path.id, principal.actor, body.reason) }
  },
})

export const redriveRoutes = [previewRedrive, startRedrive, listRedrives, showRedrive, stopRedrive]
