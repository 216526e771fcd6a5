// Runs user code: decodes the event, hands it over with its context, watches the deadline, and turns whatever happens
// into an outcome. A handler can throw, hang or answer nonsense; this never rejects.
import type { AnyEventDefinition, InputOf } from '../event/definition.js'
import type { Event } from '../event/event.js'
import { deliveryId, type Preparation, prepare } from '../event/index.js'
import type { Decoded, EventRegistry } from '../event/registry.js'
import type { NewEvent, StoredEvent } from '../event/stored.js'
import { Cancellation, type Clock, EventspineError, type Random } from '../kernel/index.js'
import { boundLogger, type Logger } from '../observe/log.js'
import { type HandleSpan, publishSpan, startHandleSpan } from '../observe/trace.js'
import { HandlerError, ProcessingError, TimeoutError, ValidationError } from './category.js'
import type { HandlerContext, HandlerPublishOptions, Transaction } from './context.js'
import { connectionLost } from './failure.js'
import { type Outcome, outcomes } from './outcome.js'
import type { RetryPolicy } from './retry-policy.js'

export interface Attempt {
  readonly subscription: {
    readonly name: string
    readonly handle: ((event: Event, context: HandlerContext) => unknown) | undefined
    readonly transact:
      | ((event: Event, context: HandlerContext & { readonly tx: Transaction }) => unknown)
      | undefined
    readonly retry: RetryPolicy
    readonly deadlineMs: number
  }
  readonly event: StoredEvent
  readonly attempt: number
  readonly round: number
  readonly replay: string
  /** When the lease is lost or the worker stops. */
  readonly cancellation: Cancellation
  readonly transaction: Transaction | undefined
}

export interface RunnerServices {
  readonly registry: EventRegistry
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly preparation: Preparation
  /** Body of a claimed event. */
  fetchBody(reference: string): Promise<string>
  /** Sends a large body to the object store before its event is recorded. */
  checkIn(event: NewEvent): Promise<NewEvent>
}

export class Runner {
  readonly #services: RunnerServices
  // One decoding for all subscriptions of an event; gone with the event.
  readonly #decoded = new WeakMap<StoredEvent, Promise<Decoded>>()

  constructor(services: RunnerServices) {
    this.#services = services
  }

  async run(attempt: Attempt): Promise<Outcome> {
    try {
      return await this.#run(attempt)
    } catch (error) {
      // Something around the handler failed, a logger of the user's say. It must not take the process with it.
      return outcomes.failed(error, attempt.attempt, attempt.subscription.retry, this.#services.random)
    }
  }

  async #run(attempt: Attempt): Promise<Outcome> {
    const { event, subscription, cancellation } = attempt
    const { random, clock, logger } = this.#services
    const id = deliveryId(subscription.name, attempt.replay, event.epoch, event.seq)
    const span = startHandleSpan(
      event.traceparent,
      {
        subscription: subscription.name,
        deliveryId: id,
        attempt: attempt.attempt,
        tenant: event.tenant,
        eventId: event.id,
        type: event.type,
      },
      random,
    )
    const publications = new Publications(attempt, span.traceparent, this.#services)
    try {
      // Body, schema and publishing stand inside, too: one of them that hangs would stop its place for ever.
      const published = await withDeadline(clock, subscription.deadlineMs, cancellation, async (inner) => {
        const decoded = await persistently(clock, inner, () => this.decode(event))
        if (!decoded.ok) throw undecodable(decoded)
        await this.#invoke(attempt, id, decoded.data, inner, publications, span)
        publications.close()
        return publications.collect()
      })
      if (cancellation.cancelled) return abandoned(span)
      span.end('done')
      // A replay runs one handler again, and no other: what it publishes was published before.
      return { kind: 'done', published: attempt.replay === '' ? published : [] }
    } catch (error) {
      if (cancellation.cancelled) return abandoned(span)
      const judge = publications.interrupted ? outcomes.interrupted : outcomes.failed
      const outcome = judge(error, attempt.attempt, subscription.retry, random)
      if (outcome.kind !== 'done' && outcome.kind !== 'abandoned') {
        const { category, message, name } = outcome.failure
        span.end(outcome.kind, category, message)
        const level = outcome.kind === 'dead' ? 'error' : 'warn'
        logger[level](outcome.kind === 'dead' ? 'delivery is dead' : 'delivery will be retried', {
          subscription: subscription.name,
          delivery: id,
          event: event.id,
          type: event.type,
          tenant: event.tenant,
          correlation: event.correlationId,
          attempt: attempt.attempt,
          category,
          error: `${name}: ${message}`,
        })
      }
      return outcome
    } finally {
      publications.end()
    }
  }

  async decode(event: StoredEvent): Promise<Decoded> {
    const known = this.#decoded.get(event)
    if (known === undefined) {
      const decoding = this.#decodeAnew(event)
      this.#decoded.set(event, decoding)
      // A body that could not be fetched is asked for again at the next attempt.
      decoding.catch(() => this.#decoded.delete(event))
      return decoding
    }
    const decoded = await known
    return decoded.ok && !decoded.shareable ? this.#decodeAnew(event) : decoded
  }

  async #decodeAnew(event: StoredEvent): Promise<Decoded> {
    return this.#services.registry.decode(event.type, event.version, await this.body(event))
  }

  async body(event: StoredEvent): Promise<string> {
    return event.data ?? (event.claim === null ? 'null' : this.#services.fetchBody(event.claim))
  }

  #invoke(
    attempt: Attempt,
    id: string,
    data: unknown,
    cancellation: Cancellation,
    publications: Publications,
    span: HandleSpan,
  ): unknown {
    const { subscription, event, transaction } = attempt
    const context: HandlerContext = {
      deliveryId: id,
      subscription: subscription.name,
      tenant: event.tenant,
      attempt: attempt.attempt,
      round: attempt.round,
      replay: attempt.replay === '' ? undefined : attempt.replay,
      get signal() {
        return cancellation.signal
      },
      publish: (definition, input, options) => publications.add(definition, input, options),
      log: boundLogger(this.#services.logger, {
        subscription: subscription.name,
        delivery: id,
        event: event.id,
        tenant: event.tenant,
        correlation: event.correlationId,
      }),
    }
    const seen = eventFor(event, data)
    return span.within(() => {
      if (subscription.transact !== undefined && transaction !== undefined)
        return subscription.transact(seen, Object.assign(context, { tx: publications.guarded(transaction) }))
      return subscription.handle?.(seen, context)
    })
  }
}

/** While versions roll out, an event can be newer than the app that meets it: it waits for one that knows it. */
const newerVersionRetryMs = 60_000

function undecodable(decoded: Decoded & { readonly ok: false }): Error {
  if (!decoded.newer) return new ValidationError(decoded.message)
  return new HandlerError('unknown', decoded.message, { retryAfterMs: newerVersionRetryMs })
}

function abandoned(span: HandleSpan): Outcome {
  span.end('abandoned')
  return { kind: 'abandoned' }
}

/** Events that a handler publishes: kept until its outcome is recorded, dropped when it fails. */
class Publications {
  readonly #attempt: Attempt
  readonly #traceparent: string
  readonly #services: RunnerServices
  readonly #pending: Promise<NewEvent>[] = []
  readonly #ended = new Cancellation()
  #open = true
  #interrupted = false

  constructor(attempt: Attempt, traceparent: string, services: RunnerServices) {
    this.#attempt = attempt
    this.#traceparent = traceparent
    this.#services = services
  }

  /** Rejects what cannot be published. A handler need not await it: `collect` rejects as well. */
  add<Definition extends AnyEventDefinition>(
    definition: Definition,
    data: InputOf<Definition>,
    options: HandlerPublishOptions = {},
  ): Promise<{ readonly id: string }> {
    if (!this.#open) return this.#late('publish was called')
    if (this.#pending.length <= publicationsMax) this.#pending.push(this.#prepared(definition, data, options))
    const last = this.#pending.at(-1) as Promise<NewEvent>
    return handled(last.then(({ id }) => ({ id })))
  }

  async #prepared(
    definition: AnyEventDefinition,
    data: unknown,
    options: HandlerPublishOptions,
  ): Promise<NewEvent> {
    if (this.#pending.length >= publicationsMax)
      throw new ProcessingError(`A handler may publish at most ${publicationsMax} events; split the work`)
    const { event } = this.#attempt
    const { preparation, clock, checkIn } = this.#services
    const inherited = { tenant: event.tenant, correlationId: event.correlationId, causationId: event.id }
    // The event carries the span of its publishing, as outside of handlers. Whether it came to be says the outcome of
    // the span above: what a failed attempt published never was.
    const span = publishSpan(definition.type, event.tenant, this.#traceparent)
    try {
      const traced = { ...options, ...inherited, traceparent: span.traceparent ?? this.#traceparent }
      const complete = await prepare(definition, data, traced, preparation)
      const checkedIn = await persistently(clock, this.#ended, () => checkIn(complete))
      span.end()
      return checkedIn
    } catch (error) {
      span.end(error)
      throw error
    }
  }

  /** The transaction as long as the handler runs: what comes later would join the attempt of another. */
  guarded(transaction: Transaction): Transaction {
    return {
      query: (text, values) =>
        this.#open
          ? handled(this.#watched(transaction.query(text, values)))
          : this.#late('a statement was run'),
    }
  }

  /** The database ended the transaction while the handler ran. */
  get interrupted(): boolean {
    return this.#interrupted
  }

  #watched<Result>(statement: Promise<Result>): Promise<Result> {
    return statement.catch((error: unknown) => {
      this.#interrupted ||= connectionLost(error)
      throw error
    })
  }

  // Often nobody awaits it any more, so it is logged too.
  #late(what: string): Promise<never> {
    const error = new Error(`After the handler ended ${what}: await it inside the handler`)
    this.#services.logger.error(error.message, {
      subscription: this.#attempt.subscription.name,
      event: this.#attempt.event.id,
    })
    return handled(Promise.reject(error))
  }

  collect(): Promise<readonly NewEvent[]> {
    return Promise.all(this.#pending)
  }

  close(): void {
    this.#open = false
  }

  /** The attempt is over: nothing of it is tried again. */
  end(): void {
    this.close()
    this.#ended.cancel(new Error('The attempt has ended'))
  }
}

const publicationsMax = 1_000

const unavailablePollMs = 250

/** Asks a store that is away again until the attempt ends: it is no fault of the event, and costs no attempt. */
async function persistently<Result>(
  clock: Clock,
  cancellation: Cancellation,
  work: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const away = error instanceof EventspineError && error.code === 'UNAVAILABLE'
      if (!away || cancellation.cancelled) throw error
      await clock.sleep(unavailablePollMs)
    }
  }
}

/** Whoever awaits it sees its error; a rejection that nobody awaits would end the process. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  return promise
}

/** Rejects with TimeoutError at the deadline. What the handler does afterwards is ignored; its signal has told it. */
async function withDeadline<Result>(
  clock: Clock,
  ms: number,
  outer: Cancellation,
  work: (cancellation: Cancellation) => Promise<Result>,
): Promise<Result> {
  const inner = new Cancellation()
  const result = work(inner)
  let cancel = () => {}
  const ended = new Promise<never>((_, reject) => {
    const end = (reason: unknown) => {
      inner.cancel(reason)
      reject(reason)
    }
    cancel = clock.after(ms, () =>
      end(new TimeoutError(`The handler did not end within its deadline of ${ms} ms`)),
    )
    outer.listen(() => end(outer.reason))
  })
  try {
    return await Promise.race([result, ended])
  } finally {
    cancel()
  }
}

/** The event as handlers and filters see it. */
export function eventFor(event: StoredEvent, data: unknown): Event {
  return Object.freeze({
    id: event.id,
    type: event.type,
    version: event.version,
    source: event.source,
    subject: event.subject ?? undefined,
    tenant: event.tenant,
    key: event.key ?? undefined,
    time: new Date(event.timeMs).toISOString(),
    data,
    traceparent: event.traceparent,
    correlationId: event.correlationId,
    causationId: event.causationId ?? undefined,
    extensions:
      event.extensions === null
        ? noExtensions
        : Object.freeze(JSON.parse(event.extensions) as Event['extensions']),
  })
}

const noExtensions: Event['extensions'] = Object.freeze({})
