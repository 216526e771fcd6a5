// A latched doorbell: a ring while nobody waits is kept for the next wait, so no wake-up is lost.
import type { Clock } from './clock.js'

export class Wake {
  readonly #clock: Clock
  #rung = false
  #waiter: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#rung = true
    this.#waiter?.()
  }

  /** Resolves at the next ring, or after `ms`. One waiter at a time. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve)
        this.#waiter = () => {
          cancel()
          resolve()
        }
      })
      this.#waiter = undefined
    }
    this.#rung = false
  }
}
