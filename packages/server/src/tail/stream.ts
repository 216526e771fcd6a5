// GET /v1/events/tail: the log as server-sent events. A reader pulls: what it does not take is not read from the
// database, so a slow one costs one page of memory and delays nobody.
import { setTimeout as delay } from 'node:timers/promises'
import { type EventQuery, EventspineError, type Operator } from 'eventspine'
import type { ServerLimits } from '../options.js'
import type { Answer, Incoming } from '../route/route.js'
import { foreignPlace } from './place.js'
import { type TailMessage, TailReader, type TailStart } from './reader.js'
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
      return new Tail(incoming, reader, ended).messages(first)
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
  readonly #ended: AbortSignal

  constructor(incoming: Incoming, reader: TailReader | undefined, ended: AbortSignal) {
    this.#incoming = incoming
    this.#reader = reader
    this.#limits = incoming.settings.limits
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
      if (performance.now() - saidAt >= this.#limits.tailHeartbeatMs) {
        yield ': heartbeat\n\n'
        saidAt = performance.now()
      }
      if (!this.#ended.aborted) messages = await this.#read()
    }
  }

  // A database that is away for a while is no reason to end: a browser would not come back after a refusal.
  async #read(): Promise<readonly TailMessage[]> {
    try {
      return (await this.#reader?.next()) ?? []
    } catch (error) {
      this.#incoming.logger.warn('tail cannot read the log', { error })
      await this.#pause(failurePauseMs)
      return []
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ended }).catch(() => undefined)
  }
}
