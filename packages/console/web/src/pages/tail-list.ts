// What the live list holds: the newest events, those that wait while it stands still, and counts of what is not shown.
import type { EventView } from '../api/views.js'

/** Of those that are shown, and of those that wait. */
export const eventsMax = 1_000

/** What the server left out since it said so last. */
export interface LeftOut {
  readonly events: number
  readonly exact: boolean
}

export class TailList {
  #shown: readonly EventView[] = []
  /** Oldest first. */
  #waiting: EventView[] = []
  #came = 0
  #leftOut = 0
  #exact = true
  #dropped = 0

  /** Newest first, `eventsMax` at most. */
  get shown(): readonly EventView[] {
    return this.#shown
  }

  /** So many wait for `show`, `eventsMax` at most. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** All of which anything is known, those that are not shown among them. */
  get came(): number {
    return this.#came
  }

  /** By the server, which sends no more than can be looked at. */
  get leftOut(): LeftOut {
    return { events: this.#leftOut, exact: this.#exact }
  }

  /** Never shown: more waited than is kept, and the oldest made way. */
  get dropped(): number {
    return this.#dropped
  }

  take(event: EventView): void {
    this.#came += 1
    this.#waiting.push(event)
    if (this.#waiting.length <= eventsMax) return
    this.#waiting.shift()
    this.#dropped += 1
  }

  leaveOut({ events, exact }: LeftOut): void {
    this.#came += events
    this.#leftOut += events
    this.#exact &&= exact
  }

  /** Those that wait are shown, and the oldest make way for them. */
  show(): void {
    this.#shown = [...this.#waiting.reverse(), ...this.#shown].slice(0, eventsMax)
    this.#waiting = []
  }
}
