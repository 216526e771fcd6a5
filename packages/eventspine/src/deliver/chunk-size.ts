// How many transactional deliveries share a transaction, and when the next begins. Each commit waits for the disk: where handlers are
// fast, ten times as many for one made 1.3 to 1.4 times as many events in a second (decision 27). Where they are slow, or one of them fails, few
// stand in one transaction; so do they beside alarms, and where these wait, the next begins later.
import type { Clock } from '../kernel/index.js'
import type { Item } from './item.js'
import type { ResolvedSubscription } from './subscription.js'

/** And rows that are claimed for one. */
export const chunkItemsMin = 100
const chunkItemsMax = 1_000
const chunkMsMin = 50
const chunkMsMax = 200
/** A call for all of them may take so long where more of them are worth it. */
const callMsMax = 1_000
/** Of one that is twice as large the rate must be so much higher. */
const worthwhile = 1.2
/** Full chunks behind one that was not worth it before it is tried again. */
const trialsEvery = 16
/** A rest is no longer: who rests still catches up. */
const restMsMax = 500

export class ChunkSize {
  readonly #subscription: Pick<ResolvedSubscription, 'batchEventsMax' | 'batchWindowMs' | 'transactMany'>
  readonly #clock: Clock
  #items = chunkItemsMin
  #beganAt = Number.NEGATIVE_INFINITY
  #restsUntil = Number.NEGATIVE_INFINITY
  /** Deliveries in a millisecond when it was half as large; 0 where nobody knows. */
  #rateBelow = 0
  #trialIn = 0

  constructor(
    subscription: Pick<ResolvedSubscription, 'batchEventsMax' | 'batchWindowMs' | 'transactMany'>,
    clock: Clock,
  ) {
    this.#subscription = subscription
    this.#clock = clock
  }

  get itemsMax(): number {
    return Math.min(this.#items, this.#subscription.batchEventsMax)
  }

  /** Until the next may begin: within a window, not before it fills one. */
  waitMs(queued: number): number {
    if (queued === 0) return 0
    const { batchWindowMs } = this.#subscription
    const now = this.#clock.monotonic()
    const restMs = Math.max(0, this.#restsUntil - now)
    if (batchWindowMs === 0 || queued >= this.itemsMax) return restMs
    return Math.max(restMs, this.#beganAt + batchWindowMs - now)
  }

  began(): void {
    this.#beganAt = this.#clock.monotonic()
  }

  /** `rest`: alarms began beside it, and it leaves them so many times as long as it ran. Undefined where none did. */
  ended(items: readonly Item[], rest?: number): void {
    const now = this.#clock.monotonic()
    const tookMs = now - this.#beganAt
    if (rest !== undefined) this.#restsUntil = now + Math.min(restMsMax, tookMs * rest)
    const isFull = items.length === this.#items
    const climbs = this.#subscription.transactMany !== undefined && rest === undefined
    if (items.some(({ ending }) => ending?.kind !== 'done')) this.#items = chunkItemsMin
    else if (tookMs > (climbs ? callMsMax : chunkMsMax)) this.#shrink()
    else if (isFull && tookMs < chunkMsMin) this.#grow(items.length / tookMs)
    else if (isFull && climbs) this.#climb(items.length / tookMs)
  }

  // Of one call the most part may be what any call costs: then twice as many go home in a second although it is slow, and whoever is
  // behind because a statement takes its time would else never catch up.
  #climb(rate: number): void {
    if (this.#items === chunkItemsMax || this.#trialIn-- > 0) return
    if (rate > this.#rateBelow * worthwhile) return this.#grow(rate)
    this.#shrink()
    this.#trialIn = trialsEvery
  }

  #grow(rate: number): void {
    this.#items = Math.min(chunkItemsMax, this.#items * 2)
    this.#rateBelow = rate
  }

  #shrink(): void {
    this.#items = Math.max(chunkItemsMin, Math.floor(this.#items / 2))
    this.#rateBelow = 0
  }
}
