// Runs user code: decodes the event, hands it over with its context, watches the deadline, and turns whatever happens
// into an outcome. A handler can throw, hang or answer nonsense; this never rejects.
import type { AnyEventDefinition, InputOf } from '../event/definition.js'
import type { Event } from '../event/event.js'
import { deliveryId, type Preparation, prepare } from '../event/index.js'
import type { Decoded, EventRegistry } from '../event/registry.js'
import type { NewEvent, StoredEvent } from '../event/stored.js'
import { Cancellation, type Clock, type Random } from '../kernel/index.js'
import { boundLogger, type Logger } from '../observe/log.js'
import { type HandleSpan, startHandleSpan } from '../observe/trace.js'
import { TimeoutError, ValidationError } from './category.js'
import type { HandlerContext, HandlerPublishOptions, Transaction } from './context.js'
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
      const decoded = await this.decode(event)
      if (!decoded.ok) throw new ValidationError(decoded.message)
      await withDeadline(clock, subscription.deadlineMs, cancellation, (inner) =>
        this.#invoke(attempt, id, decoded.data, inner, publications, span),
      )
      if (cancellation.cancelled) return { kind: 'abandoned' }
      span.end('done')
      return { kind: 'done', published: attempt.replay === '' ? await publications.collect() : [] }
    } catch (error) {
      if (cancellation.cancelled) return { kind: 'abandoned' }
      const outcome = outcomes.failed(error, attempt.attempt, subscription.retry, random)
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
      publications.close()
    }
  }

  decode(event: StoredEvent): Promise<Decoded> {
    let decoded = this.#decoded.get(event)
    if (decoded === undefined) {
      decoded = this.body(event).then((json) =>
        this.#services.registry.decode(event.type, event.version, json),
      )
      this.#decoded.set(event, decoded)
      // A body that could not be fetched is asked for again at the next attempt.
      decoded.catch(() => this.#decoded.delete(event))
    }
    return decoded
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
        return subscription.transact(seen, Object.assign(context, { tx: transaction }))
      return subscription.handle?.(seen, context)
    })
  }
}

/** Events that a handler publishes: kept until its outcome is recorded, dropped when it fails. */
class Publications {
  readonly #attempt: Attempt
  readonly #traceparent: string
  readonly #services: RunnerServices
  readonly #pending: Promise<NewEvent>[] = []
  #open = true

  constructor(attempt: Attempt, traceparent: string, services: RunnerServices) {
    this.#attempt = attempt
    this.#traceparent = traceparent
    this.#services = services
  }

  async add<Definition extends AnyEventDefinition>(
    definition: Definition,
    data: InputOf<Definition>,
    options: HandlerPublishOptions = {},
  ): Promise<{ readonly id: string }> {
    if (!this.#open)
      throw new Error('publish was called after the handler ended: await it inside the handler')
    if (this.#pending.length >= publicationsMax)
      throw new Error(`A handler may publish at most ${publicationsMax} events; split the work`)
    const { event } = this.#attempt
    const prepared = Promise.resolve()
      .then(() =>
        prepare(
          definition,
          data,
          {
            ...options,
            tenant: event.tenant,
            correlationId: event.correlationId,
            causationId: event.id,
            traceparent: this.#traceparent,
          },
          this.#services.preparation,
        ),
      )
      .then((complete) => this.#services.checkIn(complete))
    this.#pending.push(prepared)
    // The handler may not await it; the failure is then seen in `collect`.
    prepared.catch(() => {})
    return { id: (await prepared).id }
  }

  collect(): Promise<readonly NewEvent[]> {
    return Promise.all(this.#pending)
  }

  close(): void {
    this.#open = false
  }
}

const publicationsMax = 1_000

/** Rejects with TimeoutError at the deadline. What the handler does afterwards is ignored; its signal has told it. */
async function withDeadline(
  clock: Clock,
  ms: number,
  outer: Cancellation,
  work: (cancellation: Cancellation) => unknown,
): Promise<void> {
  const inner = new Cancellation()
  const result = work(inner)
  if (!isThenable(result)) return
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
    await Promise.race([result, ended])
  } finally {
    cancel()
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

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
