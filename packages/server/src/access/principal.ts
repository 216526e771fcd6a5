// Who asks, and whether they may. Denied unless a route's declaration allows it.
import type { IncomingMessage } from 'node:http'
import type { ServerSettings } from '../options.js'
import { Problem } from '../problem/problem.js'
import { type ApiKey, hasKeyForm, type KeyRing, type Scope } from './api-key.js'
import { refuseCrossSite } from './origin.js'
import { roleNames, roles } from './roles.js'
import { refuseForged, type Sessions } from './sessions.js'
import type { StoredKeys } from './stored-keys.js'

export interface Principal {
  /** Counted by for limits: the id of the key, or `anonymous`. */
  readonly id: string
  readonly scopes: readonly Scope[]
  /** Sees and publishes the events of this tenant alone. */
  readonly tenant: string | undefined
  /** Who acts, for the audit. */
  readonly actor: string
}

/** What callers are judged by. */
export interface Gate {
  readonly keys: KeyRing
  /** Those that other servers have as well. */
  readonly storedKeys: StoredKeys
  readonly sessions: Sessions
  readonly settings: ServerSettings
}

/** What a route asks of its caller. */
export interface Access {
  /** `open`: anyone. */
  readonly scope: Scope | 'open'
  /** Does as well. */
  readonly orScope?: Scope
  /** Needs no key when the server listens on loopback only. */
  readonly openOnLoopback?: boolean
  /** `filtered`: a key of one tenant sees its part. `system`: the answer spans tenants, such a key is refused. */
  readonly tenancy: 'filtered' | 'system' | 'none'
}

const nobody: Principal = { id: 'anonymous', scopes: [], tenant: undefined, actor: 'anonymous' }
const developer: Principal = { ...nobody, scopes: ['read', 'publish'], actor: 'development (no key)' }

/** Who calls a route. Throws UNAUTHENTICATED or ORIGIN_REFUSED. */
export async function callerOf(request: IncomingMessage, access: Access, gate: Gate): Promise<Principal> {
  if (access.scope === 'open' || (access.openOnLoopback === true && gate.settings.loopback)) return nobody
  return await authenticate(request, [access.scope, access.orScope ?? access.scope], gate)
}

/** Who holds this key. One that was made elsewhere a moment ago is known, too. Throws UNAUTHENTICATED when nobody does. */
export async function holderOf(presented: string, { keys, storedKeys, settings }: Gate): Promise<ApiKey> {
  const known = keys.find(presented)
  if (known !== undefined) return known
  if (hasKeyForm(presented)) await storedKeys.lookNow()
  const key = keys.find(presented)
  if (key !== undefined) return key
  throw unauthenticated('This API key is not known here, or was revoked.', settings.development)
}

/** Who acts with this key. */
export const principalOf = ({ id, scopes, tenant, name }: ApiKey): Principal => ({
  ...{ id, scopes, tenant },
  actor: name ?? id,
})

/** Throws SCOPE_MISSING or TENANT_FORBIDDEN unless the caller may. */
export function authorise(principal: Principal, access: Access): void {
  if (principal === nobody || access.scope === 'open') return
  const { scope, orScope = scope } = access
  if (![scope, orScope].some((each) => principal.scopes.includes(each))) throw scopeMissing(principal, scope)
  if (access.tenancy === 'system' && principal.tenant !== undefined) {
    throw new Problem(
      'TENANT_FORBIDDEN',
      `This route spans all tenants and the API key is limited to tenant "${principal.tenant}". Use a key without a tenant.`,
    )
  }
}

/** The caller by key, by session, or as the developer at this machine. `wanted`: one of these is asked for. */
export async function authenticate(
  request: IncomingMessage,
  wanted: readonly Scope[],
  gate: Gate,
): Promise<Principal> {
  const { settings } = gate
  const header = request.headers.authorization
  if (header === undefined) {
    const session = await gate.sessions.of(request)
    if (session !== undefined) {
      refuseForged(request, session)
      return principalOf(session.key)
    }
    // Nobody goes on as the developer unawares: whoever was signed in is told that they are not any more.
    if (gate.sessions.isNamedBy(request)) {
      throw unauthenticated(
        'This session has ended, or its API key was withdrawn. Sign in again.',
        settings.development,
      )
    }
    if (settings.development && wanted.some((scope) => developer.scopes.includes(scope)))
      return withoutKey(request)
    throw unauthenticated(
      'This route needs an API key. Send "Authorization: Bearer es_…".',
      settings.development,
    )
  }
  const presented = /^Bearer +([!-~]{1,200})$/i.exec(header)?.[1]
  if (presented === undefined) {
    throw unauthenticated(
      'The Authorization header has another form than "Bearer es_…".',
      settings.development,
    )
  }
  return principalOf(await holderOf(presented, gate))
}

// Development on loopback. A page of another site in this machine's browser, or a proxy that passes the outside on,
// also reaches us from loopback: neither is the person at the keyboard.
function withoutKey(request: IncomingMessage): Principal {
  refuseCrossSite(request)
  const passedOn = request.headers.forwarded ?? request.headers['x-forwarded-for'] ?? request.headers.via
  if (passedOn !== undefined) {
    throw unauthenticated(
      'A request that came through a proxy needs an API key. Send "Authorization: Bearer es_…".',
      true,
    )
  }
  return developer
}

function unauthenticated(detail: string, development: boolean): Problem {
  const hint = development ? ' The development key was printed at start.' : ''
  return new Problem('UNAUTHENTICATED', detail + hint, {
    headers: { 'www-authenticate': 'Bearer realm="eventspine"' },
  })
}

/** The caller may not do this. */
export function scopeMissing(principal: Principal, scope: Scope): Problem {
  const has = principal.scopes.length === 0 ? 'none' : principal.scopes.join(', ')
  return new Problem(
    'SCOPE_MISSING',
    `This needs the scope "${scope}"; the API key has ${has}. Use a key with that scope${roleWith(scope)}.`,
    { headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` } },
  )
}

function roleWith(scope: Scope): string {
  const role = roleNames.find((each) => (roles[each] as readonly Scope[]).includes(scope))
  return role === undefined ? '' : `, such as one of the role ${role}`
}
