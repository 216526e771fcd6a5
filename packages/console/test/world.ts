// A shop with everything that the console shows: events that lead to others, failures, a workflow that asks.
import { randomBytes } from 'node:crypto'
import { createConsole } from '@eventspine/console'
import {
  type ApiKey,
  createApiKey,
  createServer,
  type HttpServer,
  type Role,
  roles,
} from '@eventspine/server'
import {
  type App,
  defineApp,
  defineEvent,
  defineSubscription,
  Eventspine,
  jsonLogger,
  PermanentError,
} from 'eventspine'
import { webhooksOut } from 'eventspine/webhooks'
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

interface RefundInput {
  readonly amount: number
  readonly text?: string
  /** So long it waits for a decision. */
  readonly waitsMs?: number
}

const refund = workflow({
  name: 'refund',
  run: async (ctx, input: RefundInput) => {
    await ctx.step('check', () => ({ checked: true }))
    const decision = await ctx.approval('pay', {
      to: 'finance',
      text: input.text ?? `Pay ${input.amount} € back?`,
      ...(input.waitsMs === undefined ? {} : { timeoutMs: input.waitsMs }),
    })
    return { approved: decision?.approved }
  },
})

// Broken until a test says otherwise.
let vanMended = false
export const mendVan = (value: boolean) => {
  vanMended = value
}

let unpacking: Promise<void> = Promise.resolve()
/** From now on what was packed is unpacked only when the answer is called. */
export function holdUnpacking(): () => void {
  let release = () => {}
  unpacking = new Promise((resolve) => {
    release = resolve
  })
  return release
}

interface ErrandInput {
  readonly needsVan?: boolean
  readonly refunds?: number
  /** Whatever ends it otherwise undoes what was packed. */
  readonly unpacks?: boolean
}

const errand = workflow({
  name: 'errand',
  run: async (ctx, input: ErrandInput) => {
    const options = input.unpacks === true ? { undo: () => unpacking } : {}
    const packed = await ctx.step('pack', () => ({ packed: true }), options)
    if (input.needsVan === true && !vanMended) throw new TypeError('the van is broken')
    if (input.refunds !== undefined) await ctx.child(refund, { amount: input.refunds })
    const address = await ctx.signal('go')
    return { ...packed, address }
  },
})

const partners = webhooksOut({
  name: 'partners',
  on: orderPlaced,
  endpoints: () => [],
  endpoint: () => null,
})

const app = defineApp({
  name: 'shop',
  events: [orderPlaced, orderBilled, orderShipped, nightly],
  subscriptions: [bill, ship],
  workflows: [refund, errand],
  webhooks: [partners],
  // Due once a year: a run of these tests that meets the hour of a nightly one would count an event more.
  schedules: [schedule({ name: 'night', cron: '0 0 1 1 *', event: nightly, data: () => ({}) })],
})

export const operatorName = 'ada'

export class World {
  /** Of an admin. */
  readonly key: string
  readonly #keys: Readonly<Record<Role, string>>
  readonly spine: Eventspine
  readonly #records: readonly ApiKey[]
  #server: HttpServer
  readonly #schema = `console_${randomBytes(6).toString('hex')}`
  readonly #databaseUrl = inject('postgresUrl')
  readonly #neighbours: Eventspine[] = []

  /** `actor`: what the admin is called. `databaseUrl`: by which way the world reaches its database. */
  constructor({ actor = operatorName, databaseUrl = inject('postgresUrl') } = {}) {
    const made = {
      admin: createApiKey({ scopes: roles.admin, name: actor }),
      operator: createApiKey({ scopes: roles.operator, name: 'olga' }),
      viewer: createApiKey({ scopes: roles.viewer, name: 'vic' }),
    }
    const { admin, operator, viewer } = made
    this.key = admin.key
    this.#keys = { admin: admin.key, operator: operator.key, viewer: viewer.key }
    this.#records = [admin.record, operator.record, viewer.record]
    const logger = jsonLogger('silent', Date.now, () => {})
    this.spine = new Eventspine(app, { databaseUrl, schema: this.#schema, logger })
    this.#server = this.#serverAt(0)
  }

  #serverAt(port: number): HttpServer {
    return createServer(this.spine, {
      ...{ port, apiKeys: this.#records, console: createConsole() },
      limits: { tailLiveEventsMax: 64 },
    })
  }

  keyOf(role: Role): string {
    return this.#keys[role]
  }

  /** Another server takes the place of this one, at the same address. */
  async restart(): Promise<void> {
    const port = this.#server.address?.port ?? 0
    await this.#server.stop()
    this.#server = this.#serverAt(port)
    await this.#server.start()
    await until(async () => (await fetch(`${this.url}/console/`)).ok)
  }

  /** As if twelve hours had passed for who holds this key. */
  async endSessions(role: Role): Promise<void> {
    const id = this.#keys[role].split('_')[1]
    await this.#query(`DELETE FROM eventspine.console_session WHERE key_id = '${id}'`)
  }

  /** Takes the store of large bodies away, or brings it back. */
  async bodiesAway(away: boolean): Promise<void> {
    const [from, to] = away ? ['claim', 'claim_away'] : ['claim_away', 'claim']
    await this.#query(`ALTER TABLE eventspine.${from} RENAME TO ${to}`)
  }

  async start(): Promise<this> {
    await this.spine.start()
    await this.#server.start()
    await until(async () => (await fetch(`${this.url}/console/`)).ok)
    return this
  }

  /** Another app on the same log, whose functions run. */
  async neighbour(app: App): Promise<Eventspine> {
    const logger = jsonLogger('silent', Date.now, () => {})
    const spine = new Eventspine(app, { databaseUrl: this.#databaseUrl, schema: this.#schema, logger })
    this.#neighbours.push(spine)
    await spine.start()
    return spine
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    for (const spine of [...this.#neighbours, this.spine]) await spine.stop()
    await this.#query('DROP SCHEMA IF EXISTS eventspine CASCADE')
  }

  async #query(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.#databaseUrl })
    await client.connect()
    await client.query(text.replaceAll('eventspine', `"${this.#schema}"`))
    await client.end()
  }

  get url(): string {
    return this.#server.address?.url ?? ''
  }

  async publish(events: readonly object[]): Promise<void> {
    for (let at = 0; at < events.length; at += 100) {
      await this.post('/v1/events', events.slice(at, at + 100))
    }
  }

  /** An order; one to XX dies at `ship`. */
  order(order: string, country = 'DE', more: object = {}) {
    return { type: 'orders.order-placed', data: { order, country, ...more } }
  }

  async refund(id: string, input: object): Promise<void> {
    await this.post('/v1/workflows/refund', { id, input })
    await until(
      async () =>
        ((await this.get(`/v1/workflows/refund/${encodeURIComponent(id)}`)).questions ?? []).length > 0,
    )
  }

  /** An errand, once it waits for its signal, or for a person. */
  async errand(id: string, input: object = {}): Promise<void> {
    await this.post('/v1/workflows/errand', { id, input })
    await until(async () => {
      const { history, attention } = await this.get(`/v1/workflows/errand/${id}`)
      return attention != null || (history ?? []).some(({ kind }) => kind === 'step-done')
    })
  }

  async dead(letters: number): Promise<void> {
    await until(async () => (await this.get('/v1/dead-letters?state=dead&limit=500')).items.length >= letters)
  }

  async get(path: string) {
    const reply = await fetch(this.url + path, { headers: { authorization: `Bearer ${this.key}` } })
    return (await reply.json()) as {
      readonly items: Record<string, unknown>[]
      readonly questions?: unknown[]
      readonly history?: readonly { readonly kind: string }[]
      readonly attention?: object | null
      readonly state?: string
      readonly deliveries?: readonly { readonly subscription: string; readonly state: string }[]
    }
  }

  /** As the admin. Throws what it was refused with. */
  async post(path: string, body: unknown): Promise<Record<string, unknown>> {
    const reply = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`)
    return (await reply.json()) as Record<string, unknown>
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
