// A shop with everything that the console shows: events that lead to others, failures, a workflow that asks.
import { randomBytes } from 'node:crypto'
import { createConsole } from '@eventspine/console'
import { createApiKey, createServer, type HttpServer } from '@eventspine/server'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  Eventspine,
  jsonLogger,
  PermanentError,
} from 'eventspine'
import { schedule, workflow } from 'eventspine/workflow'
import pg from 'pg'
import { inject } from 'vitest'
import { z } from 'zod'

const orderPlaced = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ order: z.string(), country: z.string().min(2), note: z.string().optional() }),
  key: (data) => data.order,
})
const orderBilled = defineEvent({ type: 'orders.order-billed', schema: z.object({ order: z.string() }) })
const orderShipped = defineEvent({ type: 'orders.order-shipped', schema: z.object({ order: z.string() }) })
const nightly = defineEvent({ type: 'shop.night-began', schema: z.object({}).loose() })

const bill = defineSubscription({
  name: 'bill',
  on: orderPlaced,
  breaker: { name: 'payments', failures: 1_000, cooldownMs: 1_000 },
  handle: (event, context) => context.publish(orderBilled, { order: event.data.order }),
})

const ship = defineSubscription({
  name: 'ship',
  on: orderPlaced,
  external: false,
  handle: (event, context) => {
    const { country, order, note } = event.data
    if (country === 'XX') throw new PermanentError(note ?? `No carrier goes to ${country}`)
    return context.publish(orderShipped, { order })
  },
})

const refund = workflow({
  name: 'refund',
  run: async (ctx, input: { readonly amount: number; readonly text?: string }) => {
    await ctx.step('check', () => ({ checked: true }))
    const decision = await ctx.approval('pay', {
      to: 'finance',
      text: input.text ?? `Pay ${input.amount} € back?`,
    })
    return { approved: decision?.approved }
  },
})

const app = defineApp({
  name: 'shop',
  events: [orderPlaced, orderBilled, orderShipped, nightly],
  subscriptions: [bill, ship],
  workflows: [refund],
  schedules: [schedule({ name: 'night', cron: '0 3 * * *', event: nightly, data: () => ({}) })],
})

export const operatorName = 'ada'

export class World {
  readonly key: string
  readonly spine: Eventspine
  readonly #server: HttpServer
  readonly #schema = `console_${randomBytes(6).toString('hex')}`
  readonly #databaseUrl = inject('postgresUrl')

  constructor(actor = operatorName) {
    const { key, record } = createApiKey({ scopes: ['publish', 'read', 'operate', 'admin'], name: actor })
    this.key = key
    const logger = jsonLogger('silent', Date.now, () => {})
    this.spine = new Eventspine(app, { databaseUrl: this.#databaseUrl, schema: this.#schema, logger })
    this.#server = createServer(this.spine, {
      ...{ port: 0, apiKeys: [record], console: createConsole() },
      limits: { tailLiveEventsMax: 64 },
    })
  }

  async start(): Promise<this> {
    await this.spine.start()
    await this.#server.start()
    await until(async () => (await fetch(`${this.url}/console/`)).ok)
    return this
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    await this.spine.stop()
    const client = new pg.Client({ connectionString: this.#databaseUrl })
    await client.connect()
    await client.query(`DROP SCHEMA IF EXISTS "${this.#schema}" CASCADE`)
    await client.end()
  }

  get url(): string {
    return this.#server.address?.url ?? ''
  }

  async publish(events: readonly object[]): Promise<void> {
    for (let at = 0; at < events.length; at += 100) {
      await this.#post('/v1/events', events.slice(at, at + 100))
    }
  }

  /** An order; one to XX dies at `ship`. */
  order(order: string, country = 'DE', more: object = {}) {
    return { type: 'orders.order-placed', data: { order, country, ...more } }
  }

  async refund(id: string, input: object): Promise<void> {
    await this.#post('/v1/workflows/refund', { id, input })
    await until(
      async () =>
        ((await this.get(`/v1/workflows/refund/${encodeURIComponent(id)}`)).questions ?? []).length > 0,
    )
  }

  async dead(letters: number): Promise<void> {
    await until(async () => (await this.get('/v1/dead-letters?state=dead&limit=500')).items.length >= letters)
  }

  async get(path: string) {
    const reply = await fetch(this.url + path, { headers: { authorization: `Bearer ${this.key}` } })
    return (await reply.json()) as {
      readonly items: Record<string, unknown>[]
      readonly questions?: unknown[]
    }
  }

  async #post(path: string, body: unknown): Promise<void> {
    const reply = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`)
  }
}

const untilMsMax = 20_000
const lookMs = 20

/** Asks until it holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + untilMsMax
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`Waited in vain for ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}
