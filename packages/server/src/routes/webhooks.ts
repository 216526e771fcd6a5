// Endpoints of webhooks: which fail or get nothing any more, and a hand on one. A key of one tenant sees and steers its own.
import { z } from 'zod'
import { sees, visible } from '../access/tenancy.js'
import { Problem } from '../problem/problem.js'
import { defineRoute } from '../route/route.js'
import { cellQuery, listOf, namePath, noPath, reasonText, tenantName, text } from '../schema/parts.js'
import { endpointView } from '../schema/views.js'
import { given } from './answers.js'

const tag = 'Webhooks'
const webhooksName = text(80).describe('Name of the webhooks')

const listEndpoints = defineRoute({
  method: 'GET',
  url: '/v1/webhooks',
  operationId: 'listWebhookEndpoints',
  tag,
  summary: 'List endpoints that fail or are disabled',
  description: 'The disabled ones first, at most 500. One that is not listed gets its messages.',
  access: { scope: 'read', tenancy: 'filtered' },
  path: noPath,
  query: cellQuery.extend({
    webhooks: webhooksName.optional(),
    tenant: tenantName.optional(),
    state: z.enum(['failing', 'disabled']).optional(),
  }),
  successes: [{ status: 200, description: 'All of them', schema: listOf(endpointView) }],
  problems: ['CELL_UNKNOWN', 'NOT_FOUND'],
  async handle({ spine, query: { cell, ...query }, principal }) {
    const filter = visible(principal, given(query))
    return { body: { items: filter === undefined ? [] : await spine.operator(cell).webhooks.list(filter) } }
  },
})

const endpointState = z.enum(['enabled', 'disabled'])

const setEndpoint = defineRoute({
  method: 'POST',
  url: '/v1/webhooks/:name',
  operationId: 'setWebhookEndpoint',
  tag,
  summary: 'Enable or disable an endpoint',
  description:
    'Messages to one that is disabled are dead letters. Once it is enabled they are sent again by a redrive of webhooks-NAME-send.',
  access: { scope: 'operate', tenancy: 'filtered' },
  path: namePath,
  query: cellQuery,
  body: z.strictObject({
    endpoint: text(200).describe('Its id, as the app has it'),
    state: endpointState,
    tenant: tenantName.describe("Default: the key's, else that of the app").optional(),
    reason: reasonText.optional(),
  }),
  successes: [
    {
      status: 200,
      description: 'It is set',
      schema: z.object({ webhooks: z.string(), endpoint: z.string(), state: endpointState }),
    },
  ],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, query, path, body, principal }) {
    const { endpoint, state, reason, tenant = principal.tenant } = body
    if (!sees(principal, tenant))
      throw new Problem('NOT_FOUND', `There is no endpoint "${endpoint}" that this key may see.`)
    const { webhooks } = spine.operator(query.cell)
    const place = { webhooks: path.name, endpoint, tenant }
    if (state === 'enabled') await webhooks.enable(place, principal.actor, reason)
    else await webhooks.disable(place, principal.actor, reason)
    return { body: { webhooks: path.name, endpoint, state } }
  },
})

export const webhookRoutes = [listEndpoints, setEndpoint]
