// GET /v1/events/tail: the log as server-sent events. A reader pulls: what it does not take is not read from the
// database, so a slow one costs one page of memory and delays nobody. One that follows live is then sent what is newest.
import { setTimeout as delay } from 'node:timers/promises'
import { type EventQuery, EventspineError, type Operator } from 'eventspine'
import type { ServerLimits } from '../options.js'
import type { Answer, Incoming } from '../route/route.js'
import { Pace } from './pace.js'
import { foreignPlace } from './place.js'
import { pageEventsMax, type TailMessage, TailReader, type TailStart } from './reader.js'
import { greeting, sentEvents } from './sent-events.js'

/** How long to wait after the log could not be read. */
const failurePauseMs = 2_000

/** Without a query nothing can match, and only heartbeats are sent. */
export async function tailStream(
  incoming: Incoming,
  operator: Operator,
  query: EventQuery | undefined,
  start: TailStart,
): Promise<Answer> {
  try {
    return await sentEvents(incoming, async (ended) => {
      const reader = query === undefined ? undefined : new TailReader(operator, query, start.place)
      const first = (await reader?.begin(start.from)) ?? []
      return new Tail(incoming, reader, start.pace, ended).messages(first)
    })
  } catch (error) {
    // The reader's cursor came out of the id.
    throw error instanceof EventspineError && error.field === '/cursor' ? foreignPlace(error) : error
  }
}

class Tail {
  readonly #incoming: Incoming
  readonly #reader: TailReader | undefined
  readonly #limits: ServerLimits
  readonly #pace: Pace | undefined
  readonly #ended: AbortSignal

  constructor(
    incoming: Incoming,
    reader: TailReader | undefined,
    pace: TailStart['pace'],
    ended: AbortSignal,
  ) {
    this.#incoming = incoming
    this.#reader = reader
    this.#limits = incoming.settings.limits
    const { tailPollMs: roundMs, tailLiveEventsMax: eventsMax } = this.#limits
    this.#pace = pace === 'all' ? undefined : new Pace({ roundMs, eventsMax }, performance.now())
    this.#ended = ended
  }

  async *messages(first: readonly TailMessage[]): AsyncGenerator<string> {
    yield greeting
    let messages = first
    let saidAt = performance.now()
    while (!this.#ended.aborted) {
      for (const { id, event } of messages) yield `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`
      if (messages.length > 0) saidAt = performance.now()
      else await this.#pause(this.#limits.tailPollMs)
      const leftOut = await this.#keepUp(messages.length)
      if (leftOut !== undefined) yield leftOut
      if (performance.now() - saidAt >= this.#limits.tailHeartbeatMs) {
        yield ': heartbeat\n\n'
        saidAt = performance.now()
      }
      if (!this.#ended.aborted) messages = await this.#read()
    }
  }

  // A database that is away for a while is no reason to end: a browser would not come back after a refusal.
  async #read(): Promise<readonly TailMessage[]> {
    return (await this.#tried(() => this.#reader?.next())) ?? []
  }

  /** What a reader that follows live is told was left out; undefined while nothing is. */
  async #keepUp(events: number): Promise<string | undefined> {
    const step = this.#pace?.taken(events, events >= pageEventsMax, performance.now())
    if (step?.kind !== 'pass') return undefined
    await this.#pause(step.afterMs)
    const passed = await this.#tried(() => this.#reader?.passOver())
    if (passed === undefined || passed.events === 0) return undefined
    const { cursor, ...told } = passed
    return `id: ${cursor}\nevent: left-out\ndata: ${JSON.stringify(told)}\n\n`
  }

  async #tried<Result>(ask: () => Promise<Result> | undefined): Promise<Result | undefined> {
    try {
      return await ask()
    } catch (error) {
      this.#incoming.logger.warn('tail cannot read the log', { error })
      await this.#pause(failurePauseMs)
      return undefined
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ended }).catch(() => undefined)
  }
}
