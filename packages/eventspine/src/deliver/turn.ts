// How long a consumer may start handlers without letting the event loop go on: synchronous ones follow one another
// without a break, and a batch of them would hold up heartbeats, deadlines and every alarm of the process.
import type { Clock } from '../kernel/index.js'

const turnMsMax = 10

export class Turn {
  readonly #clock: Clock
  readonly #next: () => void
  #endsAt: number | undefined
  /** Somebody was told to wait. Without this, whatever is held for another reason would be asked again at every turn. */
  #refused = false

  /** `next` is called when the event loop has been round, if it was refused a start meanwhile. */
  constructor(clock: Clock, next: () => void) {
    this.#clock = clock
    this.#next = next
  }

  /** False when it is the others' turn. */
  get mine(): boolean {
    const now = this.#clock.monotonic()
    if (this.#endsAt === undefined) {
      this.#endsAt = now + turnMsMax
      this.#clock.after(0, () => {
        this.#endsAt = undefined
        if (!this.#refused) return
        this.#refused = false
        this.#next()
      })
    }
    const mine = now < this.#endsAt
    this.#refused ||= !mine
    return mine
  }
}
