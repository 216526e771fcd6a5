// Signing in to the console: an API key for a session, and its end.
import { z } from 'zod'
import { scopes } from '../access/api-key.js'
import { isSameOrigin } from '../access/origin.js'
import { authenticate, holderOf, principalOf } from '../access/principal.js'
import { roleNames, roleOf } from '../access/roles.js'
import { cookieOf, refuseForged } from '../access/sessions.js'
import { Problem } from '../problem/problem.js'
import { defineRoute, type Incoming } from '../route/route.js'
import { noPath, noQuery, text } from '../schema/parts.js'

const tag = 'Console'
const open = { scope: 'open', tenancy: 'none' } as const

const sessionView = z.object({
  actor: z.string().describe('Who acts, for the audit'),
  scopes: z.array(z.enum(scopes)),
  role: z.enum(roleNames).nullable().describe('null where the scopes are no role'),
  tenant: z.string().nullable().describe('All that is shown is of this tenant'),
  csrf: z.string().nullable().describe('For X-CSRF-Token; null without a session'),
  expiresAtMs: z.number().nullable().describe('Milliseconds since 1970; null without a session'),
})

const openSession = defineRoute({
  method: 'POST',
  url: '/console/session',
  operationId: 'openSession',
  tag,
  summary: 'Sign in to the console with an API key',
  description: 'Sets a cookie that no script can read and no other site can send. It ends after 12 hours.',
  access: open,
  path: noPath,
  query: noQuery,
  body: z.strictObject({ key: text(200).describe('es_…') }),
  successes: [{ status: 201, description: 'Signed in', schema: sessionView }],
  problems: [
    ...(['UNAUTHENTICATED', 'ORIGIN_REFUSED', 'JSON_INVALID', 'BODY_TOO_LARGE'] as const),
    ...(['CONTENT_TYPE_UNSUPPORTED', 'CONTENT_ENCODING_UNSUPPORTED', 'UNAVAILABLE'] as const),
  ],
  async handle(incoming) {
    const { request, sessions, settings, body } = incoming
    // Another site must not sign a person in as somebody else.
    if (!isSameOrigin(request, false)) throw foreign()
    const key = await holderOf(body.key, incoming)
    await sessions.close(request)
    const { token, session } = await sessions.open(key)
    return {
      status: 201,
      headers: { 'set-cookie': cookieOf(request, token, settings.limits.sessionMsMax) },
      body: { ...callerView(principalOf(key)), csrf: session.csrf, expiresAtMs: session.expiresAtMs },
    }
  },
})

const showSession = defineRoute({
  method: 'GET',
  url: '/console/session',
  operationId: 'showSession',
  tag,
  summary: 'Who is signed in, and as what',
  description: 'In development on loopback nobody needs to be, to read and publish.',
  access: open,
  path: noPath,
  query: noQuery,
  successes: [{ status: 200, description: 'The session', schema: sessionView }],
  problems: ['UNAUTHENTICATED', 'ORIGIN_REFUSED', 'UNAVAILABLE'],
  async handle(incoming) {
    const caller = callerView(await authenticate(incoming.request, ['read'], incoming))
    const session = await incoming.sessions.of(incoming.request)
    return { body: { ...caller, csrf: session?.csrf ?? null, expiresAtMs: session?.expiresAtMs ?? null } }
  },
})

const closeSession = defineRoute({
  method: 'DELETE',
  url: '/console/session',
  operationId: 'closeSession',
  tag,
  summary: 'Sign out of the console',
  access: open,
  path: noPath,
  query: noQuery,
  successes: [{ status: 200, description: 'Signed out', schema: z.object({ signedIn: z.literal(false) }) }],
  problems: ['ORIGIN_REFUSED', 'CSRF_REFUSED', 'UNAVAILABLE'],
  async handle({ request, sessions }) {
    const session = await sessions.of(request)
    if (session !== undefined) refuseForged(request, session)
    await sessions.close(request)
    return { headers: { 'set-cookie': cookieOf(request, '', 0) }, body: { signedIn: false } }
  },
})

const callerView = ({ actor, scopes: may, tenant }: Incoming['principal']) => ({
  ...{ actor, scopes: may, role: roleOf(may) ?? null },
  tenant: tenant ?? null,
})

const foreign = () =>
  new Problem('ORIGIN_REFUSED', 'A page of another origin cannot sign in here. Open /console/ instead.', {
    field: '/headers/origin',
  })

export const sessionRoutes = [openSession, showSession, closeSession]
