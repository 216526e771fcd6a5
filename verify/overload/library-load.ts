// Load on the library, from within its own process: open loop at a rate, or as much as it takes.
import { setTimeout as delay } from 'node:timers/promises'
import { type Eventspine, EventspineError } from 'eventspine'
import { monotonicMs, reading } from './app.js'
import type { LibraryLoad } from './protocol.js'

const beatMs = 5
/** Calls in one turn of the event loop: what is due beyond that waits for the next, and is late. */
const callsPerBeatMax = 20_000
const samplesMax = 20_000
const windowMs = 100

export const libraryId = (n: number) => `library-${n}`

export class LibraryLoader {
  readonly #spine: Eventspine
  readonly #first: number
  readonly #acknowledged: number[] = []
  readonly #latencyMs: number[] = []
  readonly #perWindow: number[] = []
  readonly #others: Record<string, number> = {}
  readonly #beganAtMs = monotonicMs()
  #offered = 0
  #open = 0
  #overloaded = 0
  #withoutRetryAfter = 0

  constructor(spine: Eventspine, first: number) {
    this.#spine = spine
    this.#first = first
  }

  async pace(eventsPerSecond: number, seconds: number): Promise<LibraryLoad> {
    const all = Math.floor(eventsPerSecond * seconds)
    while (this.#offered < all && this.#elapsedMs() < seconds * 1_000) {
      const due = Math.min(all, Math.ceil((this.#elapsedMs() / 1_000) * eventsPerSecond))
      for (let calls = 0; this.#offered < due && calls < callsPerBeatMax; calls++)
        this.#publish(this.#beganAtMs + (this.#offered / eventsPerSecond) * 1_000)
      await delay(beatMs)
    }
    return this.#result()
  }

  async flood(inFlight: number, seconds: number): Promise<LibraryLoad> {
    while (this.#elapsedMs() < seconds * 1_000) {
      while (this.#open < inFlight) this.#publish(monotonicMs())
      await delay(1)
    }
    return this.#result()
  }

  async #result(): Promise<LibraryLoad> {
    const seconds = this.#elapsedMs() / 1_000
    while (this.#open > 0) await delay(beatMs)
    return {
      ...{ kind: 'loaded', offered: this.#offered, seconds, acknowledged: this.#acknowledged },
      ...{ overloaded: this.#overloaded, withoutRetryAfter: this.#withoutRetryAfter, others: this.#others },
      ...{ latencyMs: this.#latencyMs, perWindow: Array.from(this.#perWindow, (count) => count ?? 0) },
    }
  }

  #publish(intendedAtMs: number): void {
    const n = this.#first + this.#offered++
    this.#open++
    this.#spine
      .publish(reading, { n }, { id: libraryId(n), source: '/overload' })
      .then(() => this.#acknowledge(n, intendedAtMs))
      .catch((error: unknown) => this.#refused(error))
      .finally(() => {
        this.#open--
      })
  }

  #acknowledge(n: number, intendedAtMs: number): void {
    this.#acknowledged.push(n)
    if (this.#latencyMs.length < samplesMax) this.#latencyMs.push(monotonicMs() - intendedAtMs)
    const window = Math.floor(this.#elapsedMs() / windowMs)
    this.#perWindow[window] = (this.#perWindow[window] ?? 0) + 1
  }

  #refused(error: unknown): void {
    const code = error instanceof EventspineError ? error.code : String(error)
    if (code !== 'OVERLOADED') this.#others[code] = (this.#others[code] ?? 0) + 1
    else {
      this.#overloaded++
      if (!(error instanceof EventspineError) || error.retryAfterMs === undefined) this.#withoutRetryAfter++
    }
  }

  #elapsedMs(): number {
    return monotonicMs() - this.#beganAtMs
  }
}
