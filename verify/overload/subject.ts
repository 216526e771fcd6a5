// One thing to overload: HTTP or the library, brought to one form.
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from './app.js'
import { HttpLoader, httpId } from './http-load.js'
import { libraryId } from './library-load.js'
import type { LibraryLoad, Started } from './protocol.js'
import type { System } from './system.js'

export interface Load {
  readonly offered: number
  readonly seconds: number
  readonly acknowledged: readonly number[]
  /** Refused because there is too much: 429, 503, OVERLOADED. */
  readonly shed: number
  /** Never sent: the system did not read what was sent before. */
  readonly heldBack: number
  readonly withoutRetryAfter: number
  /** Refused for other reasons, by what was said. */
  readonly others: Readonly<Record<string, number>>
  readonly unanswered: number
  readonly latencyMs: readonly number[]
  readonly perWindow: readonly number[]
}

export interface Subject {
  readonly name: 'http' | 'library'
  readonly idOf: (n: number) => string
  /** As much as it takes. */
  flood(seconds: number, first: number): Promise<Load>
  /** Open loop. */
  pace(eventsPerSecond: number, seconds: number, first: number): Promise<Load>
  /** The same by clients that send on without waiting, and go away in the middle of it. */
  rude?(eventsPerSecond: number, seconds: number, first: number): Promise<Load>
}

const floodConnections = 48
const paceConnections = 90
const libraryInFlight = 2_000
const beatMs = 5

export class HttpSubject implements Subject {
  readonly name = 'http'
  readonly idOf = httpId
  readonly #started: Started

  constructor(started: Started) {
    this.#started = started
  }

  async flood(seconds: number, first: number): Promise<Load> {
    return this.#load(await this.#loader(floodConnections, first).flood(seconds))
  }

  async pace(eventsPerSecond: number, seconds: number, first: number): Promise<Load> {
    return this.#load(await this.#loader(paceConnections, first).pace(eventsPerSecond, seconds))
  }

  async rude(eventsPerSecond: number, seconds: number, first: number): Promise<Load> {
    const loader = this.#loader(paceConnections, first, true)
    // Nobody waited for the answers.
    return { ...this.#load(await loader.pace(eventsPerSecond, seconds)), unanswered: 0 }
  }

  #loader(connections: number, first: number, rude = false): HttpLoader {
    const { url, key } = this.#started
    return new HttpLoader({ url, key, connections, rude }, first)
  }

  #load({ statuses, ...load }: Awaited<ReturnType<HttpLoader['pace']>>): Load {
    const of = (status: number) => statuses.get(status) ?? 0
    const others = [...statuses].filter(([status]) => ![202, 429, 503].includes(status))
    return { ...load, shed: of(429) + of(503), others: Object.fromEntries(others) }
  }
}

export class LibrarySubject implements Subject {
  readonly name = 'library'
  readonly idOf = libraryId
  readonly #system: System

  constructor(system: System) {
    this.#system = system
  }

  async flood(seconds: number, first: number): Promise<Load> {
    const question = { kind: 'flood', inFlight: libraryInFlight, seconds, first } as const
    return loadOf(await this.#system.load(question, seconds))
  }

  async pace(eventsPerSecond: number, seconds: number, first: number): Promise<Load> {
    const beganAtMs = monotonicMs()
    const elapsedMs = () => monotonicMs() - beganAtMs
    const all = Math.floor(eventsPerSecond * seconds)
    const everyMs = 1_000 / eventsPerSecond
    let sent = 0
    while (sent < all && elapsedMs() < seconds * 1_000) {
      const due = Math.min(all, Math.ceil(elapsedMs() / everyMs))
      const intendedAtMs = beganAtMs + sent * everyMs
      this.#system.tell({ kind: 'publish', first: first + sent, count: due - sent, intendedAtMs, everyMs })
      sent = due
      await delay(beatMs)
    }
    const load = loadOf(await this.#system.load({ kind: 'tally' }, seconds))
    // The caller lives in the process that it overloads, and has no time for more.
    return { ...load, offered: sent, heldBack: sent - load.offered }
  }
}

const loadOf = ({ overloaded, kind: _, ...load }: LibraryLoad): Load => ({
  ...load,
  shed: overloaded,
  ...{ heldBack: 0, unanswered: 0 },
})
