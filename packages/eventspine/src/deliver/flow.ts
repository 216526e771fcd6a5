// How fast a consumer may go: starts per time, retries per success, and how much of the log it takes at once.
import type { Clock } from '../kernel/index.js'

/** A token bucket: at most `max` starts in every `perMs`. */
export class Rate {
  readonly #max: number
  readonly #perMs: number
  readonly #clock: Clock
  #tokens: number
  #at: number

  constructor(max: number, perMs: number, clock: Clock) {
    this.#max = max
    this.#perMs = perMs
    this.#clock = clock
    this.#tokens = max
    this.#at = clock.monotonic()
  }

  /** Takes a start, or answers in how many milliseconds one is free. */
  take(): number {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(this.#max, this.#tokens + ((now - this.#at) * this.#max) / this.#perMs)
    this.#at = now
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return 0
    }
    return Math.ceil(((1 - this.#tokens) * this.#perMs) / this.#max)
  }
}

const budgetTokensMax = 100
const depositPerSuccess = 0.1
const depositPerMs = 5 / 1000

/** Retries draw on what successes pay in, so that a downstream that is down is not hammered: at full failure plain
 *  retries would multiply its load by the number of attempts. A retry that succeeds was no waste and gets its token
 *  back: else a hundred thousand that failed in an outage would go home at five a second once it is over. */
export class RetryBudget {
  readonly #clock: Clock
  #tokens = budgetTokensMax
  #at: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.monotonic()
  }

  /** Retries that may be claimed now. */
  get available(): number {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(budgetTokensMax, this.#tokens + (now - this.#at) * depositPerMs)
    this.#at = now
    return Math.floor(this.#tokens)
  }

  spend(): void {
    this.#tokens = Math.max(0, this.#tokens - 1)
  }

  /** It did not run after all. */
  giveBack(): void {
    this.#tokens = Math.min(budgetTokensMax, this.#tokens + 1)
  }

  succeeded(retry: boolean): void {
    this.#tokens = Math.min(budgetTokensMax, this.#tokens + depositPerSuccess + (retry ? 1 : 0))
  }
}

export interface BatchLimits {
  readonly eventsMax: number
  readonly bytesMax: number
  readonly concurrency: number
}

// A batch should keep every handler busy for about this long: longer only adds work to repeat after a crash.
const batchTargetMs = 250
const smoothing = 0.1

/** Sizes batches by the measured bytes of an event and milliseconds of a handler, inside the subscription's limits. */
export class BatchSize {
  readonly #limits: BatchLimits
  #bytes = 500
  #handlerMs = 0.5

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  handled(bytes: number, handlerMs: number): void {
    this.#bytes += (bytes - this.#bytes) * smoothing
    this.#handlerMs += (handlerMs - this.#handlerMs) * smoothing
  }

  get events(): number {
    const { eventsMax, bytesMax, concurrency } = this.#limits
    const byTime = (batchTargetMs / Math.max(0.05, this.#handlerMs)) * concurrency
    return Math.max(
      1,
      Math.min(eventsMax, Math.floor(bytesMax / Math.max(1, this.#bytes)), Math.ceil(byTime)),
    )
  }
}
