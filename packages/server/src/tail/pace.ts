// How much a reader that follows live is sent: so many events in each round, and none that lie behind. What is beyond is left
// out, and it is told how many.

/** What comes next: go on reading, or pass over what is there once so many milliseconds are over. */
export type Step = { readonly kind: 'read' } | { readonly kind: 'pass'; readonly afterMs: number }

const read: Step = { kind: 'read' }

export class Pace {
  readonly #roundMs: number
  readonly #eventsMax: number
  #beganAt: number
  #events = 0

  /** `now` is of a clock that only goes on, in milliseconds. */
  constructor(limits: { readonly roundMs: number; readonly eventsMax: number }, now: number) {
    this.#roundMs = limits.roundMs
    this.#eventsMax = limits.eventsMax
    this.#beganAt = now
  }

  /** A page of so many events was taken. `full`: more may lie behind it. */
  taken(events: number, full: boolean, now: number): Step {
    this.#events += events
    const leftMs = this.#beganAt + this.#roundMs - now
    // Who took a whole round for what was sent is slow: what lies behind is old by now.
    if (leftMs <= 0 && full) return this.#pass(now, 0)
    if (leftMs <= 0) this.#begin(now)
    else if (this.#events >= this.#eventsMax) return this.#pass(now, leftMs)
    return read
  }

  #pass(now: number, afterMs: number): Step {
    this.#begin(now + afterMs)
    return { kind: 'pass', afterMs }
  }

  #begin(at: number): void {
    this.#beganAt = at
    this.#events = 0
  }
}
