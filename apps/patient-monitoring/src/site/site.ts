// The pages of the ward: board, bed and phone, and what they ask. It stands beside the server of the API, and in a process of its own
// where looking at the ward shall cost the alarms nothing.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Eventspine, EventspineError } from 'eventspine'
import { z } from 'zod'
import type { Database } from '../database.js'
import type { KeyChain } from '../keys.js'
import { board } from '../views.js'
import {
  type Answer,
  type Call,
  openQuestions,
  questions,
  refuseDisplay,
  refuseOtherWard,
  toldTo,
} from './answers.js'
import { type Guest, signInPath } from './codes.js'
import { type PageFile, pageFiles } from './files.js'
import { Live } from './live.js'
import { addressOf, Refusal, refuseForeignHost } from './request.js'
import { type Session, Sessions } from './sessions.js'

export interface SiteOptions {
  readonly database: Database
  readonly keys: KeyChain
  readonly spine: Pick<Eventspine, 'sources'>
  /** 0 takes a free one. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Names by which browsers may call it, beside those of this machine. */
  readonly hosts?: readonly string[]
  /** How often what changes is read, once for all who watch. Default 500. */
  readonly liveMs?: number
  /** How often it is looked whether those who watch are still signed in. Default 10,000. */
  readonly sessionsMs?: number
}

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; manifest-src 'self'; worker-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types ward",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const liveMsDefault = 500
/** Of all pages together; further ones are answered 503. */
const readersMax = 500
/** Of one session, so that one browser cannot take those of all others; further ones are answered 429. */
const readersOfSessionMax = 6
/** A reader that takes nothing for so long is let go; it comes back by itself. */
const stallMsMax = 60_000

export class Site {
  readonly #options: SiteOptions
  readonly #sessions: Sessions
  readonly #ending = new AbortController()
  readonly #lives = new Map<string, Live<unknown>>()
  #files: ReadonlyMap<string, PageFile> = new Map()
  #server: Server | undefined

  constructor(options: SiteOptions) {
    this.#options = options
    this.#sessions = new Sessions(options.database, options.sessionsMs)
  }

  async start(): Promise<{ readonly url: string }> {
    const { host = '127.0.0.1', port } = this.#options
    this.#files = await pageFiles()
    this.#server = createServer((request, response) => void this.#respond(request, response))
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    return { url: `http://${host}:${(this.#server.address() as AddressInfo).port}` }
  }

  /** Safe to call twice, and before start. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#ending.abort()
    if (server === undefined) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  /** The part of an address by which this guest signs in once: browsers send nothing of it. Default for 15 minutes. */
  async invitation(guest: Guest, forMs?: number): Promise<string> {
    return signInPath(await this.#sessions.invite(guest, forMs))
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname, searchParams } = addressOf(request)
      refuseForeignHost(request, this.#options.hosts ?? [])
      const file = this.#fileOf(pathname)
      if (file !== undefined) return sendFile(request, response, file)
      if (!pathname.startsWith('/api/')) return this.#sendAway(request, response, pathname)
      const call = { ...this.#options, request, places: [], query: searchParams, sessions: this.#sessions }
      if (pathname.startsWith('/api/live/')) return await this.#stream(call, pathname, response)
      send(response, await this.#answer(call, pathname))
    } catch (error) {
      if (response.headersSent) response.destroy()
      else send(response, refusalOf(error))
    }
  }

  /** To where the page is that was meant, or to one that says that there is none: what a person reads is no JSON. */
  #sendAway(request: IncomingMessage, response: ServerResponse, path: string): void {
    const meant = path.endsWith('/') ? path.replace(/\/+$/, '') : `${path}/`
    if (this.#fileOf(meant) !== undefined) {
      response.writeHead(308, { ...headers, location: meant }).end()
      return
    }
    const page = this.#files.get('/not-found')
    if (page === undefined) throw new Refusal(404, 'There is nothing of that name.')
    sendFile(request, response, page, 404)
  }

  #fileOf(path: string): PageFile | undefined {
    if (!isWritten(path)) return undefined
    if (/^\/wards\/[^/]+$/.test(path)) return this.#files.get('/ward')
    if (/^\/wards\/[^/]+\/reports$/.test(path)) return this.#files.get('/reports')
    if (/^\/beds\/[^/]+$/.test(path)) return this.#files.get('/bed')
    return this.#files.get(path === '/' ? '/sign-in' : path)
  }

  async #answer(call: Call, path: string): Promise<Answer> {
    const { method = 'GET' } = call.request
    for (const question of openQuestions)
      if (question.method === method && question.path.test(path)) return question.answer(call, undefined)
    const session = await this.#sessionOf(call)
    const asked = questions.filter((question) => question.path.test(path))
    const question = asked.find((each) => each.method === method)
    if (question !== undefined)
      return question.answer({ ...call, places: placesOf(question.path, path) }, session)
    if (asked.length > 0) throw new Refusal(405, 'This cannot be done here.')
    throw new Refusal(404, 'There is nothing of that name.')
  }

  async #sessionOf({ request }: Call): Promise<Session> {
    const session = await this.#sessions.of(request)
    if (session === undefined) throw new Refusal(401, 'Sign in first.')
    return session
  }

  async #stream(call: Call, path: string, response: ServerResponse): Promise<void> {
    const watch = this.#sessions.watch(call.request)
    try {
      const live = this.#liveAt(path, await this.#sessionOf(call))
      if (watch.watchers > readersOfSessionMax)
        throw new Refusal(429, 'Too many pages are open in this browser. Close one.')
      const left = new AbortController()
      response.once('close', () => left.abort())
      response.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
      })
      response.setTimeout(stallMsMax, () => response.destroy())
      const lastId = call.request.headers['last-event-id']
      const signal = AbortSignal.any([left.signal, watch.ended, this.#ending.signal])
      const messages = live.messages(typeof lastId === 'string' ? lastId : undefined, signal)
      // It is pulled: while the browser takes nothing, nothing is made for it. Cut off also where it takes nothing.
      await pipeline(Readable.from(messages, { highWaterMark: 1 }), response, { signal })
    } finally {
      watch.leave()
    }
  }

  /** What this session may follow at this path. Throws a Refusal of 403, 404 or 503. */
  #liveAt(path: string, session: Session): Live<unknown> {
    const [ward] = placesOf(/^\/api\/live\/wards\/([^/]+)$/, path)
    const isOwn = path === '/api/live/own-alarms'
    if (ward === undefined && !isOwn) throw new Refusal(404, 'There is nothing of that name.')
    if (isOwn) refuseDisplay(session)
    else refuseOtherWard(session, ward)
    const readers = [...this.#lives.values()].reduce((sum, live) => sum + live.readers, 0)
    if (readers >= readersMax) throw new Refusal(503, 'Too many pages are open. Close one.')
    const { person } = session
    return isOwn
      ? this.#liveOf(`person ${person}`, async () => byKey(await toldTo(this.#options, person), 'id'))
      : this.#liveOf(`ward ${ward}`, async () =>
          byKey(await board(this.#options.database, session.ward), 'bed'),
        )
  }

  #liveOf(name: string, read: () => Promise<ReadonlyMap<string, unknown>>): Live<unknown> {
    // Those that nobody watches make room.
    for (const [other, live] of this.#lives)
      if (this.#lives.size >= readersMax && live.readers === 0) this.#lives.delete(other)
    const live = this.#lives.get(name) ?? new Live({ read, everyMs: this.#options.liveMs ?? liveMsDefault })
    this.#lives.set(name, live)
    return live
  }
}

const byKey = <Row extends object, Key extends keyof Row>(rows: readonly Row[], key: Key) =>
  new Map(rows.map((row) => [String(row[key]), row]))

function isWritten(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

function placesOf(pattern: RegExp, path: string): readonly string[] {
  try {
    return (pattern.exec(path) ?? []).slice(1).map(decodeURIComponent)
  } catch {
    throw new Refusal(400, 'The address is not written as addresses are.')
  }
}

function refusalOf(error: unknown): Answer {
  if (error instanceof Refusal) return { status: error.status, body: { message: error.message } }
  if (error instanceof z.ZodError) return { status: 400, body: { message: z.prettifyError(error) } }
  const status = error instanceof EventspineError ? statuses[error.code] : undefined
  if (status !== undefined) return { status, body: { message: (error as EventspineError).message } }
  return { status: 503, body: { message: 'The ward cannot be reached at the moment. Try again.' } }
}

const statuses: Readonly<Record<string, number>> = { FORBIDDEN: 403, REQUEST_INVALID: 400 }

function send(response: ServerResponse, { status = 200, body, cookie }: Answer): void {
  response
    .writeHead(status, {
      ...headers,
      ...{ 'content-type': 'application/json', 'cache-control': 'no-store' },
      ...(cookie === undefined ? {} : { 'set-cookie': cookie }),
    })
    .end(JSON.stringify(body))
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: PageFile,
  status: 200 | 404 = 200,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal(405, 'Pages are read: GET.')
  const { etag, contentType, bytes } = file
  const isKnown = status === 200 && request.headers['if-none-match'] === etag
  response.writeHead(isKnown ? 304 : status, {
    ...headers,
    etag,
    'content-type': contentType,
    'cache-control': 'no-cache',
  })
  response.end(isKnown || request.method === 'HEAD' ? undefined : bytes)
}
