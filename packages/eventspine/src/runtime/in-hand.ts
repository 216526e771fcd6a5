// How many messages each source has in hand: one that has enough to do says so, and its sender comes again.
import { EventspineError } from '../kernel/index.js'

const comeAgainMs = 1_000

export class InHand {
  readonly #counts = new Map<string, number>()

  /** Counts one more; the answer ends it. Throws OVERLOADED where the source has enough. */
  enter({ name, inFlightMax }: { readonly name: string; readonly inFlightMax: number }): () => void {
    const count = this.#counts.get(name) ?? 0
    if (count >= inFlightMax)
      throw new EventspineError(
        'OVERLOADED',
        `The source "${name}" has ${count} messages in hand. Come again.`,
        { retryAfterMs: comeAgainMs },
      )
    this.#counts.set(name, count + 1)
    return () => void this.#counts.set(name, (this.#counts.get(name) ?? 1) - 1)
  }
}
