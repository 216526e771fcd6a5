// How many transactional deliveries share a transaction, and when the next begins. Each commit waits for the disk: where handlers are
// fast, ten times as many for one made 1.3 to 1.4 times as many events in a second (decision 27). Where they are slow, or one of them fails, few
// stand in one transaction.
import type { Clock } from '../kernel/index.js'
import type { Item } from './item.js'
import type { ResolvedSubscription } from './subscription.js'

/** And rows that are claimed for one. */
export const chunkItemsMin = 100
const chunkItemsMax = 1_000
const chunkMsMin = 50
const chunkMsMax = 200

export class ChunkSize {
  readonly #subscription: Pick<ResolvedSubscription, 'batchEventsMax' | 'batchWindowMs'>
  readonly #clock: Clock
  #items = chunkItemsMin
  #beganAt = Number.NEGATIVE_INFINITY

  constructor(subscription: Pick<ResolvedSubscription, 'batchEventsMax' | 'batchWindowMs'>, clock: Clock) {
    this.#subscription = subscription
    this.#clock = clock
  }

  get itemsMax(): number {
    return Math.min(this.#items, this.#subscription.batchEventsMax)
  }

  /** Until the next may begin: within a window, not before it fills one. */
  waitMs(queued: number): number {
    const { batchWindowMs } = this.#subscription
    if (batchWindowMs === 0 || queued === 0 || queued >= this.itemsMax) return 0
    return Math.max(0, this.#beganAt + batchWindowMs - this.#clock.monotonic())
  }

  began(): void {
    this.#beganAt = this.#clock.monotonic()
  }

  ended(items: readonly Item[]): void {
    const tookMs = this.#clock.monotonic() - this.#beganAt
    if (items.some(({ ending }) => ending?.kind !== 'done')) this.#items = chunkItemsMin
    else if (tookMs > chunkMsMax) this.#items = Math.max(chunkItemsMin, Math.floor(this.#items / 2))
    else if (tookMs < chunkMsMin && items.length === this.#items)
      this.#items = Math.min(chunkItemsMax, this.#items * 2)
  }
}
