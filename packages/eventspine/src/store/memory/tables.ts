// All that the memory store holds, and the few moves that several stages share. Every move is synchronous, so a
// port call that awaits nothing is one transaction; the clock given stands for the database's.
import type { StoredKey, StoredSession } from '../../access/port.js'
import type { RegisteredContract } from '../../contract/port.js'
import { type ConsumerName, consumerId, type Tick, type WorkerRow } from '../../deliver/port.js'
import { endOfTick, type StoredEvent } from '../../event/stored.js'
import type { AuditRow } from '../../inspect/port.js'
import type { Clock, Random } from '../../kernel/index.js'
import { assert, EventspineError } from '../../kernel/index.js'
import type { PersonalKey } from '../../personal/port.js'
import type { ImportStanding, SourceLease } from '../../source/port.js'
import type { EndpointStanding } from '../../webhook/port.js'
import type {
  BreakerRow,
  ConsumerRow,
  IdempotencyRow,
  LetterRow,
  RedriveRow,
  ReplayRow,
  RunRow,
  ScheduleRow,
  SubscriptionRow,
  WorkflowRow,
} from './rows.js'
import { type Snapshot, sees, snapshotOf, snapshotText } from './snapshot.js'
import { type MemoryQuery, MemoryTransaction } from './transaction.js'

export interface MemoryOptions {
  /** Stands for the database's clock: the only judge of leases and due times. */
  readonly clock: Clock
  /** Decides what Postgres leaves open, such as which free consumers are granted first. */
  readonly random: Random
  readonly idempotencyWindowMs: number
  /** Answers SQL of transactional handlers under test. Without it, such a query is refused. */
  readonly query?: MemoryQuery
}

/** There is one cluster in one process, for ever. */
const epoch = 1
// Postgres gives out its first ordinary transaction id as 3.
const xidFirst = 3

export class MemoryTables {
  readonly clock: Clock
  readonly random: Random
  readonly idempotencyWindowMs: number
  /** By transaction, each in `seq` order. An event's `tick` is 0 until it is read through one. */
  readonly events = new Map<number, StoredEvent[]>()
  /** The subscription whose handler published it, by `seq`. */
  readonly publishers = new Map<number, string>()
  readonly idempotency = new Map<string, IdempotencyRow>()
  /** Consecutive numbers, oldest first, never empty; retention takes from the front. */
  readonly ticks: Tick[] = []
  readonly subscriptions = new Map<string, SubscriptionRow>()
  readonly consumers = new Map<string, ConsumerRow>()
  readonly letters = new Map<string, LetterRow>()
  readonly redrives = new Map<string, RedriveRow>()
  readonly replays = new Map<string, ReplayRow>()
  /** By `placeOf` the event. */
  readonly runs = new Map<string, RunRow[]>()
  readonly breakers = new Map<string, BreakerRow>()
  readonly workers = new Map<string, WorkerRow>()
  /** By worker: its own definitions. */
  readonly selections = new Map<string, ReadonlySet<string>>()
  /** By `instanceKey`, oldest first. */
  readonly workflows = new Map<string, WorkflowRow>()
  /** By name and plan. */
  readonly schedules = new Map<string, ScheduleRow>()
  /** By type and version. */
  readonly contracts = new Map<string, RegisteredContract>()
  readonly imports = new Map<string, ImportStanding>()
  /** By source and slot. */
  readonly sourceLeases = new Map<string, SourceLease & { leaseUntilMs: number }>()
  /** By source: the version of each item. */
  readonly sourceItems = new Map<string, Map<string, string>>()
  readonly apiKeys = new Map<string, StoredKey>()
  /** By the hash of the token, in the order in which they were opened. */
  readonly consoleSessions = new Map<string, StoredSession>()
  readonly personalKeys = new Map<string, PersonalKey>()
  /** Of webhooks, those that fail or are disabled. */
  readonly endpoints = new Map<string, EndpointStanding>()
  readonly audits: AuditRow[] = []
  readonly listeners = new Set<(by: string) => void>()
  readonly #query: MemoryQuery | undefined
  readonly #openXids = new Set<number>()
  #xidNext = xidFirst
  #xidEndedMax = xidFirst - 1
  #seq = 0
  #deathNumber = 0
  #workflowNumber = 0

  constructor(options: MemoryOptions) {
    this.clock = options.clock
    this.random = options.random
    this.idempotencyWindowMs = options.idempotencyWindowMs
    this.#query = options.query
    // The tick that "beginning" stands behind: it holds nothing.
    const snapshot = snapshotText(this.snapshot())
    this.ticks.push({ number: 0, epoch, after: snapshot, snapshot, seqEstimate: 0, madeAtMs: this.now() })
  }

  /** The highest number that an event was given. */
  get seqLast(): number {
    return this.#seq
  }

  now(): number {
    return this.clock.now()
  }

  begin(): MemoryTransaction {
    return new MemoryTransaction(this, this.#query)
  }

  beginXid(): number {
    const xid = this.#xidNext++
    this.#openXids.add(xid)
    return xid
  }

  endXid(xid: number): void {
    this.#openXids.delete(xid)
    this.#xidEndedMax = Math.max(this.#xidEndedMax, xid)
  }

  /** Undoes what a transaction wrote. Its `seq` numbers stay used, as a sequence's do. */
  forget(xid: number | undefined, keys: readonly string[]): void {
    if (xid !== undefined) this.events.delete(xid)
    for (const key of keys) this.idempotency.delete(key)
  }

  write(
    transaction: MemoryTransaction,
    event: Omit<StoredEvent, 'epoch' | 'xid' | 'seq' | 'tick' | 'recordedAtMs'>,
    publisher: string | null = null,
  ): void {
    const { xid } = transaction
    const stored = Object.freeze({
      ...event,
      epoch,
      xid,
      seq: ++this.#seq,
      tick: 0,
      recordedAtMs: this.now(),
    })
    if (publisher !== null) this.publishers.set(stored.seq, publisher)
    const written = this.events.get(xid)
    if (written === undefined) this.events.set(xid, [stored])
    else written.push(stored)
  }

  snapshot(): Snapshot {
    const xmax = this.#xidEndedMax + 1
    const open = [...this.#openXids].filter((xid) => xid < xmax).sort((a, b) => a - b)
    return { xmin: open[0] ?? xmax, xmax, open }
  }

  /** What `snapshot` sees and `after` does not, in `seq` order. */
  eventsBetween(after: Snapshot, snapshot: Snapshot): StoredEvent[] {
    const batch: StoredEvent[] = []
    const add = (xid: number) => {
      const written = this.events.get(xid)
      if (written !== undefined && sees(snapshot, xid)) batch.push(...written)
    }
    for (const xid of after.open) add(xid)
    for (let xid = after.xmax; xid < snapshot.xmax; xid++) add(xid)
    return batch.sort((a, b) => a.seq - b.seq)
  }

  lastTick(): Tick {
    const last = this.ticks.at(-1)
    assert(last !== undefined, 'The log has no tick')
    return last
  }

  /** Adds a tick when something new is visible. Answers the last one. */
  makeTick(): Tick {
    const { number, snapshot: after } = this.lastTick()
    const snapshot = this.snapshot()
    if (this.eventsBetween(snapshotOf(after), snapshot).length === 0) return this.lastTick()
    this.ticks.push({
      number: number + 1,
      epoch,
      after,
      snapshot: snapshotText(snapshot),
      seqEstimate: this.#seq,
      madeAtMs: this.now(),
    })
    return this.lastTick()
  }

  tick(number: number): Tick | undefined {
    return this.ticks[number - (this.ticks[0]?.number ?? 0)]
  }

  /** The tick that holds an event of this transaction; 0 when none does yet. */
  tickOf(xid: number): number {
    let low = 0
    let high = this.ticks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const tick = this.ticks[middle]
      if (tick !== undefined && !sees(snapshotOf(tick.snapshot), xid)) low = middle + 1
      else high = middle
    }
    return this.ticks[low]?.number ?? 0
  }

  /** The tick behind which everything recorded at or after `timeMs` lies. */
  tickBefore(timeMs: number): number {
    const first = this.ticks.find((tick) => tick.madeAtMs >= timeMs)
    return first === undefined ? this.lastTick().number : Math.max(first.number - 1, this.beginning())
  }

  /** The tick behind which everything that is kept lies. */
  beginning(): number {
    const first = this.ticks[0]?.number ?? 0
    return Math.max(0, first - 1)
  }

  /** Every committed event, in `seq` order. */
  visibleEvents(): StoredEvent[] {
    const snapshot = this.snapshot()
    return [...this.events.entries()]
      .filter(([xid]) => sees(snapshot, xid))
      .flatMap(([, written]) => written)
      .sort((a, b) => a.seq - b.seq)
  }

  consumer(name: ConsumerName): ConsumerRow | undefined {
    return this.consumers.get(consumerId(name))
  }

  /** The consumers of a subscription: its live ones, or those of one replay. */
  consumersOf(subscription: string, replay: string): ConsumerRow[] {
    return [...this.consumers.values()].filter(
      (consumer) => consumer.subscription === subscription && consumer.replay === replay,
    )
  }

  addConsumers(subscription: { readonly name: string; readonly shards: number }, place: ConsumerStart): void {
    for (let shard = 0; shard < subscription.shards; shard++) {
      const consumer = newConsumer(subscription.name, shard, place)
      this.consumers.set(consumerId(consumer), consumer)
    }
  }

  subscription(name: string): SubscriptionRow {
    const found = this.subscriptions.get(name)
    if (found === undefined) {
      throw new EventspineError(
        'NOT_FOUND',
        `There is no subscription "${name}". \`eventspine subscriptions\` lists them.`,
      )
    }
    return found
  }

  nextDeathNumber(): number {
    return ++this.#deathNumber
  }

  nextWorkflowNumber(): number {
    return ++this.#workflowNumber
  }

  audit(actor: string, action: string, target: string, details: Readonly<Record<string, unknown>>): void {
    const id = (this.audits.at(-1)?.id ?? 0) + 1
    this.audits.push(Object.freeze({ id, atMs: this.now(), actor, action, target, details }))
  }
}

/** Where a new consumer begins: behind `tick`. */
export type ConsumerStart = Pick<ConsumerRow, 'replay' | 'tick' | 'fromTimeMs' | 'untilTick'>

function newConsumer(subscription: string, shard: number, place: ConsumerStart): ConsumerRow {
  return {
    ...place,
    subscription,
    shard,
    // Everything of its tick counts as settled: it begins with the next one.
    seq: endOfTick,
    finished: false,
    owner: null,
    token: 0,
    revision: 0,
    leaseUntilMs: Number.NEGATIVE_INFINITY,
    supersededTick: null,
    deaths: 0,
    matched: 0,
    completed: 0,
    skipped: 0,
    deliveries: new Map(),
  }
}
