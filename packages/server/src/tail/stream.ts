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
  #saidAt = performance.now()
  /** When the log was asked in vain for the first time since it could be read; undefined while it can. */
  #unreadableSince: string | undefined

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
    while (!this.#ended.aborted) {
      for (const { id, event } of messages) yield `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`
      if (messages.length > 0) this.#saidAt = performance.now()
      else await this.#pause(this.#limits.tailPollMs)
      yield* this.#keepUp(messages.length)
      yield* this.#heartbeat()
      messages = (yield* this.#tried(() => this.#reader?.next())) ?? []
    }
  }

  /** A reader that follows live is told what was left out. */
  async *#keepUp(events: number): AsyncGenerator<string> {
    const step = this.#pace?.taken(events, events >= pageEventsMax, performance.now())
    if (step?.kind !== 'pass') return
    await this.#pause(step.afterMs)
    const passed = yield* this.#tried(() => this.#reader?.passOver())
    if (passed === undefined || passed.events === 0) return
    const { cursor, ...told } = passed
    yield `id: ${cursor}\nevent: left-out\ndata: ${JSON.stringify(told)}\n\n`
  }

  *#heartbeat(): Generator<string> {
    if (performance.now() - this.#saidAt < this.#limits.tailHeartbeatMs) return
    this.#saidAt = performance.now()
    yield ': heartbeat\n\n'
  }

  /** The answer of the log; undefined when it has none. A database that is away for a while is no reason to end: a browser
   *  would not come back after a refusal. Whoever reads is told, and told when it is over. */
  async *#tried<Result>(ask: () => Promise<Result> | undefined): AsyncGenerator<string, Result | undefined> {
    const began = new Date().toISOString()
    const asked = outcomeOf(ask())
    while (!this.#ended.aborted) {
      const outcome = await this.#within(this.#limits.tailHungMs, asked)
      if (outcome !== undefined && 'result' in outcome) {
        if (this.#unreadableSince !== undefined) yield 'event: readable\ndata: {}\n\n'
        this.#unreadableSince = undefined
        return outcome.result
      }
      if (outcome !== undefined) this.#incoming.logger.warn('tail cannot read the log', outcome)
      yield* this.#unreadable(began)
      if (outcome === undefined) continue
      await this.#pause(failurePauseMs)
      return undefined
    }
    return undefined
  }

  /** Once for all that is asked in vain from here on. */
  *#unreadable(began: string): Generator<string> {
    if (this.#unreadableSince !== undefined) return yield* this.#heartbeat()
    this.#unreadableSince = began
    this.#saidAt = performance.now()
    yield `event: unreadable\ndata: ${JSON.stringify({ since: began })}\n\n`
  }

  /** Undefined when it takes longer, or nobody reads any more. */
  async #within<Result>(ms: number, asked: Promise<Result>): Promise<Result | undefined> {
    const answered = new AbortController()
    const waits = delay(ms, undefined, { signal: AbortSignal.any([this.#ended, answered.signal]) })
    try {
      return await Promise.race([asked, waits.catch(() => undefined)])
    } finally {
      answered.abort()
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ended }).catch(() => undefined)
  }
}

type Outcome<Result> = { readonly result: Result | undefined } | { readonly error: unknown }

/** It may be waited for as often as one likes, and for ever: nobody has to catch it. */
const outcomeOf = <Result>(asked: Promise<Result> | undefined): Promise<Outcome<Result>> =>
  Promise.resolve(asked).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  )
