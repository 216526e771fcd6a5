// How many requests of one credential are under way: the one who asks too much waits, and nobody else.
import { Problem } from '../problem/problem.js'

const retryAfterMs = 1_000

export class InFlight {
  readonly #counts = new Map<string, number>()
  readonly #name: string
  readonly #perCredentialMax: number

  /** `name` is what is counted, in the plural, for the refusal. */
  constructor(name: string, perCredentialMax: number) {
    this.#name = name
    this.#perCredentialMax = perCredentialMax
  }

  /** Counts one more; the answer ends it, once. Throws IN_FLIGHT_MAX at the limit. */
  enter(credential: string): () => void {
    const count = this.#counts.get(credential) ?? 0
    if (count >= this.#perCredentialMax) {
      throw new Problem(
        'IN_FLIGHT_MAX',
        `${count} ${this.#name} of this credential are open, which is the limit. Wait for some of them to end.`,
        { retryAfterMs },
      )
    }
    this.#counts.set(credential, count + 1)
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      this.#leave(credential)
    }
  }

  #leave(credential: string): void {
    const count = (this.#counts.get(credential) ?? 1) - 1
    if (count > 0) this.#counts.set(credential, count)
    else this.#counts.delete(credential)
  }
}
