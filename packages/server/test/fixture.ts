// A real Eventspine on a schema of its own, behind a real listening server.
import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import {
  type App,
  defineApp,
  defineEvent,
  defineSubscription,
  Eventspine,
  type EventspineOptions,
  jsonLogger,
  PermanentError,
} from 'eventspine'
import pg from 'pg'
import { inject } from 'vitest'
import { z } from 'zod'
import { createServer, type HttpServer, type ServerOptions } from '../src/index.js'

const orderV1 = defineEvent({
  type: 'orders.order-placed',
  version: 1,
  schema: z.object({ order: z.string(), amount: z.number() }),
})

const orderPlaced = defineEvent({
  type: 'orders.order-placed',
  version: 2,
  description: 'A customer ordered <something>',
  schema: z.object({ order: z.string().min(1), quantity: z.int().min(1), note: z.string().optional() }),
  key: (data) => data.order,
  subject: (data) => `orders/${data.order}`,
  upcast: { 1: (old: { order: string; amount: number }) => ({ order: old.order, quantity: old.amount }) },
})

const orderConfirmed = defineEvent({
  type: 'orders.order-confirmed',
  schema: z.object({ order: z.string() }),
})
const anything = defineEvent({ type: 'tests.anything', schema: z.unknown() })
const failing = defineEvent({ type: 'tests.failing', schema: z.object({ reason: z.string() }) })

const confirm = defineSubscription({
  name: 'confirm',
  on: orderPlaced,
  breaker: { name: 'payments', failures: 1_000, cooldownMs: 1_000 },
  handle: (event, context) => context.publish(orderConfirmed, { order: event.data.order }),
})

const remember = defineSubscription({
  name: 'remember',
  on: ['orders.*', 'tests.anything'],
  handle: () => {},
  external: false,
})

// Fails until a test says otherwise.
let mended = false
export const mend = (value: boolean) => {
  mended = value
}

const fail = defineSubscription({
  name: 'fail',
  on: failing,
  handle: (event) => {
    if (!mended) throw new PermanentError(`No luck: ${event.data.reason}`)
  },
})

export const app = defineApp({
  name: 'server-tests',
  events: [orderV1, orderPlaced, orderConfirmed, anything, failing],
  subscriptions: [confirm, remember, fail],
})

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON. */
  readonly json: Record<string, never> & { [name: string]: unknown }
}

export interface Sent {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** Sends `body` as JSON text with its content type. */
  readonly json?: unknown
}

/** One HTTP exchange on a connection of its own. */
export function exchange(base: string, path: string, sent: Sent = {}): Promise<Reply> {
  const body = sent.json === undefined ? sent.body : JSON.stringify(sent.json)
  const headers: OutgoingHttpHeaders = {
    ...(sent.json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(body === undefined || sent.headers?.['transfer-encoding'] !== undefined
      ? {}
      : { 'content-length': Buffer.byteLength(body) }),
    ...sent.headers,
  }
  const { hostname, port } = new URL(base)
  const method = sent.method ?? (body === undefined ? 'GET' : 'POST')
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

function parsed(text: string): Reply['json'] {
  try {
    return JSON.parse(text) as Reply['json']
  } catch {
    return {}
  }
}

export class Fixture {
  readonly spine: Eventspine
  readonly server: HttpServer
  readonly logs: Record<string, unknown>[] = []
  readonly #database: pg.Pool
  readonly #schema: string

  constructor(options: ServerOptions = {}, spineOptions: Partial<EventspineOptions> = {}, tested: App = app) {
    const url = inject('postgresUrl')
    this.#schema = `server_${randomBytes(6).toString('hex')}`
    this.#database = new pg.Pool({ connectionString: url, max: 2 })
    const logger = jsonLogger('debug', Date.now, (line) =>
      this.logs.push(JSON.parse(line) as Record<string, unknown>),
    )
    this.spine = new Eventspine(tested, {
      databaseUrl: url,
      schema: this.#schema,
      logger: jsonLogger('silent', Date.now, () => {}),
      ...spineOptions,
    })
    this.server = createServer(this.spine, { port: 0, development: true, logger, ...options })
  }

  async start(): Promise<this> {
    await this.spine.start()
    await this.server.start()
    return this
  }

  /** Removes its schema too, and others that a test has made. */
  async stop(schemas: readonly string[] = []): Promise<void> {
    await this.server.stop()
    await this.spine.stop()
    for (const schema of [this.#schema, ...schemas]) {
      await this.#database.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)
    }
    await this.#database.end()
  }

  get url(): string {
    return this.server.address?.url ?? 'http://not-started'
  }

  send(path: string, sent?: Sent): Promise<Reply> {
    return exchange(this.url, path, sent)
  }

  /** With the development key. */
  operate(path: string, json?: unknown): Promise<Reply> {
    const headers = { authorization: `Bearer ${this.server.developmentKey}` }
    return this.send(path, json === undefined ? { headers, method: 'POST' } : { headers, json })
  }

  async eventsStored(): Promise<number> {
    const { rows } = await this.#database.query<{ count: string }>(
      `SELECT count(*) FROM "${this.#schema}".event`,
    )
    return Number(rows[0]?.count)
  }

  query(text: string): Promise<Record<string, unknown>[]> {
    return this.#database.query(text.replaceAll('eventspine.', `"${this.#schema}".`)).then(({ rows }) => rows)
  }

  /** Asks until the answer satisfies; fails after ten seconds. */
  async until<Value>(ask: () => Promise<Value>, satisfies: (value: Value) => boolean): Promise<Value> {
    const giveUpAt = Date.now() + 10_000
    for (;;) {
      const value = await ask()
      if (satisfies(value)) return value
      if (Date.now() > giveUpAt) throw new Error(`Waited in vain; last seen: ${JSON.stringify(value)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** An order that fits its definition. */
export const order = (name: string, quantity = 1) => ({
  type: 'orders.order-placed',
  data: { order: name, quantity },
})
