// One timer for an action that may be asked for often: only the soonest request stands.
import type { Clock } from './clock.js'

export class Soonest {
  readonly #clock: Clock
  readonly #action: () => void
  #at = Number.POSITIVE_INFINITY
  #cancel = () => {}

  constructor(clock: Clock, action: () => void) {
    this.#clock = clock
    this.#action = action
  }

  /** Calls the action in `ms`, or sooner when that was asked for already. */
  after(ms: number): void {
    const at = this.#clock.monotonic() + ms
    if (at >= this.#at) return
    this.#cancel()
    this.#at = at
    this.#cancel = this.#clock.after(ms, () => {
      this.#at = Number.POSITIVE_INFINITY
      this.#action()
    })
  }

  cancel(): void {
    this.#cancel()
    this.#at = Number.POSITIVE_INFINITY
  }
}
