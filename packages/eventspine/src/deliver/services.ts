// What a consumer is given by the process around it.
import type { Transaction } from '../handle/index.js'
import type { Outcome, Outcomes } from '../handle/outcome.js'
import type { Clock, Random } from '../kernel/index.js'
import type { SettlePort } from '../settle/port.js'
import type { BreakerBoard } from './breaker-board.js'
import type { Capacity } from './capacity.js'
import type { Consumer } from './consumer.js'
import type { Feed } from './feed.js'
import type { Item } from './item.js'
import type { KeyOrder } from './key-order.js'
import type { Lease, RetryPort } from './port.js'
import type { ResolvedSubscription } from './subscription.js'

export interface Work {
  readonly subscription: ResolvedSubscription
  readonly lease: Lease
  readonly item: Item
  readonly transaction: Transaction | undefined
  /** Know what waits for it to end. No function made for it: each object per delivery is felt by the garbage collector. */
  readonly keys: Pick<KeyOrder, 'isBehind'>
}

export interface HandlerMetrics {
  started(subscription: string): void
  ended(subscription: string, outcome: Outcome['kind'], ms: number): void
}

/** What a consumer needs of the process around it. */
export interface ConsumerServices {
  readonly worker: string
  readonly clock: Clock
  readonly random: Random
  readonly feed: Feed
  readonly breakers: BreakerBoard
  readonly capacity: Capacity
  readonly retry: RetryPort
  readonly settle: Pick<SettlePort, 'begin'>
  readonly metrics: HandlerMetrics
  /** How attempts are judged. */
  readonly outcomes: Outcomes
  /** Runs the handler; `done` is called with its outcome, once. Never throws. */
  handle(work: Work, done: (outcome: Outcome) => void): void
  /** Asks for a flush in which `collect` is called: soon, or within a few milliseconds. */
  flush(consumer: Consumer, soon: boolean): void
  /** A row may be due in so many milliseconds. */
  dueIn(ms: number): void
  /** False when the lease has not been renewed for half its time: nothing may start. */
  mayStart(consumer: Consumer): boolean
  /** Events that handlers published are in the log. */
  published(): void
  /** A handler place became free: others may want it, or rows of this one. */
  freed(consumer: Consumer): void
  /** The store did not answer, or Eventspine itself is at fault: somebody has to hear of it. */
  failed(error: unknown): void
  /** The lease cannot be relied on any more: give it up. */
  lost(consumer: Consumer): void
}
