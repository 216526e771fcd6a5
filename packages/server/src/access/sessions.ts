// Sessions of the console: a browser holds a token in a cookie that no script can read, in place of the API key. They
// stand in the database, so that any server of the log knows them, and each stands for a key that is still valid.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Eventspine } from 'eventspine'
import type { ServerLimits } from '../options.js'
import { Problem } from '../problem/problem.js'
import type { ApiKey, KeyRing } from './api-key.js'
import { isSameOrigin } from './origin.js'

export interface Session {
  /** As it is now: a key that was narrowed narrows its sessions. */
  readonly key: ApiKey
  /** Sent back in `X-CSRF-Token` with whatever changes something. */
  readonly csrf: string
  readonly expiresAtMs: number
}

const tokenBytes = 32
const tokenForm = /^[A-Za-z0-9_-]{43}$/
export const csrfHeader = 'x-csrf-token'
const harmless = ['GET', 'HEAD', 'OPTIONS']

type Limits = Pick<ServerLimits, 'sessionMsMax' | 'sessionsPerKeyMax'>

export class Sessions {
  readonly #spine: Eventspine
  readonly #keys: KeyRing
  readonly #limits: Limits

  constructor(spine: Eventspine, keys: KeyRing, limits: Limits) {
    this.#spine = spine
    this.#keys = keys
    this.#limits = limits
  }

  /** A new one for the holder of this key. Beyond the limit of a key its oldest ends, so that nobody ends another's. */
  async open(key: ApiKey): Promise<{ readonly token: string; readonly session: Session }> {
    const token = randomBytes(tokenBytes).toString('base64url')
    const { sessionMsMax: lifeMs, sessionsPerKeyMax: sessionsMax } = this.#limits
    const stands = { keyId: key.id, keyHash: key.hash }
    const expiresAtMs = await this.#access.openSession(hashOf(token), stands, { lifeMs, sessionsMax })
    return { token, session: { key, csrf: csrfOf(token), expiresAtMs } }
  }

  /** Whose cookie this is; undefined when it has none, or one that has ended. Throws UNAVAILABLE. */
  async of(request: IncomingMessage): Promise<Session | undefined> {
    const token = tokenIn(request)
    const kept = token === undefined ? null : await this.#access.session(hashOf(token))
    if (token === undefined || kept === null) return undefined
    const key = this.#keys.byId(kept.keyId)
    if (key?.hash !== kept.keyHash) return undefined
    return { key, csrf: csrfOf(token), expiresAtMs: kept.expiresAtMs }
  }

  /** It comes with the cookie of a session, whether that still stands or not. */
  isNamedBy(request: IncomingMessage): boolean {
    return tokenIn(request) !== undefined
  }

  async close(request: IncomingMessage): Promise<void> {
    const token = tokenIn(request)
    if (token !== undefined) await this.#access.closeSession(hashOf(token))
  }

  get #access() {
    return this.#spine.operator().access
  }
}

/** Throws ORIGIN_REFUSED or CSRF_REFUSED unless a page of this server sends it. A cookie comes along by itself, so what
 *  changes something must say more than the browser says. */
export function refuseForged(request: IncomingMessage, { csrf }: Session): void {
  const changes = !harmless.includes(request.method ?? '')
  if (!isSameOrigin(request, changes)) {
    throw new Problem(
      'ORIGIN_REFUSED',
      'This session belongs to the console of this address, and another page sent the request. Behind a proxy, pass on Host and X-Forwarded-Proto as the browser has them.',
      { field: '/headers/origin' },
    )
  }
  if (!changes) return
  const given = request.headers[csrfHeader]
  if (typeof given === 'string' && isSame(given, csrf)) return
  throw new Problem(
    'CSRF_REFUSED',
    'A change by a session needs the header X-CSRF-Token as GET /console/session gives it. Load the console again, or use an API key.',
    { field: `/headers/${csrfHeader}` },
  )
}

/** For the Set-Cookie header. An empty token removes it. */
export function cookieOf(request: IncomingMessage, token: string, maxAgeMs: number): string {
  const secure = isSecure(request) ? '; Secure' : ''
  const age = Math.floor(maxAgeMs / 1_000)
  return `${cookieName(request)}=${token}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`
}

// Cookies of one host are shared by all its ports: two servers on a laptop must not sign each other out. The port is that of
// the address in the browser, which is the same for all servers behind it.
function cookieName({ headers }: IncomingMessage): string {
  const port = /:(\d{1,5})$/.exec(headers.host ?? '')?.[1]
  return port === undefined ? 'eventspine-session' : `eventspine-session-${port}`
}

/** The browser speaks HTTPS with a proxy in front. Who lies about it only harms their own cookie. */
export const isSecure = ({ headers }: IncomingMessage) => headers['x-forwarded-proto'] === 'https'

function tokenIn(request: IncomingMessage): string | undefined {
  const start = `${cookieName(request)}=`
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  const token = pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
  return token !== undefined && tokenForm.test(token) ? token : undefined
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

// Made of the token, which nobody else has: it need not be kept anywhere.
const csrfOf = (token: string) => createHash('sha256').update(`csrf ${token}`).digest('base64url')

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
