// One subscription's way through one shard of the log, under one lease: reads ahead, runs what may run, and offers
// what ended to settling. It never waits for a neighbour, and nothing of it is recorded once its lease is lost.
import type { Outcome, Transaction } from '../handle/index.js'
import { assert, isOwnFault, Soonest } from '../kernel/index.js'
import type { Settlement } from '../settle/port.js'
import { ChunkSize } from './chunk-size.js'
import { Gate } from './gate.js'
import { Isolation, isolateAfterDeaths } from './isolation.js'
import { type Ending, freshItem, type Item, isOutcome, mayBeRefused, rowItem } from './item.js'
import { type KeyOrder, keyOrderOf } from './key-order.js'
import { parkable, parkingMs } from './parking.js'
import type { Holding, Lease, OpenDelivery, Tick } from './port.js'
import { Promotion } from './promotion.js'
import { Queue } from './queue.js'
import { Reader, type Wants } from './reader.js'
import { ReplayEnd } from './replay-end.js'
import type { ConsumerServices } from './services.js'
import { becameRow, claimInMs, endedOf, hasPublished } from './settlement.js'
import { SideBySide } from './side-by-side.js'
import type { ResolvedSubscription } from './subscription.js'
import { runChunk } from './transaction-chunk.js'
import { Turn } from './turn.js'
import { Unsettled } from './unsettled.js'

const settleItemsMax = 5_000

export class Consumer {
  readonly #services: ConsumerServices
  readonly #keys: KeyOrder
  readonly #promotion: Promotion
  readonly #replay: ReplayEnd
  readonly #unsettled: Unsettled
  readonly #reader: Reader
  readonly #queue: Queue
  readonly #isolation: Isolation
  readonly gate: Gate
  readonly #running = new Set<Item>()
  readonly #pumpLater: Soonest
  readonly #parkLater: Soonest
  /** Ended well, and recorded only if the ids that they published under are free: their keys wait for that. */
  readonly #undecided = new Set<Item>()
  #transacting = false
  readonly #sideBySide = new SideBySide()
  readonly #chunks: ChunkSize
  /** Chunks that have left the queue and wait for the one before them. */
  #probing = 0
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new'

  constructor(
    readonly lease: Lease,
    readonly subscription: ResolvedSubscription,
    wants: Wants,
    services: ConsumerServices,
  ) {
    this.#services = services
    this.#unsettled = new Unsettled(lease, subscription.ordered === 'halt')
    this.#reader = new Reader(services.feed, lease, wants, services.clock)
    this.#keys = keyOrderOf(subscription)
    this.#replay = new ReplayEnd(lease, services.retry)
    this.#promotion = new Promotion(this.#keys, lease, services.retry, () => services.dueIn(0))
    this.#isolation = new Isolation(lease, services.feed.known)
    this.gate = new Gate(subscription, lease, services, { again: () => this.pump() })
    this.#pumpLater = new Soonest(services.clock, () => this.pump())
    this.#parkLater = new Soonest(services.clock, () => services.flush(this, true))
    this.#chunks = new ChunkSize(subscription, services.clock)
    const turn = new Turn(services.clock, () => this.pump())
    this.#queue = new Queue(this.gate, this.#keys, {
      mayStart: () => this.#mayStart,
      myTurn: () => turn.mine,
      later: (ms) => this.#pumpLater.after(ms),
      aside: (item) => this.#unsettled.ended(item),
      probed: (item) => (subscription.transactional ? void this.#transact([item]) : this.#run(item)),
    })
  }

  /** A replay that has delivered all that it is for: its lease can go back. */
  get finished(): boolean {
    const busy = this.#running.size + this.#queue.rows > 0 || this.#unsettled.dirty
    return this.#replay.state === 'ended' && !busy
  }

  /** Handlers running now. */
  get inFlight(): number {
    return this.#running.size
  }

  /** Read to the end of what the process knows of the log, and everything recorded. */
  get caughtUp(): boolean {
    return !this.#busy && !this.#unsettled.dirty && this.#reader.atEnd
  }

  get #busy(): boolean {
    return this.#running.size + this.#queue.rows + this.#unsettled.size > 0
  }

  get #mayStart(): boolean {
    return this.#state === 'running' && this.#services.mayStart(this)
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return
    if (this.subscription.ordered !== 'no') await this.#promotion.restore()
    if (this.#state !== 'new') return
    this.#state = 'running'
    this.#services.dueIn(0) // An earlier holder may have left rows.
    this.pump()
  }

  /** Does whatever can be done now. Cheap to call too often. */
  pump(): void {
    if (this.#state === 'running') {
      if (this.subscription.transactional) this.#dispatchTransaction()
      else this.#dispatch()
      if (this.#reader.idle && !this.#reader.atEnd && this.#hasRoom()) void this.#fetch()
      else if (this.#reader.pastEnd && this.#replay.state === 'running') void this.#endReplay()
    }
    // The flush of a replay's end comes to nothing while a chunk is open: it is asked for until it is recorded.
    const ending = this.#replay.state === 'ending'
    if (ending || this.#unsettled.dirty)
      this.#services.flush(this, ending || this.#unsettled.urgent(this.gate.batch.events))
    if (this.#unsettled.window.held) this.#parkLater.after(parkingMs(this.subscription))
  }

  #hasRoom(): boolean {
    return this.#unsettled.window.size + this.#keys.waitingItems < this.gate.batch.events * 2
  }

  async #fetch(): Promise<void> {
    try {
      const isolated = this.#isolation.eventsMax(this.gate.concurrency)
      const read = await this.#reader.read(isolated || this.gate.batch.events, (chunk, wanted) => {
        if (this.#state !== 'running') return
        const tickOf = (number: number) => chunk.ticks.get(number) as Tick
        const suspects = isolated === 0 ? undefined : this.#isolation.suspects(wanted, isolated)
        for (const event of wanted) this.#take(freshItem(event, tickOf(event.tick)), suspects?.has(event))
        this.#unsettled.window.pass(chunk.upto, tickOf(chunk.upto.tick))
      })
      if (read === undefined || this.#state !== 'running') return
      if (read === 'renumbered') return this.#services.lost(this)
    } catch (error) {
      // The worker's poll tries again, and no attempt is spent. After a fault of ours, what was read may be nowhere.
      if (isOwnFault(error) && this.#state === 'running') this.#services.lost(this)
      return this.#services.failed(error)
    }
    this.pump()
  }

  #take(item: Item, isolated = false): void {
    this.gate.read(item)
    this.#unsettled.window.add(item)
    if (isolated) this.#queue.stepAside(item, 0, isolateAfterDeaths)
    else this.#queue.add(item)
  }

  /** Takes over rows that are due. */
  accept(rows: readonly OpenDelivery[]): void {
    const items = rows.map(rowItem)
    if (this.#state !== 'running') this.#unsettled.giveBack(...items)
    else {
      for (const item of items) {
        this.gate.claimed(item)
        this.#queue.add(item)
      }
    }
    this.pump()
  }

  /** How many due rows it could run now. */
  get roomForRows(): number {
    return this.#transacting || !this.#mayStart ? 0 : this.gate.roomForRows(this.#queue.rows)
  }

  /** A delivery that may have killed its process runs here, is about to, or ended and is not recorded yet. */
  get suspects(): boolean {
    return (
      this.#unsettled.suspects || this.#queue.suspects || [...this.#running].some(({ deaths }) => deaths > 0)
    )
  }

  /** What the store may hold as running for it; undefined while that changes. */
  get holding(): Holding | undefined {
    if (this.#unsettled.flushing || this.#probing > 0) return undefined
    const { subscription, replay, shard, token } = this.lease
    const known = [...this.#queue.claimed, ...this.#running, ...this.#unsettled.rows]
    return { subscription, replay, shard, token, revision: this.#unsettled.revision, known }
  }

  // ── running ──

  #dispatch(): void {
    for (let item = this.#queue.next(); item !== undefined; item = this.#queue.next()) this.#run(item)
  }

  #attempt(item: Item, transaction: Transaction | undefined, done: (outcome: Outcome) => void): void {
    const { subscription, lease } = this
    const { clock, outcomes, metrics } = this.#services
    item.started(clock)
    if (item.deaths >= outcomes.deathsMax) return done(outcomes.quarantined(item.deaths))
    metrics.started(subscription.name)
    this.#services.handle({ subscription, lease, item, transaction, keys: this.#keys }, (outcome) => {
      item.ended(clock)
      metrics.ended(subscription.name, outcome.kind, item.durationMs)
      done(outcome)
    })
  }

  #run(item: Item): void {
    this.#running.add(item)
    this.gate.started(item)
    this.#attempt(item, undefined, (outcome) => this.#ran(item, outcome))
  }

  #ran(item: Item, outcome: Outcome): void {
    this.#running.delete(item)
    this.gate.ended(item, outcome)
    if (this.#state !== 'stopped') {
      this.#end(item, outcome)
      if (this.subscription.ordered !== 'no' && mayBeRefused(outcome)) this.#undecided.add(item)
      else this.#release(item, outcome)
      this.pump()
    }
    this.#services.freed(this)
  }

  #end(item: Item, outcome: Outcome): void {
    if (outcome.kind !== 'abandoned') {
      item.ending = outcome
      this.#unsettled.ended(item)
    } else if (item.tick === null || item.parked) this.#unsettled.giveBack(item)
  }

  #release(item: Item, { kind }: Outcome | Ending): void {
    if (kind === 'done' || kind === 'retry' || kind === 'dead')
      this.#queue.release(item, kind, this.subscription.ordered === 'halt')
  }

  // ── transactional handlers: one chunk at a time, which settles itself ──

  #dispatchTransaction(): void {
    if (this.#transacting || this.#unsettled.flushing) return
    const waitMs = this.#chunks.waitMs(this.#queue.length)
    if (waitMs > 0) return this.#pumpLater.after(waitMs)
    const items = this.#queue.chunk(this.#chunks.itemsMax)
    if (items.length > 0) void this.#transact(items)
  }

  async #transact(items: readonly Item[]): Promise<void> {
    // A probe is granted while the chunk of another tenant runs.
    this.#probing++
    while (this.#transacting) await this.#services.clock.sleep(flushPollMs)
    this.#probing--
    if (this.#state !== 'running') return
    this.#transacting = true
    this.#chunks.began()
    const first = items[0] as Item
    for (const item of items) this.#running.add(item)
    this.gate.started(first)
    // A flush that is on its way would leave no place for the chunk's own settlement.
    while (this.#unsettled.flushing) await this.#services.clock.sleep(flushPollMs)
    const { settle: port, worker, random, outcomes } = this.#services
    const held = await runChunk(items, this.subscription, {
      ...{ port, worker, random, outcomes, sideBySide: this.#sideBySide, width: this.gate.concurrency },
      handle: (item, transaction) => new Promise((resolve) => this.#attempt(item, transaction, resolve)),
      settlement: (ended) => this.#settlementOf(ended),
      settled: () => this.#transacted(items),
      refused: (ids) => this.#unsettled.takeBack(ids),
      wait: (item) => this.#wait(item),
    }).catch((error) => this.#services.failed(error))
    this.#transacting = false
    this.#chunks.ended(items, this.gate.rest)
    if (first.deaths > 0) this.#services.dueIn(0)
    this.gate.ended(first, { kind: 'abandoned' })
    // What had ended when the chunk was abandoned is recorded, not given back as well.
    for (const item of items)
      if (this.#running.delete(item) && item.ending === undefined) this.#end(item, { kind: 'abandoned' })
    if (held === true) this.pump()
    else this.#services.lost(this)
    this.#services.freed(this)
  }

  // Part of a chunk is recorded: its keys are free before anything of them is asked again.
  async #transacted(items: readonly Item[]): Promise<void> {
    for (const item of items) {
      if (!isOutcome(item.ending) || !this.#running.delete(item)) continue
      this.gate.account(item, item.ending, items.length)
      this.#release(item, item.ending)
    }
    await this.settled()
  }

  #settlementOf(outcomes: ReadonlyMap<Item, Outcome>): Settlement | undefined {
    for (const [item, outcome] of outcomes) if (item.ending === undefined) this.#end(item, outcome)
    const settlement = this.#collect(Number.POSITIVE_INFINITY)
    // Effects that commit without their record would be applied again after a crash.
    assert(
      settlement === undefined || this.#unsettled.holds(outcomes.keys()),
      'A chunk would commit what its settlement does not hold',
    )
    return settlement
  }

  #wait(item: Item): void {
    item.ending = { kind: 'waiting' }
    this.#running.delete(item)
    this.#keys.release(item, 'row')
  }

  // ── settling ──

  /** Everything to be recorded now; undefined when there is nothing or a flush is under way. */
  collect(): Settlement | undefined {
    return this.#transacting ? undefined : this.#collect(settleItemsMax)
  }

  #collect(itemsMax: number): Settlement | undefined {
    if (this.#state === 'stopped' || this.#unsettled.flushing) return undefined
    this.#park()
    return this.#unsettled.collect(itemsMax, this.#replay.state)
  }

  #park(): void {
    const startedBefore = this.#services.clock.monotonic() - parkingMs(this.subscription)
    const item = this.#transacting
      ? undefined
      : parkable(this.#unsettled.window, this.#running, startedBefore)
    if (item === undefined) return
    item.parked = true
    this.#keys.parked(item)
  }

  /** The flush is recorded. */
  async settled(): Promise<void> {
    const harvest = this.#unsettled.settled()
    if (harvest === undefined) return
    if (harvest.finished) this.#replay.recorded()
    const items = endedOf(harvest)
    if (items.some(hasPublished)) this.#services.published()
    this.#services.dueIn(claimInMs(items))
    for (const item of items)
      if (this.#undecided.delete(item) && item.ending !== undefined) this.#release(item, item.ending)
    this.#keys.recorded(harvest.advance.ended.filter(becameRow))
    this.#keys.haltRecorded(items.filter(({ ending }) => ending?.kind === 'dead'))
    await this.#promotion.promote(this.#keys.blockedOf(items))
    this.pump()
  }

  /** Events that handlers published bear ids of other bodies: their deliveries fail, and the flush is made anew. */
  refused(ids: readonly string[]): Settlement | undefined {
    const settlement = this.#unsettled.refused(ids, this.#services.outcomes.conflicted())
    this.#keys.haltAll(settlement?.dead ?? [])
    return settlement
  }

  async #endReplay(): Promise<void> {
    if (await this.#replay.reached(() => this.#state === 'running' && !this.#busy)) this.pump()
  }

  /** Called now and then: finds keys that an operator freed, records an idle cursor, tries again what failed. */
  async tend(): Promise<void> {
    if (this.#state !== 'running') return
    if (this.#unsettled.window.moved) this.#services.flush(this, false)
    await this.#promotion.tend()
    this.pump()
  }

  // ── stopping ──

  /** Starts nothing more; resolves when what runs has ended and is recorded, or after `graceMs` with the rest aborted. */
  async drain(graceMs: number): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'draining'
    this.#unsettled.giveBack(...this.#queue.clear())
    await this.#until(() => this.#running.size === 0, graceMs)
    for (const item of this.#running) item.cancellation.cancel(new Error('The worker is stopping'))
    const recorded = () => !this.#unsettled.dirty && !this.#unsettled.flushing
    await this.#until(() => this.#running.size === 0 && recorded(), drainFlushMs)
    this.abandon()
  }

  async #until(over: () => boolean, ms: number): Promise<void> {
    const { clock } = this.#services
    for (const until = clock.monotonic() + ms; !over() && clock.monotonic() < until; await clock.sleep(2)) {
      if (this.#unsettled.dirty || this.#unsettled.window.moved) this.#services.flush(this, true)
    }
  }

  /** The lease is lost or given back: whatever still runs is told, and nothing of it will be recorded. */
  abandon(): void {
    this.#state = 'stopped'
    this.#pumpLater.cancel()
    this.#parkLater.cancel()
    for (const item of this.#running) item.cancellation.cancel(new Error('The lease was lost'))
    this.#unsettled.forget()
    this.#reader.stop()
    this.#services.feed.forget()
  }
}

const drainFlushMs = 5_000
const flushPollMs = 2
