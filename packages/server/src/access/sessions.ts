// Sessions of the console: a browser holds a token in a cookie that no script can read, in place of the API key. They
// live in this process, so a restart ends them, and each stands for a key that is still valid.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
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

interface Kept {
  readonly keyId: string
  readonly keyHash: string
  readonly csrf: string
  readonly expiresAtMs: number
}

const tokenBytes = 32
const tokenForm = /^[A-Za-z0-9_-]{43}$/
export const csrfHeader = 'x-csrf-token'
const harmless = ['GET', 'HEAD', 'OPTIONS']

type Limits = Pick<ServerLimits, 'sessionMsMax' | 'sessionsPerKeyMax'>

export class Sessions {
  /** By the hash of the token, oldest first: what is kept here opens nothing by itself. */
  readonly #kept = new Map<string, Kept>()
  readonly #keys: KeyRing
  readonly #limits: Limits

  constructor(keys: KeyRing, limits: Limits) {
    this.#keys = keys
    this.#limits = limits
  }

  get size(): number {
    return this.#kept.size
  }

  /** A new one for the holder of this key. Beyond the limit of a key its oldest ends, so that nobody ends another's. */
  open(key: ApiKey): { readonly token: string; readonly session: Session } {
    this.#sweep()
    const own = [...this.#kept].filter(([, { keyId }]) => keyId === key.id)
    for (const [name] of own.slice(0, Math.max(0, own.length - this.#limits.sessionsPerKeyMax + 1)))
      this.#kept.delete(name)
    const token = randomBytes(tokenBytes).toString('base64url')
    const csrf = randomBytes(tokenBytes).toString('base64url')
    const expiresAtMs = Date.now() + this.#limits.sessionMsMax
    this.#kept.set(nameOf(token), { keyId: key.id, keyHash: key.hash, csrf, expiresAtMs })
    return { token, session: { key, csrf, expiresAtMs } }
  }

  /** Whose cookie this is; undefined when it has none, or one that has ended. */
  of(request: IncomingMessage): Session | undefined {
    const token = tokenIn(request)
    const kept = token === undefined ? undefined : this.#kept.get(nameOf(token))
    const key = kept === undefined ? undefined : this.#valid(kept)
    if (kept === undefined || key === undefined) return undefined
    return { key, csrf: kept.csrf, expiresAtMs: kept.expiresAtMs }
  }

  close(request: IncomingMessage): void {
    const token = tokenIn(request)
    if (token !== undefined) this.#kept.delete(nameOf(token))
  }

  // Their number is bounded by that of the keys, so looking at all is cheap.
  #sweep(): void {
    for (const [name, kept] of this.#kept) if (this.#valid(kept) === undefined) this.#kept.delete(name)
  }

  #valid({ keyId, keyHash, expiresAtMs }: Kept): ApiKey | undefined {
    const key = this.#keys.byId(keyId)
    return expiresAtMs > Date.now() && key?.hash === keyHash ? key : undefined
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

// Cookies of one host are shared by all its ports: two servers on a laptop must not sign each other out.
const cookieName = ({ socket }: IncomingMessage) => `eventspine-session-${socket.localPort ?? 0}`

/** The browser speaks HTTPS with a proxy in front. Who lies about it only harms their own cookie. */
export const isSecure = ({ headers }: IncomingMessage) => headers['x-forwarded-proto'] === 'https'

function tokenIn(request: IncomingMessage): string | undefined {
  const start = `${cookieName(request)}=`
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  const token = pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
  return token !== undefined && tokenForm.test(token) ? token : undefined
}

const nameOf = (token: string) => createHash('sha256').update(token).digest('base64')

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
