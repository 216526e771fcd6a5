// How many messages of one device are taken in a second. More wait: their connection is read no further, so that TCP holds the
// device up, and nothing is lost. (To end its connection would have it send all again, and connect again and again.)

export class Pace {
  readonly #everyMs: number
  /** When the next one would be due, had they come evenly. */
  #dueMs = Number.NEGATIVE_INFINITY

  constructor(messagesPerSecondMax: number) {
    this.#everyMs = 1_000 / messagesPerSecondMax
  }

  /** Takes the next turn, and answers how long that is away: those of one second may come at once. */
  turnInMs(nowMs: number): number {
    this.#dueMs = Math.max(this.#dueMs, nowMs - 1_000) + this.#everyMs
    return Math.max(0, this.#dueMs - nowMs)
  }

  /** It holds nobody up, and may be forgotten. */
  isIdle(nowMs: number): boolean {
    return this.#dueMs <= nowMs - 1_000
  }
}
