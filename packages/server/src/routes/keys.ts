// API keys that all servers of the log share: who has one, a new one, and one that is taken away. For admins.
import type { StoredKey } from 'eventspine'
import { z } from 'zod'
import { type ApiKey, createApiKey, scopes } from '../access/api-key.js'
import { roleNames, roleOf, roles } from '../access/roles.js'
import { recordOf } from '../access/stored-keys.js'
import { defineRoute } from '../route/route.js'
import { listOf, noPath, noQuery, reasonText, tenantName, text } from '../schema/parts.js'

const admin = { scope: 'admin', tenancy: 'system' } as const
const tag = 'Keys'
const milliseconds = z.number().describe('Milliseconds since 1970')

export const keyView = z.object({
  id: z.string().describe('The part of the key between its underscores'),
  name: z.string().describe('Shown in the audit as who acted'),
  role: z.enum(roleNames).nullable().describe('null where its scopes are no role'),
  scopes: z.array(z.enum(scopes)),
  tenant: z.string().nullable().describe('Limited to that tenant; null: of all'),
  kept: z
    .enum(['database', 'server'])
    .describe('`server`: in its file or options, where it is withdrawn, too'),
  createdAtMs: milliseconds.nullable(),
  createdBy: z.string().nullable(),
  withdrawn: z.object({ atMs: milliseconds, by: z.string(), reason: z.string() }).nullable(),
})

const madeKey = keyView.extend({ key: z.string().describe('es_… : shown this once') })

function viewOf(stored: StoredKey): z.infer<typeof keyView> {
  const { id, name, tenant, createdAtMs, createdBy, withdrawn } = stored
  const own = recordOf(stored).scopes
  return {
    ...{ id, name, role: roleOf(own) ?? null, scopes: [...own], tenant, kept: 'database' },
    ...{ createdAtMs, createdBy, withdrawn },
  }
}

const viewOfGiven = ({ id, name, scopes: own, tenant }: ApiKey): z.infer<typeof keyView> => ({
  ...{ id, name: name ?? id, role: roleOf(own) ?? null, scopes: [...own], tenant: tenant ?? null },
  ...{ kept: 'server', createdAtMs: null, createdBy: null, withdrawn: null },
})

const listKeys = defineRoute({
  method: 'GET',
  url: '/v1/keys',
  operationId: 'listKeys',
  tag,
  summary: 'List API keys',
  description: 'Those of this server, then the valid ones of the database, then those that were withdrawn.',
  access: admin,
  path: noPath,
  query: noQuery,
  successes: [{ status: 200, description: 'All keys, without their secrets', schema: listOf(keyView) }],
  problems: ['UNAVAILABLE'],
  async handle({ spine, keys }) {
    const stored = await spine.operator().access.keys()
    return { body: { items: [...keys.given.map(viewOfGiven), ...stored.map(viewOf)] } }
  },
})

const createKey = defineRoute({
  method: 'POST',
  url: '/v1/keys',
  operationId: 'createKey',
  tag,
  summary: 'Make an API key',
  description: 'The answer is the only one that has the key. Other servers take it at once.',
  access: admin,
  path: noPath,
  query: noQuery,
  body: z.strictObject({
    name: text(200).describe('Whose it is, for the audit'),
    access: z
      .union([z.enum(roleNames), z.array(z.enum(scopes)).min(1).max(scopes.length)], {
        error: `must be a role (${roleNames.join(', ')}) or a list of scopes (${scopes.join(', ')})`,
      })
      .describe('The role of a person, or the scopes of a machine'),
    tenant: tenantName.describe('Limits it to one tenant').optional(),
    reason: reasonText.optional(),
  }),
  successes: [{ status: 201, description: 'It is valid', schema: madeKey }],
  problems: ['UNAVAILABLE'],
  async handle({ spine, principal, storedKeys, body }) {
    const { name, tenant, reason } = body
    const own = typeof body.access === 'string' ? roles[body.access] : [...new Set(body.access)]
    const { key, record } = createApiKey({ scopes: own, name, ...(tenant === undefined ? {} : { tenant }) })
    const { id, hash } = record
    const { access } = spine.operator()
    await access.create({ id, hash, name, scopes: own, tenant: tenant ?? null }, principal.actor, reason)
    await storedKeys.read()
    const stored = (await access.keys()).find((each) => each.id === id)
    if (stored === undefined) throw new Error('A key that was stored is not there.')
    return { status: 201, body: { ...viewOf(stored), key } }
  },
})

const withdrawKey = defineRoute({
  method: 'POST',
  url: '/v1/keys/:id/withdraw',
  operationId: 'withdrawKey',
  tag,
  summary: 'Withdraw an API key',
  description: 'It opens nothing any more, and its sessions end: here at once, at other servers within 2 s.',
  access: admin,
  path: z.strictObject({ id: text(100).describe('Id of the key') }),
  query: noQuery,
  body: z.strictObject({ reason: reasonText }),
  successes: [{ status: 200, description: 'It is withdrawn', schema: keyView }],
  problems: ['NOT_FOUND', 'UNAVAILABLE'],
  async handle({ spine, principal, storedKeys, path, body }) {
    const key = await spine.operator().access.withdraw(path.id, principal.actor, body.reason)
    await storedKeys.read()
    return { body: viewOf(key) }
  },
})

export const keyRoutes = [listKeys, createKey, withdrawKey]
