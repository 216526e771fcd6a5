// What the handlers of one process did: every delivery is counted once, repeats are counted apart, and latency is
// taken from the intended moment of sending.
import { monotonicMs, type Payload } from './payload.js'
import { type Percentiles, percentilesOf } from './statistics.js'

export interface Progress {
  /** Different deliveries handled since `forget`. */
  readonly handled: number
  readonly repeated: number
  /** By `monotonicMs`; 0 when nothing was handled. */
  readonly firstAtMs: number
  readonly lastAtMs: number
}

const slotsAtFirst = 1 << 20

export class Ledger {
  readonly #subscriptions: number
  #seen = new Uint8Array(slotsAtFirst)
  #latencies = new Float64Array(slotsAtFirst)
  #handled = 0
  #repeated = 0
  #firstAtMs = 0
  #lastAtMs = 0
  #waiting: { readonly handled: number; readonly wake: () => void }[] = []

  constructor(subscriptions: number) {
    this.#subscriptions = subscriptions
  }

  handle({ n, sentAt }: Payload, subscription: number): void {
    const slot = n * this.#subscriptions + subscription
    if (slot >= this.#seen.length) this.#seen = larger(this.#seen, slot, (length) => new Uint8Array(length))
    if (this.#seen[slot] === 1) {
      this.#repeated += 1
      return
    }
    this.#seen[slot] = 1
    const now = monotonicMs()
    if (this.#handled === 0) this.#firstAtMs = now
    this.#lastAtMs = now
    this.#note(now - sentAt)
    this.#handled += 1
    if (this.#waiting.length > 0) this.#wake()
  }

  #note(latencyMs: number): void {
    if (this.#handled >= this.#latencies.length)
      this.#latencies = larger(this.#latencies, this.#handled, (length) => new Float64Array(length))
    this.#latencies[this.#handled] = latencyMs
  }

  #wake(): void {
    const due = this.#waiting.filter(({ handled }) => handled <= this.#handled)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter(({ handled }) => handled > this.#handled)
    for (const { wake } of due) wake()
  }

  /** Resolves once so many different deliveries were handled since `forget`. */
  reached(handled: number): Promise<void> {
    if (this.#handled >= handled) return Promise.resolve()
    return new Promise((wake) => this.#waiting.push({ handled, wake }))
  }

  get progress(): Progress {
    const [firstAtMs, lastAtMs] = [this.#firstAtMs, this.#lastAtMs]
    return { handled: this.#handled, repeated: this.#repeated, firstAtMs, lastAtMs }
  }

  latencies(): Percentiles {
    return percentilesOf(this.#latencies.slice(0, this.#handled))
  }

  /** Begins to count anew; what was seen before still counts as repeated. */
  forget(): void {
    this.#handled = 0
    this.#repeated = 0
    this.#firstAtMs = 0
    this.#lastAtMs = 0
  }
}

function larger<Numbers extends Uint8Array | Float64Array>(
  from: Numbers,
  slot: number,
  make: (length: number) => Numbers,
): Numbers {
  let length = from.length
  while (length <= slot) length *= 2
  const grown = make(length)
  grown.set(from)
  return grown
}
