// What holds a delivery back although its turn has come: the breaker, concurrency, the rate, the process's capacity.
import type { Outcome } from '../handle/outcome.js'
import type { Clock } from '../kernel/index.js'
import type { BreakerBoard } from './breaker-board.js'
import type { Capacity, Runnable, Waiter } from './capacity.js'
import { chunkItemsMin } from './chunk-size.js'
import { BatchSize, Rate, RetryBudget } from './flow.js'
import type { Item } from './item.js'
import type { Lease } from './port.js'
import type { ResolvedSubscription } from './subscription.js'

export type Verdict =
  | { readonly kind: 'go' }
  /** Ask again after `ms`; null: when something ended. */
  | { readonly kind: 'hold'; readonly ms: number | null }
  /** Let others pass: this one goes on as a row, due after `ms`. */
  | { readonly kind: 'aside'; readonly ms: number }
  /** The breaker wants one to try. */
  | { readonly kind: 'probe' }

const probeMsMax = 60_000

export interface GateServices {
  readonly clock: Clock
  readonly breakers: BreakerBoard
  readonly capacity: Capacity
}

/** Behind the open breaker of the whole service nothing is written, so it is looked at again soon. A row put aside for
 *  its tenant's or key's breaker is due at the next probe, or after so long: an operator may have closed it by then. */
const holdMsMax = 1_000
const asideMsMax = 60_000
/** Nor sooner: its probe may last as long as a handler, and two thousand that wait for it would be claimed in vain all the time. */
const asideMsMin = { alarm: 500, normal: 2_000 } as const
const whole = { tenant: '', key: null }

export class Gate {
  readonly #services: GateServices
  readonly #subscription: ResolvedSubscription
  readonly #rate: Rate | undefined
  readonly #budget: RetryBudget
  readonly #waiter: Waiter
  readonly #runnable: { readonly suspect: Runnable; readonly plain: Runnable }
  /** Handlers of this consumer that may run at once: its shard's part of the subscription's. */
  readonly concurrency: number
  readonly batch: BatchSize
  readonly #beganAt: number
  #alarmsBefore = 0
  running = 0

  constructor(subscription: ResolvedSubscription, lease: Lease, services: GateServices, waiter: Waiter) {
    const { priority, transactional } = subscription
    const runnable = { priority, transactional }
    this.#runnable = { suspect: { ...runnable, suspect: true }, plain: { ...runnable, suspect: false } }
    this.#waiter = waiter
    this.#services = services
    this.#subscription = subscription
    this.#budget = new RetryBudget(services.clock)
    this.#beganAt = services.clock.monotonic()
    this.concurrency = Math.max(1, Math.floor(subscription.concurrencyMax / lease.shards))
    const { rate } = subscription
    this.#rate =
      rate === undefined
        ? undefined
        : new Rate(Math.max(1, rate.max / lease.shards), rate.perMs, services.clock)
    this.batch = new BatchSize({
      eventsMax: subscription.batchEventsMax,
      bytesMax: subscription.batchBytesMax,
      concurrency: subscription.transactMany === undefined ? this.concurrency : 1,
    })
  }

  /** Judges one delivery. `go` has taken its start from the rate. */
  judge(item: Item): Verdict {
    const { breaker, priority } = this.#subscription
    if (!this.#services.capacity.room(this.#runnableOf(item), this.#waiter)) return { kind: 'hold', ms: null }
    let share = 1
    if (breaker !== undefined) {
      const passage = this.#services.breakers.passage(breaker, item.event)
      if (passage.kind === 'probe') return { kind: 'probe' }
      if (passage.kind === 'wait')
        return breaker.scope === 'service'
          ? { kind: 'hold', ms: Math.min(holdMsMax, passage.ms) }
          : { kind: 'aside', ms: Math.max(asideMsMin[priority], Math.min(asideMsMax, passage.ms)) }
      share = passage.share
    }
    if (this.running >= Math.max(1, this.concurrency * share)) return { kind: 'hold', ms: null }
    const ms = this.#rate?.take() ?? 0
    return ms > 0 ? { kind: 'hold', ms } : { kind: 'go' }
  }

  #runnableOf({ deaths }: Item): Runnable {
    return deaths > 0 ? this.#runnable.suspect : this.#runnable.plain
  }

  /** Due rows that could run now. */
  roomForRows(queued: number): number {
    const { breaker } = this.#subscription
    if (breaker?.scope === 'service' && this.#services.breakers.passage(breaker, whole).kind === 'wait')
      return 0
    // Transactional ones run a chunk at a time: what counts is what fits into it.
    const places = this.#subscription.transactional ? chunkItemsMin : this.concurrency - this.running
    return places - queued
  }

  /** How long its lease is held. */
  get ageMs(): number {
    return this.#services.clock.monotonic() - this.#beganAt
  }

  /** Of these, as many may be retries. */
  get retriesMax(): number {
    return this.#budget.available
  }

  /** A row was claimed: a retry has its price. */
  claimed(item: Item): void {
    if (isRetry(item)) this.#budget.spend()
  }

  /** A claimed row is put aside without having run: else what waits for an open breaker, looked at each minute, would
   *  take the budget of those that could run. */
  putAside(item: Item): void {
    if (item.tick === null && isRetry(item)) this.#budget.giveBack()
  }

  /** It came out of the log. */
  read(item: Item): void {
    if (this.#runnable.plain.transactional && this.#runnable.plain.priority === 'alarm')
      item.readAt = this.#services.clock.monotonic()
  }

  /** How many times as long as its chunk ran the next one waits; undefined where no alarms began beside it. */
  get rest(): number | undefined {
    const { capacity } = this.#services
    const isBeside = this.#subscription.priority === 'normal' && capacity.alarmChunks > this.#alarmsBefore
    return isBeside ? capacity.rest : undefined
  }

  started(item: Item): void {
    const { capacity, clock } = this.#services
    this.#alarmsBefore = capacity.alarmChunks
    if (item.readAt > 0) capacity.alarmsWaited(clock.monotonic() - item.readAt)
    this.running++
    capacity.take(this.#runnableOf(item))
  }

  ended(item: Item, outcome: Outcome): void {
    this.running--
    this.#services.capacity.give(this.#runnableOf(item))
    if (outcome.kind !== 'abandoned') this.account(item, outcome)
  }

  /** Learns from an outcome: batch size, retry budget, breaker. `chunk`: so many ran in its transaction. */
  account(item: Item, outcome: Exclude<Outcome, { readonly kind: 'abandoned' }>, chunk = 1): void {
    if (outcome.kind === 'retry' && outcome.counted === false) return
    // One call has all of them, and each says how long that took.
    const sharing = this.#subscription.transactMany === undefined ? 1 : chunk
    this.batch.handled((item.event.data?.length ?? 0) + 300, item.durationMs / sharing)
    if (outcome.kind === 'done') this.#budget.succeeded(isRetry(item))
    const { breaker } = this.#subscription
    if (breaker === undefined) return
    const down =
      outcome.kind !== 'done' &&
      (outcome.failure.category === 'transient' || outcome.failure.category === 'timeout')
    // Any other failure says that the downstream answered.
    if (down) void this.#services.breakers.failed(breaker, item.event, outcome.failure.message)
    else void this.#services.breakers.succeeded(breaker, item.event)
  }

  /** True when this delivery may be the one that tries an open breaker. */
  async probe(item: Item): Promise<boolean> {
    const { breaker, leaseMs, deadlineMs } = this.#subscription
    // One at a time for as long as it may run; but whoever dies of it, or never runs, holds the others up for a minute
    // at most.
    const probeMs = Math.min(probeMsMax, Math.max(leaseMs, deadlineMs))
    return breaker !== undefined && this.#services.breakers.probe(breaker, item.event, probeMs)
  }
}

// One that may have killed its process is no retry: it has a budget of its own.
const isRetry = ({ attempt, deaths }: Item) => attempt > 1 && deaths === 0
