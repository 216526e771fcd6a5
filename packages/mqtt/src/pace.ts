// How many messages of one device are taken in a second. More wait: their connection is read no further, so that TCP holds the
// device up, and nothing is lost. (To end its connection would have it send all again, and connect again and again.)

export class Pace {
  readonly #everyMs: number
  /** When the next one would be due, had they come evenly. */
  #dueMs = Number.NEGATIVE_INFINITY
  #waiting = 0
  #line = Promise.resolve()

  constructor(messagesPerSecondMax: number) {
    this.#everyMs = 1_000 / messagesPerSecondMax
  }

  /** Takes the next turn, and answers how long that is away: those of one second may come at once. */
  turnInMs(nowMs: number): number {
    this.#dueMs = Math.max(this.#dueMs, nowMs - 1_000) + this.#everyMs
    return Math.max(0, this.#dueMs - nowMs)
  }

  /** Takes the next turn, and resolves when it has come: behind all that came before, though timers of less than a millisecond apart may end in either
   *  order. Undefined where it is now. */
  turn(now: () => number, pause: (ms: number) => Promise<void>): Promise<void> | undefined {
    const nowMs = now()
    const dueMs = nowMs + this.turnInMs(nowMs)
    if (this.#waiting === 0 && dueMs <= nowMs) return undefined
    this.#waiting++
    this.#line = this.#line.then(async () => {
      await pause(Math.max(0, dueMs - now()))
      this.#waiting--
    })
    return this.#line
  }

  /** It holds nobody up, and may be forgotten. */
  isIdle(nowMs: number): boolean {
    return this.#dueMs <= nowMs - 1_000
  }
}
