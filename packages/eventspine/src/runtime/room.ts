// Room for so many at once. Who finds none waits for it, in turn.
import { EventspineError } from '../kernel/index.js'

/** Whoever brings more than that, brings it without looking. */
const waitingMax = 10_000

export class Room {
  readonly #placesMax: number
  readonly #waiting: { readonly enter: () => void; readonly refuse: (error: unknown) => void }[] = []
  readonly #emptied: (() => void)[] = []
  #inside = 0

  constructor(placesMax: number) {
    this.#placesMax = placesMax
  }

  /** Undefined where there is room now. Rejects with OVERLOADED where too many wait, and with what `refuse` was given. */
  enter(): Promise<void> | undefined {
    if (this.#inside < this.#placesMax) {
      this.#inside++
      return undefined
    }
    if (this.#waiting.length >= waitingMax) throw this.#overrun()
    return new Promise((enter, refuse) => {
      this.#waiting.push({ enter, refuse })
    })
  }

  leave(): void {
    const next = this.#waiting.shift()
    // It takes over the place.
    if (next !== undefined) return next.enter()
    this.#inside--
    if (this.#inside === 0) for (const resolve of this.#emptied.splice(0)) resolve()
  }

  /** Sends those away that wait. */
  refuse(error: unknown): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(error)
  }

  /** Resolves when nobody is inside or waits. */
  async empty(): Promise<void> {
    if (this.#inside > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve))
  }

  #overrun(): EventspineError {
    return new EventspineError(
      'OVERLOADED',
      `${this.#inside} messages are in hand, and ${this.#waiting.length} wait for room. Await receive(), or bound how many are asked for at once.`,
      { retryAfterMs: 1_000 },
    )
  }
}
