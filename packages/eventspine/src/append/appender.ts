// Micro-batches: publishes that arrive while a batch is on its way to the log travel together in the next one. One
// batch at a time, so that events published in turn by one process stand in that order in the log. What an alarm waits
// for stands in a line of its own, before all others.
import { fitsBytes } from '../event/json/index.js'
import type { NewEvent } from '../event/stored.js'
import { type Clock, EventspineError } from '../kernel/index.js'
import type { Act, AppendOutcome, AppendPort, ClaimPort, SqlExecutor } from './port.js'
import { isRefusal, refusedBy } from './refusal.js'

export interface AppendLimits {
  /** Bytes of JSON above which a body goes to the object store. */
  readonly softLimitBytes: number
  readonly batchEventsMax: number
  readonly batchBytesMax: number
  /** Events on their way to the log above which publishing is refused with OVERLOADED. As many again for those that
   *  subscriptions with priority `alarm` read: the others never fill their place. */
  readonly pendingEventsMax: number
  /** The same for the bytes of their bodies and extensions. */
  readonly pendingBytesMax: number
  /** Events of one `publishMany`, which is one transaction. */
  readonly callEventsMax: number
  /** Bytes of their bodies and extensions. */
  readonly callBytesMax: number
}

const mebibyte = 1024 * 1024

export const appendLimitsDefault: AppendLimits = {
  softLimitBytes: 64 * 1024,
  batchEventsMax: 2_000,
  batchBytesMax: 4 * mebibyte,
  pendingEventsMax: 50_000,
  pendingBytesMax: 64 * mebibyte,
  callEventsMax: 10_000,
  callBytesMax: 32 * mebibyte,
}

/** What an event weighs: the parts of it that a publisher can make large. */
export const bytesOf = ({ data, extensions }: Pick<NewEvent, 'data' | 'extensions'>) =>
  (data === null ? 0 : Buffer.byteLength(data)) + (extensions?.length ?? 0)

// Refusing must be cheaper than what it saves: with its stack a refusal cost 25 µs, as much as a publish; without, 14.
function withoutStack<Made>(make: () => Made): Made {
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

/** Events that enter the log in the order in which they were appended: behind one that was not taken, none is. */
export interface Sequence {
  /** Why one of them was not taken, and therefore no other; undefined while all are. */
  readonly fault: unknown
  /** Told at once, before the next batch: what is wrong with the event alone holds up none behind it. */
  failed(error: unknown): void
}

interface Pending {
  readonly event: NewEvent
  readonly sequence: Sequence | undefined
  readonly bytes: number
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: unknown) => void
}

/** Events on their way to the log. */
interface Line {
  readonly queue: Pending[]
  events: number
  bytes: number
}

export interface AppenderServices {
  readonly port: AppendPort
  readonly claim: ClaimPort
  readonly limits: AppendLimits
  readonly clock: Clock
  /** True for types of events that a subscription with priority `alarm` reads. */
  readonly isAlarm: (type: string) => boolean
  /** Called after each batch: it wakes the readers. */
  readonly appended: (events: number) => void
}

export class Appender {
  readonly #services: AppenderServices
  readonly #limits: AppendLimits
  // A flood of 50,000 readings before it held up an alarm by 2.7 s.
  readonly #alarms: Line = { queue: [], events: 0, bytes: 0 }
  readonly #others: Line = { queue: [], events: 0, bytes: 0 }
  #flushing: Promise<void> | undefined

  constructor(services: AppenderServices) {
    this.#services = services
    this.#limits = services.limits
  }

  #lineOf(events: readonly NewEvent[]): Line {
    return events.some(({ type }) => this.#services.isAlarm(type)) ? this.#alarms : this.#others
  }

  /** Resolves when the event is in the log, durably. Of a sequence: behind those that were appended before it, or not at all. */
  append(event: NewEvent, sequence?: Sequence): Promise<AppendOutcome> {
    const bytes = bytesOf(event)
    const line = this.#lineOf([event])
    const fault = sequence?.fault ?? (this.#isFull(line, 1, bytes) ? this.#overloaded(line) : undefined)
    if (fault !== undefined) {
      sequence?.failed(fault)
      return Promise.reject(fault)
    }
    line.events++
    line.bytes += bytes
    return new Promise((resolve, reject) => {
      line.queue.push({ event, sequence, bytes, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /** All or nothing, in one transaction. */
  appendAll(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    return this.#counting(events, async () => {
      const outcomes = await this.#services.port
        .appendAll(await this.#checkIn(events))
        .catch((error: unknown) => {
          throw isRefusal(error) ? refusedBy(error, events.length) : error
        })
      this.#services.appended(events.length)
      return outcomes
    })
  }

  /** In the caller's own transaction. */
  appendWithin(executor: SqlExecutor, event: NewEvent): Promise<AppendOutcome> {
    return this.#counting([event], async () => {
      const [outcome = 'stored'] = await this.#services.port.appendWithin(executor, [
        await this.checkIn(event),
      ])
      return outcome
    })
  }

  /** With its audit row, in one transaction. */
  appendActed(event: NewEvent, act: Act): Promise<AppendOutcome> {
    return this.#counting([event], async () => {
      const outcome = await this.#services.port.appendActed(await this.checkIn(event), act)
      this.#services.appended(1)
      return outcome
    })
  }

  async #counting<Result>(events: readonly NewEvent[], work: () => Promise<Result>): Promise<Result> {
    const bytes = events.reduce((sum, event) => sum + bytesOf(event), 0)
    const line = this.#lineOf(events)
    if (this.#isFull(line, events.length, bytes)) throw this.#overloaded(line)
    line.events += events.length
    line.bytes += bytes
    try {
      return await work()
    } finally {
      line.events -= events.length
      line.bytes -= bytes
    }
  }

  // What is legal on its own must not be refused for ever, so where nothing waits everything fits.
  #isFull(line: Line, events: number, bytes: number): boolean {
    const { pendingEventsMax, pendingBytesMax } = this.#limits
    if (line.events === 0) return false
    return line.events + events > pendingEventsMax || line.bytes + bytes > pendingBytesMax
  }

  #overloaded({ events, bytes }: Line): EventspineError {
    const mebibytes = (bytes / mebibyte).toFixed(1)
    return withoutStack(
      () =>
        new EventspineError(
          'OVERLOADED',
          `${events} events of ${mebibytes} MiB wait to be written, and there is no room for more. Publish again after a moment, or publish less at once.`,
          { retryAfterMs: 1_000 },
        ),
    )
  }

  #isSmall({ data }: NewEvent): boolean {
    return data === null || fitsBytes(data, this.#limits.softLimitBytes)
  }

  /** Bodies over the soft limit leave for the object store before the event is written: a reference to nothing
   *  would be worse than a body without an event. */
  async checkIn(event: NewEvent): Promise<NewEvent> {
    if (event.data === null || this.#isSmall(event)) return event
    return { ...event, data: null, claim: await this.#services.claim.put(event.tenant, event.data) }
  }

  async #checkIn(events: readonly NewEvent[]): Promise<readonly NewEvent[]> {
    if (events.every((event) => this.#isSmall(event))) return events
    return Promise.all(events.map((event) => this.checkIn(event)))
  }

  async #flush(): Promise<void> {
    // One turn of the microtask queue lets a loop of publishes without await become one batch.
    await undefined
    for (let line = this.#next(); line !== undefined; line = this.#next())
      await this.#write(line, this.#take(line))
    this.#flushing = undefined
  }

  #next(): Line | undefined {
    return [this.#alarms, this.#others].find(({ queue }) => queue.length > 0)
  }

  #take({ queue }: Line): Pending[] {
    let size = 0
    let count = 0
    const ids = new Set<string>()
    for (const { event, bytes } of queue) {
      size += bytes
      // Two with one id in one statement could not be told apart by it: the second waits for the next batch.
      const identity = event.fingerprint === null ? null : `${event.tenant}\n${event.source}\n${event.id}`
      const repeated = identity !== null && ids.has(identity)
      if (
        count > 0 &&
        (repeated || count >= this.#limits.batchEventsMax || size > this.#limits.batchBytesMax)
      )
        break
      if (identity !== null) ids.add(identity)
      count++
    }
    return queue.splice(0, count)
  }

  async #write(line: Line, batch: readonly Pending[]): Promise<void> {
    await this.#store(await this.#checkedIn(batch))
    for (const { bytes } of batch) line.bytes -= bytes
    line.events -= batch.length
  }

  // A body that the object store does not take is no fault of its neighbours.
  async #checkedIn(batch: readonly Pending[]): Promise<readonly Pending[]> {
    if (batch.every(({ event }) => this.#isSmall(event))) return batch
    const checked = batch.map(async (pending) => {
      try {
        return { ...pending, event: await this.checkIn(pending.event) }
      } catch (error) {
        refuse(pending, error)
        return undefined
      }
    })
    return (await Promise.all(checked)).filter((pending) => pending !== undefined)
  }

  // An event that the database refuses takes no other with it: the batch is halved until that one stands alone. Only
  // after an answer that says that nothing was stored; where that is in doubt, a second try could store it twice.
  async #store(taken: readonly Pending[]): Promise<void> {
    const batch = taken.filter(isInSequence)
    if (batch.length === 0) return
    try {
      const outcomes = await this.#services.port.append(batch.map(({ event }) => event))
      batch.forEach(({ resolve }, index) => resolve(outcomes[index] ?? 'stored'))
      this.#services.appended(batch.length)
    } catch (error) {
      const refusal = isRefusal(error)
      if (!refusal || batch.length === 1) {
        for (const pending of batch) refuse(pending, refusal ? refusedBy(error, 1) : error)
        return
      }
      const half = batch.length >> 1
      await this.#store(batch.slice(0, half))
      await this.#store(batch.slice(half))
    }
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing
    await this.#services.clock.sleep(0)
  }
}

function refuse({ sequence, reject }: Pending, error: unknown): void {
  sequence?.failed(error)
  reject(error)
}

// What was taken into the queue behind one that fails now would stand in the log before it.
function isInSequence(pending: Pending): boolean {
  const fault = pending.sequence?.fault
  if (fault !== undefined) pending.reject(fault)
  return fault === undefined
}
