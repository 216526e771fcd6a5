// Load on the library, in its own process as any caller's is: when to publish is said by another process, which waits
// for nothing, or as much is published as it takes.
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import { type Eventspine, EventspineError } from 'eventspine'
import { monotonicMs, reading } from './app.js'
import type { LibraryLoad, Question } from './protocol.js'

const beatMs = 5
const samplesMax = 20_000
const windowMs = 100
/** Of a turn of the event loop, for publishing: a caller that took more would stop the process by itself. */
const turnMs = 15

type Asked = Extract<Question, { kind: 'publish' }>

export const libraryId = (n: number) => `library-${n}`

export class LibraryPublisher {
  readonly #spine: Eventspine
  readonly #acknowledged: number[] = []
  readonly #latencyMs: number[] = []
  readonly #perWindow: number[] = []
  readonly #others: Record<string, number> = {}
  readonly #asked: Asked[] = []
  #turning: Promise<void> | undefined
  #over = false
  /** When the first was published. */
  #beganAtMs: number | undefined
  #offered = 0
  #open = 0
  #overloaded = 0
  #withoutRetryAfter = 0

  constructor(spine: Eventspine) {
    this.#spine = spine
  }

  publish(question: Asked): void {
    this.#asked.push(question)
    this.#turning ??= this.#turn().finally(() => {
      this.#turning = undefined
    })
  }

  async #turn(): Promise<void> {
    let endsAtMs = monotonicMs() + turnMs
    for (let question = this.#asked.shift(); question !== undefined; question = this.#asked.shift()) {
      const { first, count, intendedAtMs, everyMs } = question
      for (let n = 0; n < count && !this.#over; n++) {
        this.#publish(first + n, intendedAtMs + n * everyMs)
        if (monotonicMs() < endsAtMs) continue
        await setImmediate()
        endsAtMs = monotonicMs() + turnMs
      }
    }
  }

  async flood(first: number, inFlight: number, seconds: number): Promise<void> {
    this.#beganAtMs = monotonicMs()
    while (this.#elapsedMs() < seconds * 1_000) {
      while (this.#open < inFlight) this.#publish(first + this.#offered, monotonicMs())
      await delay(1)
    }
  }

  async tally(): Promise<LibraryLoad> {
    // What this process had no time to ask for is not asked for.
    this.#over = true
    await this.#turning
    const seconds = this.#elapsedMs() / 1_000
    while (this.#open > 0) await delay(beatMs)
    return {
      ...{ kind: 'loaded', offered: this.#offered, seconds, acknowledged: this.#acknowledged },
      ...{ overloaded: this.#overloaded, withoutRetryAfter: this.#withoutRetryAfter, others: this.#others },
      ...{ latencyMs: this.#latencyMs, perWindow: Array.from(this.#perWindow, (count) => count ?? 0) },
    }
  }

  #publish(n: number, intendedAtMs: number): void {
    this.#offered++
    this.#beganAtMs ??= monotonicMs()
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
    return monotonicMs() - (this.#beganAtMs ?? monotonicMs())
  }
}
