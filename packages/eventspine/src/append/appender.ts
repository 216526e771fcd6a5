// Micro-batches: publishes that arrive while a batch is on its way to the log travel together in the next one. One
// batch at a time, so that events published in turn by one process stand in that order in the log.
import { fitsBytes } from '../event/json/index.js'
import type { NewEvent } from '../event/stored.js'
import { type Clock, EventspineError } from '../kernel/index.js'
import type { AppendOutcome, AppendPort, ClaimPort } from './port.js'

export interface AppendLimits {
  /** Bytes of JSON above which a body goes to the object store. */
  readonly softLimitBytes: number
  readonly batchEventsMax: number
  readonly batchBytesMax: number
  /** Events waiting in memory above which publishing is refused with OVERLOADED. */
  readonly pendingEventsMax: number
}

export const appendLimitsDefault: AppendLimits = {
  softLimitBytes: 64 * 1024,
  batchEventsMax: 2_000,
  batchBytesMax: 4 * 1024 * 1024,
  pendingEventsMax: 50_000,
}

interface Pending {
  readonly event: NewEvent
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: unknown) => void
}

export class Appender {
  readonly #port: AppendPort
  readonly #claim: ClaimPort
  readonly #limits: AppendLimits
  readonly #clock: Clock
  readonly #appended: () => void
  #queue: Pending[] = []
  #flushing: Promise<void> | undefined

  /** `appended` is called after each batch: it wakes the readers. */
  constructor(port: AppendPort, claim: ClaimPort, limits: AppendLimits, clock: Clock, appended: () => void) {
    this.#port = port
    this.#claim = claim
    this.#limits = limits
    this.#clock = clock
    this.#appended = appended
  }

  get pending(): number {
    return this.#queue.length
  }

  /** Resolves when the event is in the log, durably. */
  append(event: NewEvent): Promise<AppendOutcome> {
    if (this.#queue.length >= this.#limits.pendingEventsMax) {
      return Promise.reject(
        new EventspineError(
          'OVERLOADED',
          `${this.#queue.length} events wait to be written, which is the limit. Publish again after a moment, or publish less at once.`,
          { retryAfterMs: 1_000 },
        ),
      )
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /** All or nothing, in one transaction. */
  async appendAll(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    const outcomes = await this.#port.appendAll(await this.#checkIn(events))
    this.#appended()
    return outcomes
  }

  /** Bodies over the soft limit leave for the object store before the event is written: a reference to nothing
   *  would be worse than a body without an event. */
  async checkIn(event: NewEvent): Promise<NewEvent> {
    if (event.data === null || fitsBytes(event.data, this.#limits.softLimitBytes)) return event
    return { ...event, data: null, claim: await this.#claim.put(event.tenant, event.data) }
  }

  async #checkIn(events: readonly NewEvent[]): Promise<readonly NewEvent[]> {
    const { softLimitBytes } = this.#limits
    if (events.every(({ data }) => data === null || fitsBytes(data, softLimitBytes))) return events
    return Promise.all(events.map((event) => this.checkIn(event)))
  }

  async #flush(): Promise<void> {
    // One turn of the microtask queue lets a loop of publishes without await become one batch.
    await undefined
    while (this.#queue.length > 0) await this.#write(this.#take())
    this.#flushing = undefined
  }

  #take(): Pending[] {
    let bytes = 0
    let count = 0
    const ids = new Set<string>()
    for (const { event } of this.#queue) {
      bytes += event.data?.length ?? 0
      // Two with one id in one statement could not be told apart by it: the second waits for the next batch.
      const identity = event.fingerprint === null ? null : `${event.tenant}\n${event.source}\n${event.id}`
      const repeated = identity !== null && ids.has(identity)
      if (
        count > 0 &&
        (repeated || count >= this.#limits.batchEventsMax || bytes > this.#limits.batchBytesMax)
      )
        break
      if (identity !== null) ids.add(identity)
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    try {
      const outcomes = await this.#port.append(await this.#checkIn(batch.map((pending) => pending.event)))
      batch.forEach((pending, index) => {
        pending.resolve(outcomes[index] ?? 'stored')
      })
      this.#appended()
    } catch (error) {
      for (const pending of batch) pending.reject(error)
    }
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing
    await this.#clock.sleep(0)
  }
}
