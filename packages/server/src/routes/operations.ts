// Workers, breakers, audit and doctor: the state of the whole system.
import { z } from 'zod'
import { defineRoute } from '../route/route.js'
import {
  cellQuery,
  instant,
  listOf,
  namePath,
  noPath,
  pageOf,
  pageQuery,
  reasonText,
  tenantName,
  text,
} from '../schema/parts.js'
import { auditView, breakerView, doctorView, workerView } from '../schema/views.js'
import { found, given, pageAnswer } from './answers.js'

const read = { scope: 'read', tenancy: 'system' } as const
const tag = 'Operations'

const listWorkers = defineRoute({
  method: 'GET',
  url: '/v1/workers',
  operationId: 'listWorkers',
  tag,
  summary: 'List workers that live',
  access: read,
  path: noPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'All workers', schema: listOf(workerView) }],
  problems: ['CELL_UNKNOWN'],
  handle: async ({ spine, query }) => ({ body: { items: await spine.operator(query.cell).workers() } }),
})

const listBreakers = defineRoute({
  method: 'GET',
  url: '/v1/breakers',
  operationId: 'listBreakers',
  tag,
  summary: 'List circuit breakers',
  access: read,
  path: noPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'All breakers', schema: listOf(breakerView) }],
  problems: ['CELL_UNKNOWN'],
  handle: async ({ spine, query }) => ({ body: { items: await spine.operator(query.cell).breakers() } }),
})

const breakerState = z.enum(['open', 'closed'])

const setBreaker = defineRoute({
  method: 'POST',
  url: '/v1/breakers/:name',
  operationId: 'setBreaker',
  tag,
  summary: 'Open or close a circuit breaker by hand',
  access: { scope: 'operate', tenancy: 'system' },
  path: namePath,
  query: cellQuery,
  body: z.strictObject({
    state: breakerState,
    tenant: tenantName.describe('Of a breaker per tenant. Default: that of the whole service').optional(),
    key: text(500).describe('Of a breaker per key of the tenant').optional(),
    reason: reasonText.optional(),
  }),
  successes: [
    {
      status: 200,
      description: 'It is set',
      schema: z.object({ name: z.string(), tenant: z.string(), key: z.string(), state: breakerState }),
    },
  ],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, query, path, body, principal }) {
    const breaker = { name: path.name, tenant: body.tenant ?? '', key: body.key ?? '' }
    await spine.operator(query.cell).setBreaker(breaker, body.state, principal.actor, body.reason)
    return { body: { ...breaker, state: body.state } }
  },
})

const listAudit = defineRoute({
  method: 'GET',
  url: '/v1/audit',
  operationId: 'listAudit',
  tag,
  summary: 'List who did what, newest first',
  description:
    'Each says why (`reason` of its details) where the person said so, and from what to what (`before`, `after`) where it changed a state.',
  access: read,
  path: noPath,
  query: pageQuery.extend({
    actor: text(500).describe('Who, exactly').optional(),
    action: text(100).describe('What, such as redrive.create; * stands for any run of characters').optional(),
    target: text(500).describe('To what; * stands for any run of characters').optional(),
    after: instant.optional(),
    before: instant.optional(),
  }),
  successes: [{ status: 200, description: 'A page of the audit', schema: pageOf(auditView) }],
  problems: ['CELL_UNKNOWN'],
  async handle(call) {
    const { cell, ...page } = call.query
    return pageAnswer(call, await call.spine.operator(cell).audit(given(page)))
  },
})

const showAct = defineRoute({
  method: 'GET',
  url: '/v1/audit/:id',
  operationId: 'showAct',
  tag,
  summary: 'Show one act of the audit',
  access: read,
  path: z.strictObject({
    id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).describe('Number of the act'),
  }),
  query: cellQuery,
  successes: [{ status: 200, description: 'The act', schema: auditView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, path, query }) {
    return { body: found(await spine.operator(query.cell).auditEntry(path.id), 'act') }
  },
})

const doctor = defineRoute({
  method: 'GET',
  url: '/v1/doctor',
  operationId: 'doctor',
  tag,
  summary: 'Examine every subscription and the database',
  access: read,
  path: noPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'The findings', schema: doctorView }],
  problems: ['CELL_UNKNOWN'],
  handle: async ({ spine, query }) => ({ body: await spine.operator(query.cell).doctor() }),
})

export const operationRoutes = [listWorkers, listBreakers, setBreaker, listAudit, showAct, doctor]
