// Who sits before a page: signed in by a code that the app gave, from then on known by a cookie that no script can read. Both are kept as
// hashes; a code is good once.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Database } from '../database.js'
import { codeMs, type Guest, hashOf, keepCode } from './codes.js'
import { isSecure, Refusal, refuseForeignPage } from './request.js'
import { SessionWatch, type Watch } from './session-watch.js'

export interface Session extends Guest {
  /** Sent back in `X-CSRF-Token` with whatever changes something. */
  readonly csrf: string
}

const codeBytes = 16
const tokenBytes = 32
const minuteMs = 60_000
/** A shift, with its handover; of a display, behind the last time that it was seen to watch. */
const sessionMs = 14 * 60 * minuteMs
/** The longest that browsers keep a cookie. Whether the session of a display goes on is judged here. */
const displayCookieMs = 400 * 24 * 60 * minuteMs
/** Beyond them the oldest of a carer ends. Displays may have one name and hang in many places. */
const sessionsMax = 5

const lookMsDefault = 10_000

export class Sessions {
  readonly #database: Database
  readonly #watch: SessionWatch

  /** @param lookMs how often it is looked which of those that are watched have ended elsewhere, or by their time. Default 10,000 */
  constructor(database: Database, lookMs = lookMsDefault) {
    this.#database = database
    this.#watch = new SessionWatch(database, lookMs, sessionMs)
  }

  /** A code of 128 bits by which this guest can sign in once. Default 15 minutes. */
  async invite({ kind, person, ward }: Guest, forMs: number = codeMs): Promise<string> {
    const code = randomBytes(codeBytes).toString('base64url')
    await keepCode(this.#database, code, { kind, person, ward }, new Date(Date.now() + forMs))
    return code
  }

  /** Whom a code would sign in; undefined where it is none, was used, or is too old. */
  async invited(code: string): Promise<Guest | undefined> {
    const [guest] = await this.#database.query<Guest & Record<string, unknown>>(
      'SELECT person, ward, kind FROM ward.sign_in_code WHERE hash = $1 AND expires_at > clock_timestamp()',
      [hashOf(code)],
    )
    return guest
  }

  /** Undefined where the code is none, was used, or is too old. */
  async open(code: string): Promise<{ readonly token: string; readonly session: Session } | undefined> {
    const token = randomBytes(tokenBytes).toString('base64url')
    const [guest] = await this.#database.query<Guest & Record<string, unknown>>(
      `WITH used AS (
         DELETE FROM ward.sign_in_code WHERE hash = $1 RETURNING person, ward, kind, expires_at
       ), guest AS (SELECT person, ward, kind FROM used WHERE expires_at > clock_timestamp()),
       kept AS (
         SELECT s.hash FROM ward.session AS s JOIN guest USING (person, ward, kind)
         WHERE s.expires_at > clock_timestamp() ORDER BY s.opened_at DESC LIMIT $4 - 1
       ), ended AS (
         DELETE FROM ward.session AS s
         WHERE s.expires_at <= clock_timestamp()
           OR ((s.person, s.ward, s.kind) IN (SELECT person, ward, kind FROM guest WHERE kind = 'carer')
             AND s.hash NOT IN (SELECT hash FROM kept))
       )
       INSERT INTO ward.session (hash, person, ward, kind, expires_at)
       SELECT $2, person, ward, kind, clock_timestamp() + $3 * interval '1 millisecond' FROM guest
       RETURNING person, ward, kind`,
      [hashOf(code), hashOf(token), sessionMs, sessionsMax],
    )
    return guest === undefined ? undefined : { token, session: { ...guest, csrf: csrfOf(token) } }
  }

  /** Whose cookie this is; undefined where there is none, or one that has ended. */
  async of(request: IncomingMessage): Promise<Session | undefined> {
    const token = tokenIn(request)
    if (token === undefined) return undefined
    const [guest] = await this.#database.query<Guest & Record<string, unknown>>(
      'SELECT person, ward, kind FROM ward.session WHERE hash = $1 AND expires_at > clock_timestamp()',
      [hashOf(token)],
    )
    return guest && { ...guest, csrf: csrfOf(token) }
  }

  /** Says when the session of this request has ended. Ask before `of`: one that ends between the two is told all the same. */
  watch(request: IncomingMessage): Watch {
    return this.#watch.join(hashOf(tokenIn(request) ?? ''))
  }

  async close(request: IncomingMessage): Promise<void> {
    const token = tokenIn(request)
    if (token === undefined) return
    await this.#database.query('DELETE FROM ward.session WHERE hash = $1', [hashOf(token)])
    this.#watch.end(hashOf(token))
  }
}

/** A cookie comes along by itself, so that a change must say more than the browser says. Throws a Refusal of 403. */
export function refuseForged(request: IncomingMessage, { csrf }: Session): void {
  refuseForeignPage(request)
  const given = request.headers['x-csrf-token']
  if (typeof given === 'string' && isSame(given, csrf)) return
  throw new Refusal(
    403,
    'A change needs the header X-CSRF-Token, as GET /api/session gives it. Load the page again.',
  )
}

/** For the Set-Cookie header. Without a token it removes it. */
export function cookieOf(request: IncomingMessage, token = '', kind: Guest['kind'] = 'carer'): string {
  const age = token === '' ? 0 : (kind === 'display' ? displayCookieMs : sessionMs) / 1_000
  const secure = isSecure(request.headers) ? '; Secure' : ''
  return `${cookieName(request)}=${token}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`
}

// Cookies of one host are shared by all its ports.
const cookieName = ({ headers }: IncomingMessage) =>
  `ward-session${/:(\d{1,5})$/.exec(headers.host ?? '')?.[1] ?? ''}`

function tokenIn(request: IncomingMessage): string | undefined {
  const start = `${cookieName(request)}=`
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  const token = pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
  return token !== undefined && /^[A-Za-z0-9_-]{43}$/.test(token) ? token : undefined
}

// Made of the token, which nobody else has: it need not be kept anywhere.
const csrfOf = (token: string) => hashOf(`csrf ${token}`)

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}
