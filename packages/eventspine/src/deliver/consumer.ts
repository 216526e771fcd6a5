// One subscription's way through one shard of the log, under one lease: reads ahead, runs what may run, and offers
// what ended to settling. It never waits for a neighbour, and nothing of it is recorded once its lease is lost.

import type { Outcome } from '../handle/outcome.js'
import { assert, Soonest } from '../kernel/index.js'
import type { Settlement, SettleTransaction } from '../settle/port.js'
import { Gate } from './gate.js'
import { freshItem, type Item, rowItem } from './item.js'
import { KeyOrder } from './key-order.js'
import type { Lease, OpenDelivery, Tick } from './port.js'
import { Queue } from './queue.js'
import { Reader, type Wants } from './reader.js'
import type { ConsumerServices } from './services.js'
import {
  becameRow,
  endedOf,
  type Harvest,
  holdsDone,
  publishes,
  settlementOf,
  takenBack,
} from './settlement.js'
import type { ResolvedSubscription } from './subscription.js'
import { runChunk } from './transaction-chunk.js'
import { Window } from './window.js'

/** Deaths of earlier holders at this place of the log after which its events are taken apart. */
const isolateAfterDeaths = 2
const settleItemsMax = 5_000
const transactionItemsMax = 100
/** A delivery that holds back the record of ended ones behind it becomes a row after so long. */
const parkAfterMs = { alarm: 20, normal: 250 } as const

export class Consumer {
  readonly #services: ConsumerServices
  readonly #keys: KeyOrder
  readonly #window: Window
  readonly #reader: Reader
  readonly #queue: Queue
  readonly gate: Gate
  readonly #running = new Set<Item>()
  readonly #pumpLater: Soonest
  readonly #parkLater: Soonest
  #endedRows: Item[] = []
  #returned: Item[] = []
  #unpromoted: string[] = []
  #harvest: Harvest | undefined
  #revision: number
  #isolate: boolean
  #transacting = false
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new'
  #replay: 'running' | 'ending' | 'ended' = 'running'

  constructor(
    readonly lease: Lease,
    readonly subscription: ResolvedSubscription,
    wants: Wants,
    services: ConsumerServices,
  ) {
    this.#services = services
    this.#revision = lease.revision
    this.#window = new Window({ tick: lease.tick, seq: lease.seq })
    this.#reader = new Reader(services.feed, lease, wants)
    this.#keys = new KeyOrder(subscription.ordered !== 'no', perKeyMaxOf(subscription))
    this.#isolate = lease.deaths >= isolateAfterDeaths
    this.gate = new Gate(subscription, lease, services)
    this.#pumpLater = new Soonest(services.clock, () => this.pump())
    this.#parkLater = new Soonest(services.clock, () => services.flush(this))
    this.#queue = new Queue(this.gate, this.#keys, {
      mayStart: () => this.#mayStart,
      later: (ms) => this.#pumpLater.after(ms),
      aside: (item) => void (item.tick === null && this.#endedRows.push(item)),
      probed: (item) => void (subscription.transact === undefined ? this.#run(item) : this.#transact([item])),
    })
  }

  /** Handlers running now. */
  get inFlight(): number {
    return this.#running.size
  }

  /** Read to the end of what the process knows of the log, and everything recorded. */
  get caughtUp(): boolean {
    const busy = this.#running.size + this.#window.size + this.#queue.rows
    return busy === 0 && this.#harvest === undefined && !this.#dirty && this.#reader.atEnd
  }

  get #dirty(): boolean {
    return this.#window.movable || this.#endedRows.length > 0 || this.#returned.length > 0
  }

  get #mayStart(): boolean {
    return this.#state === 'running' && this.#services.mayStart(this)
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return
    if (this.subscription.ordered !== 'no') {
      const { open, halted } = await this.#services.retry.blockedKeys(this.lease)
      this.#keys.restore(open.keys(), halted)
      await this.#promote(this.#keys.blockedKeys())
    }
    this.#state = 'running'
    this.pump()
  }

  /** Does whatever can be done now. Cheap to call too often. */
  pump(): void {
    if (this.#state === 'running') {
      if (this.subscription.transact === undefined) this.#dispatch()
      else this.#dispatchTransaction()
      if (this.#reader.idle && !this.#reader.atEnd && this.#hasRoom()) void this.#fetch()
      else if (this.#reader.pastEnd && this.#replay === 'running') void this.#endReplay()
    }
    if (this.#dirty) this.#services.flush(this)
    if (this.#window.held) this.#parkLater.after(parkAfterMs[this.subscription.priority])
  }

  #hasRoom(): boolean {
    return this.#window.size + this.#keys.waiting().length < this.gate.batch.events * 2
  }

  async #fetch(): Promise<void> {
    try {
      const read = await this.#reader.read(this.gate.batch.events)
      if (read === undefined || this.#state !== 'running') return
      const tickOf = (number: number) => read.chunk.ticks.get(number) as Tick
      for (const event of read.wanted) this.#take(freshItem(event, tickOf(event.tick)))
      this.#window.pass(read.chunk.upto, tickOf(read.chunk.upto.tick))
      if (read.wanted.length > 0) this.#isolate = false
    } catch {
      // The store is away: the worker's poll tries again. No attempt is spent.
      return
    }
    this.pump()
  }

  #take(item: Item): void {
    if (item.tick !== null) this.#window.add(item, item.tick)
    if (this.#isolate) this.#queue.stepAside(item, 0, 1)
    else this.#queue.add(item)
  }

  /** Takes over rows that are due. */
  accept(rows: readonly OpenDelivery[]): void {
    for (const row of rows) {
      if (row.attempt > 1) this.gate.retried()
      this.#queue.add(rowItem(row))
    }
    this.pump()
  }

  /** How many due rows it could run now. */
  get roomForRows(): number {
    return this.#mayStart && !this.#transacting ? this.gate.roomForRows(this.#queue.rows) : 0
  }

  // ── running ──

  #dispatch(): void {
    for (let item = this.#queue.next(); item !== undefined; item = this.#queue.next()) void this.#run(item)
  }

  async #attempt(item: Item, transaction?: SettleTransaction): Promise<Outcome> {
    const { clock, outcomes } = this.#services
    item.startedAtMs = clock.now()
    item.startedAt = clock.monotonic()
    if (item.deaths >= outcomes.deathsMax) return outcomes.quarantined(item.deaths)
    const outcome = await this.#services.handle({
      subscription: this.subscription,
      lease: this.lease,
      item,
      transaction,
    })
    item.durationMs = clock.monotonic() - item.startedAt
    return outcome
  }

  async #run(item: Item): Promise<void> {
    this.#running.add(item)
    this.gate.started(item)
    const outcome = await this.#attempt(item)
    this.#running.delete(item)
    this.gate.ended(item, outcome)
    if (this.#state !== 'stopped') {
      this.#end(item, outcome)
      this.#release(item, outcome)
      this.pump()
    }
    this.#services.freed()
  }

  #end(item: Item, outcome: Outcome): void {
    const isRow = item.tick === null || item.parked
    if (outcome.kind === 'abandoned') {
      if (isRow) this.#returned.push(item)
      return
    }
    item.ending = outcome
    if (isRow) this.#endedRows.push(item)
  }

  #release(item: Item, outcome: Outcome): void {
    if (outcome.kind !== 'abandoned') this.#queue.release(item, outcome, this.subscription.ordered === 'halt')
  }

  // ── transactional handlers: one chunk at a time, which settles itself ──

  #dispatchTransaction(): void {
    if (this.#transacting || this.#harvest !== undefined) return
    const items = this.#queue.chunk(transactionItemsMax)
    if (items.length > 0) void this.#transact(items)
  }

  async #transact(items: readonly Item[]): Promise<void> {
    this.#transacting = true
    const first = items[0] as Item
    for (const item of items) this.#running.add(item)
    this.gate.started(first)
    // A flush that is on its way would leave no place for the chunk's own settlement.
    while (this.#harvest !== undefined) await this.#services.clock.sleep(flushPollMs)
    const held = await runChunk(items, this.subscription, {
      port: this.#services.settle,
      worker: this.#services.worker,
      random: this.#services.random,
      outcomes: this.#services.outcomes,
      handle: (item, transaction) => this.#attempt(item, transaction),
      settlement: (outcomes) => this.#settlementOf(outcomes),
      settled: () => this.#transacted(items),
      refused: (ids) => this.#takeBack(ids),
      wait: (item) => this.#wait(item),
    }).catch(() => false)
    this.#transacting = false
    this.gate.ended(first, { kind: 'abandoned' })
    for (const item of items) if (this.#running.delete(item) && item.tick === null) this.#returned.push(item)
    if (held) this.pump()
    else this.#services.lost(this)
    this.#services.freed()
  }

  // Part of a chunk is recorded: its keys are free before anything of them is asked again.
  async #transacted(items: readonly Item[]): Promise<void> {
    for (const item of items) {
      if (item.ending === undefined || item.ending.kind === 'parked' || item.ending.kind === 'waiting')
        continue
      if (!this.#running.delete(item)) continue
      this.gate.account(item, item.ending)
      this.#release(item, item.ending)
    }
    await this.settled()
  }

  #settlementOf(outcomes: ReadonlyMap<Item, Outcome>): Settlement | undefined {
    for (const [item, outcome] of outcomes) if (item.ending === undefined) this.#end(item, outcome)
    const settlement = this.#collect(Number.POSITIVE_INFINITY)
    if (settlement === undefined || this.#harvest === undefined) return undefined
    // Effects that commit without their record would be applied again after a crash.
    assert(
      holdsDone(this.#harvest, outcomes.keys()),
      'A chunk would commit what its settlement does not hold',
    )
    return settlement
  }

  #wait(item: Item): void {
    item.ending = { kind: 'waiting' }
    this.#running.delete(item)
    this.#keys.release(item, 'row')
  }

  #takeBack(ids: readonly string[]): Item[] {
    if (this.#harvest === undefined) return []
    const { guilty, rows, returned } = takenBack(this.#harvest, ids)
    this.#harvest = undefined
    this.#endedRows.push(...rows)
    this.#returned.push(...returned)
    return guilty
  }

  // ── settling ──

  /** Everything to be recorded now; undefined when there is nothing or a flush is under way. */
  collect(): Settlement | undefined {
    return this.#transacting ? undefined : this.#collect(settleItemsMax)
  }

  #collect(itemsMax: number): Settlement | undefined {
    if (this.#state === 'stopped' || this.#harvest !== undefined) return undefined
    this.#park()
    const finished = this.#replay === 'ending'
    if (!this.#dirty && !this.#window.moved && !finished) return undefined
    const advance = this.#window.ahead(itemsMax)
    const parked = new Set(advance.ended.filter((item) => item.ending === undefined))
    this.#harvest = {
      advance,
      parked,
      rows: this.#endedRows.splice(0),
      returned: this.#returned.splice(0),
      finished,
    }
    return this.#settlement(this.#harvest)
  }

  #settlement(harvest: Harvest): Settlement {
    return settlementOf(this.lease, this.#revision, harvest, this.subscription.ordered === 'halt')
  }

  #park(): void {
    const blocking = this.#window.held ? this.#window.blocking() : undefined
    if (blocking === undefined || !this.#running.has(blocking) || this.#transacting) return
    if (this.#services.clock.monotonic() - blocking.startedAt < parkAfterMs[this.subscription.priority])
      return
    blocking.parked = true
    this.#keys.parked(blocking)
  }

  /** The flush is recorded. */
  async settled(): Promise<void> {
    const harvest = this.#harvest
    if (harvest === undefined) return
    this.#revision++
    this.#harvest = undefined
    this.#window.commit(harvest.advance)
    for (const item of harvest.parked) item.rowed = true
    if (harvest.finished) this.#replay = 'ended'
    const items = endedOf(harvest)
    for (const { ending } of items) {
      if (ending?.kind === 'retry' || ending?.kind === 'parked') this.#services.dueIn(ending.delayMs)
    }
    this.#keys.recorded(harvest.advance.ended.filter(becameRow))
    await this.#promote(this.#keys.blockedOf(items))
    this.pump()
  }

  // Makes the first waiting row of each key due, and frees the keys that have none.
  async #promote(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    try {
      this.#keys.unblock(keys, await this.#services.retry.promote(this.lease, keys))
      this.#services.dueIn(0)
    } catch {
      this.#unpromoted.push(...keys)
    }
  }

  /** Events that handlers published bear ids of other bodies: their deliveries fail, and the flush is made anew. */
  refused(ids: readonly string[]): Settlement | undefined {
    if (this.#harvest === undefined) return undefined
    for (const item of endedOf(this.#harvest))
      if (publishes(item, ids)) item.ending = this.#services.outcomes.conflicted()
    return this.#settlement(this.#harvest)
  }

  // A replay is over when nothing runs and no row of it is open.
  async #endReplay(): Promise<void> {
    if (
      this.#running.size + this.#window.size + this.#queue.rows + this.#endedRows.length > 0 ||
      this.#harvest !== undefined
    )
      return
    const open = await this.#services.retry.openRows(this.lease).catch(() => 1)
    if (open > 0 || this.#state !== 'running' || this.#replay !== 'running') return
    this.#replay = 'ending'
    this.#services.flush(this)
  }

  /** Called now and then: finds keys that an operator freed, records an idle cursor, tries again what failed. */
  async tend(): Promise<void> {
    if (this.#state !== 'running') return
    if (this.#window.moved) this.#services.flush(this)
    if (this.#unpromoted.length > 0) await this.#promote(this.#unpromoted.splice(0))
    if (this.#keys.halted) {
      const { halted } = await this.#services.retry.blockedKeys(this.lease)
      await this.#promote(this.#keys.refresh(halted))
    }
    this.pump()
  }

  // ── stopping ──

  /** Starts nothing more; resolves when what runs has ended and is recorded, or after `graceMs` with the rest aborted. */
  async drain(graceMs: number): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'draining'
    this.#returned.push(...this.#queue.clear())
    await this.#until(() => this.#running.size === 0, graceMs)
    for (const item of this.#running) item.cancellation.cancel(new Error('The worker is stopping'))
    await this.#until(
      () => this.#running.size === 0 && !this.#dirty && this.#harvest === undefined,
      drainFlushMs,
    )
    this.abandon()
  }

  async #until(over: () => boolean, ms: number): Promise<void> {
    const { clock } = this.#services
    for (const until = clock.monotonic() + ms; !over() && clock.monotonic() < until; await clock.sleep(2)) {
      if (this.#dirty || this.#window.moved) this.#services.flush(this)
    }
  }

  /** The lease is lost or given back: whatever still runs is told, and nothing of it will be recorded. */
  abandon(): void {
    this.#state = 'stopped'
    this.#pumpLater.cancel()
    this.#parkLater.cancel()
    for (const item of this.#running) item.cancellation.cancel(new Error('The lease was lost'))
    this.#harvest = undefined
  }
}

// A chunk of transactional deliveries runs one by one: it may hold several of a key, in their order.
const perKeyMaxOf = ({ transact, ordered, concurrencyPerKeyMax }: ResolvedSubscription) =>
  transact !== undefined ? Number.POSITIVE_INFINITY : ordered === 'no' ? concurrencyPerKeyMax : 1

const drainFlushMs = 5_000
const flushPollMs = 2
