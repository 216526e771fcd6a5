// The deadlines of everything that runs, with one timer for each length of deadline instead of one for each handler:
// those of one length run out in the order in which they began.
import type { Clock } from '../kernel/index.js'

/** What has a deadline. The links belong to `Deadlines`. */
export interface Timed {
  expire(): void
  expiresAt: number
  before: Timed | undefined
  after: Timed | undefined
}

export class Deadlines {
  readonly #clock: Clock
  readonly #lines = new Map<number, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `expire` after `ms`, unless it is removed before. */
  add(timed: Timed, ms: number): void {
    let line = this.#lines.get(ms)
    if (line === undefined) {
      line = new Line(this.#clock, ms)
      this.#lines.set(ms, line)
    }
    line.add(timed)
  }

  remove(timed: Timed, ms: number): void {
    this.#lines.get(ms)?.remove(timed)
  }
}

class Line {
  readonly #clock: Clock
  readonly #ms: number
  #first: Timed | undefined
  #last: Timed | undefined
  #cancel: (() => void) | undefined

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  add(timed: Timed): void {
    timed.expiresAt = this.#clock.monotonic() + this.#ms
    timed.before = this.#last
    if (this.#last === undefined) this.#first = timed
    else this.#last.after = timed
    this.#last = timed
    this.#cancel ??= this.#clock.after(this.#ms, () => this.#look())
  }

  remove(timed: Timed): void {
    if (timed.before === undefined) {
      if (this.#first !== timed) return
      this.#first = timed.after
    } else timed.before.after = timed.after
    if (timed.after === undefined) this.#last = timed.before
    else timed.after.before = timed.before
    timed.before = undefined
    timed.after = undefined
    if (this.#first === undefined) this.#stop()
  }

  #look(): void {
    this.#cancel = undefined
    const now = this.#clock.monotonic()
    for (let first = this.#first; first !== undefined && first.expiresAt <= now; first = this.#first) {
      this.remove(first)
      first.expire()
    }
    if (this.#first !== undefined)
      this.#cancel ??= this.#clock.after(Math.max(1, this.#first.expiresAt - now), () => this.#look())
  }

  #stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
