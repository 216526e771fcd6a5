// Where holders of a lease died again and again at one place of the log, the events behind that place are taken apart:
// each becomes a suspect that runs alone. What came into the log only after the last of them died is none.
import type { StoredEvent } from '../event/stored.js'
import type { Lease } from './port.js'

/** Deaths of earlier holders at this place of the log after which its events are taken apart. */
export const isolateAfterDeaths = 2
/** Of these at least so many: what can have run ahead of the cursor. */
const eventsMin = 100

export class Isolation {
  readonly #lastTick: number
  #over: boolean

  /** `lastTick`: the newest one when the lease was granted. No earlier holder has read behind it. */
  constructor(lease: Lease, lastTick: number) {
    this.#lastTick = lastTick
    this.#over = lease.deaths < isolateAfterDeaths
  }

  /** How many events to read and judge now; 0 when none is suspected. */
  eventsMax(concurrency: number): number {
    return this.#over ? 0 : Math.max(eventsMin, concurrency * 2)
  }

  /** The first `eventsMax` of those that a holder may have run. */
  suspects(events: readonly StoredEvent[], eventsMax: number): ReadonlySet<StoredEvent> {
    if (events.length > 0) this.#over = true
    return new Set(events.slice(0, eventsMax).filter(({ tick }) => tick <= this.#lastTick))
  }
}
