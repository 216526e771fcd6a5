// What time it is for the database, as near as a process can know from one answer: between two bounds that lie as far
// apart as the answer was on its way. A timer is set by the late one and fires by the early one: never too soon.
import type { Clock } from '../kernel/index.js'

export class DatabaseTime {
  readonly #clock: Clock
  readonly #nowMs: number
  readonly #sentAt: number
  readonly #heardAt: number

  /** `nowMs` was read between `sentAt` and now. */
  constructor(clock: Clock, nowMs: number, sentAt: number) {
    this.#clock = clock
    this.#nowMs = nowMs
    this.#sentAt = sentAt
    this.#heardAt = clock.monotonic()
  }

  earliestMs(): number {
    return this.#nowMs + this.#clock.monotonic() - this.#heardAt
  }

  latestMs(): number {
    return this.#nowMs + this.#clock.monotonic() - this.#sentAt
  }
}
