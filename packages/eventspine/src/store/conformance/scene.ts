// What the suite needs to tell its stories on any store: events, cursors, and time that either is real or moves.

import type { SqlExecutor } from '../../append/port.js'
import { consumerId, type Failure, type Lease, type WorkerRow } from '../../deliver/port.js'
import {
  endOfTick,
  type NewEvent,
  type OrderingKey,
  orderingKeyOf,
  type Position,
  type StoredEvent,
} from '../../event/stored.js'
import { systemClock } from '../../kernel/index.js'
import type { Settlement } from '../../settle/port.js'
import type { Store, SubscriptionRecord } from '../store.js'

/** A transaction of the caller's own, as `publish(tx, …)` is given one. */
export interface OpenTransaction {
  readonly executor: SqlExecutor
  commit(): void | Promise<void>
  rollback(): void | Promise<void>
}

/** One store, new and empty, and opened. */
export interface ConformanceStore {
  readonly store: Store
  transaction(): Promise<OpenTransaction>
  /** Moves the store's time. Left out where time is real. */
  advance?(ms: number): Promise<void>
  close(): Promise<void>
}

export type OpenScene = () => Promise<Scene>

/** Longer than any test. */
export const longMs = 600_000
/** Runs out while a test polls. */
export const shortMs = 100

const triesMax = 1_000
const tryEveryMs = 5
const ticksMax = 10_000
const eventsMax = 10_000

export class Scene {
  readonly #made: ConformanceStore
  readonly store: Store
  #named = 0

  constructor(made: ConformanceStore) {
    this.#made = made
    this.store = made.store
  }

  transaction(): Promise<OpenTransaction> {
    return this.#made.transaction()
  }

  /** A complete event; without an id of its own it gets one that nothing checks, as `publish` gives. */
  event(parts: Partial<NewEvent> = {}): NewEvent {
    const number = ++this.#named
    return {
      id: `event-${number}`,
      type: 'orders.placed',
      version: 1,
      tenant: 'default',
      source: '/conformance',
      subject: null,
      key: null,
      timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      data: `{"number":${number}}`,
      claim: null,
      traceparent: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
      correlationId: `correlation-${number}`,
      causationId: null,
      extensions: null,
      fingerprint: null,
      ...parts,
    }
  }

  events(count: number, parts: Partial<NewEvent> = {}): NewEvent[] {
    return Array.from({ length: count }, () => this.event(parts))
  }

  /** Appends events one after another in one call, and answers them as the log holds them, in its order. */
  async published(count: number, parts: Partial<NewEvent> = {}): Promise<StoredEvent[]> {
    const events = this.events(count, parts)
    await this.store.append(events)
    const ids = new Set(events.map(({ id }) => id))
    return (await this.log()).filter(({ id }) => ids.has(id))
  }

  /** Everything in the log behind `cursor`, read tick by tick. Makes the tick that is due. */
  async log(cursor: Position = { tick: 0, seq: endOfTick }): Promise<StoredEvent[]> {
    await this.lastTick()
    const first = cursor.seq === endOfTick ? cursor.tick + 1 : cursor.tick
    const events: StoredEvent[] = []
    for (const tick of await this.store.ticksAfter(first - 1, ticksMax)) {
      const seqAfter = tick.number === cursor.tick ? cursor.seq : 0
      events.push(...(await this.store.read([tick], seqAfter, eventsMax)))
    }
    return events
  }

  /** Makes the tick that is due and answers the newest one. */
  async lastTick() {
    for (let again = true; again; ) {
      const last = await this.store.lastTick()
      again = (await this.store.tick(last.number, ticksMax)).again
    }
    return await this.store.lastTick()
  }

  async subscribe(parts: Partial<SubscriptionRecord> = {}): Promise<void> {
    const record = {
      name: 'ship',
      app: 'shop',
      on: ['orders.*'],
      priority: 'normal',
      shards: 1,
      start: 'beginning',
      selection: '',
      build: 0,
      policies: {},
    }
    await this.store.register([{ ...record, ...parts } as SubscriptionRecord])
  }

  /** Asks for consumers of `subscription` once. */
  async acquire(
    worker: string,
    subscription = 'ship',
    leaseMs = longMs,
    deadWorkers: string[] = [],
  ): Promise<readonly Lease[]> {
    return await this.store.acquire({
      worker,
      leaseMs: { [subscription]: leaseMs },
      consumersMax: 100,
      deadWorkers,
    })
  }

  /** Waits until it is granted exactly one consumer. */
  async leased(worker = 'worker-a', subscription = 'ship', leaseMs = longMs): Promise<Lease> {
    return await this.eventually(
      'a lease',
      async () => (await this.acquire(worker, subscription, leaseMs))[0],
    )
  }

  /** A settlement under `lease` that changes nothing but what `parts` say. */
  settlement(lease: Lease, parts: Partial<Settlement> = {}): Settlement {
    const { subscription, replay, shard, token, revision, tick, seq } = lease
    return {
      ...{ subscription, replay, shard, token, revision, tick, seq, tickSnapshot: null, finished: false },
      counts: { matched: 0, completed: 0, skipped: 0 },
      ...{ runs: [], opened: [], closed: [], rescheduled: [], dead: [], published: [] },
      ...parts,
    }
  }

  /** A settlement whose cursor passes everything up to `event`, whose counts say that all of it completed. */
  async passing(lease: Lease, event: StoredEvent, parts: Partial<Settlement> = {}): Promise<Settlement> {
    const [tick] = await this.store.ticksAfter(event.tick - 1, 1)
    const place = { tick: event.tick, seq: event.seq, tickSnapshot: tick?.snapshot ?? null }
    return this.settlement(lease, { ...place, ...parts })
  }

  /** Settles, and answers the lease as its holder knows it afterwards. Throws when it is refused. */
  async settle(lease: Lease, settlement: Settlement, worker = 'worker-a'): Promise<Lease> {
    const { settled } = await this.store.settle(worker, [settlement])
    if (!settled.has(consumerId(lease))) throw new Error(`${consumerId(lease)} was refused`)
    return { ...lease, revision: lease.revision + 1, tick: settlement.tick, seq: settlement.seq }
  }

  failure(parts: Partial<Failure> = {}): Failure {
    const failure = {
      category: 'permanent',
      name: 'Error',
      message: 'no such customer',
      stack: null,
      code: null,
    }
    return { ...failure, fingerprint: 'no-such-customer', ...parts } as Failure
  }

  /** Publishes `count` events that die at their first attempt, and answers them with the lease afterwards. */
  async died(
    lease: Lease,
    count: number,
    parts: Partial<Failure> = {},
    event: Partial<NewEvent> = {},
    halts = false,
  ) {
    const events = await this.published(count, event)
    const dead = events.map((each) => ({
      event: each,
      attempt: 1,
      round: 0,
      failure: this.failure(parts),
      halts,
    }))
    const last = events.at(-1) as StoredEvent
    const counts = { matched: count, completed: 0, skipped: 0 }
    const after = await this.settle(lease, await this.passing(lease, last, { dead, counts }))
    return { events, lease: after, ids: events.map((each) => letterId(lease.subscription, each)) }
  }

  worker(id: string, parts: Partial<WorkerRow> = {}): WorkerRow {
    const times = { startedAtMs: 0, heartbeatAtMs: 0 }
    return {
      id,
      identity: `machine/${id}`,
      host: 'host',
      processId: 1,
      version: '0.1.0',
      consumers: 0,
      running: {},
      ...times,
      ...parts,
    }
  }

  async view(subscription = 'ship') {
    const views = await this.store.subscriptions()
    const view = views.find(({ name }) => name === subscription)
    if (view === undefined) throw new Error(`${subscription} is not shown`)
    return view
  }

  /** Polls until `attempt` answers something, while time passes; fails after a bound. */
  async eventually<Answer>(
    what: string,
    attempt: () => Promise<Answer | undefined | null | false>,
  ): Promise<Answer> {
    for (let tried = 0; tried < triesMax; tried++) {
      const answer = await attempt()
      if (answer !== undefined && answer !== null && answer !== false) return answer
      await (this.#made.advance?.(tryEveryMs) ?? systemClock.sleep(tryEveryMs))
    }
    throw new Error(`There was never ${what}`)
  }
}

/** The id of a live delivery. */
export const letterId = (subscription: string, event: { readonly epoch: number; readonly seq: number }) =>
  `${subscription}/${event.epoch}.${event.seq}`

export const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id)

/** As the tenant `default` has them. */
export const keysOf = (...keys: readonly string[]): OrderingKey[] =>
  keys.map((key) => orderingKeyOf({ tenant: 'default', key }))

export const placeOf = ({ epoch, seq }: StoredEvent) => ({ epoch, seq })
