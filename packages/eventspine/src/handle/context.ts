// What a handler is given besides the event.
import type { AnyEventDefinition, InputOf } from '../event/definition.js'
import type { Event } from '../event/event.js'
import type { Cancellation } from '../kernel/index.js'
import { boundLogger, type Logger } from '../observe/log.js'
import type { Outcome } from './outcome.js'
import type { Publications } from './publications.js'
import type { Attempt } from './runner.js'

export interface HandlerPublishOptions {
  /** Makes repeats one event, as in `publish`. */
  readonly id?: string
  readonly subject?: string
  readonly key?: string
  readonly time?: Date
  readonly extensions?: Readonly<Record<string, string | number | boolean>>
}

export interface HandlerContext {
  /** `subscription/epoch.seq`: the same over retries, redrives and failover. Give it to the outside as idempotency key. */
  readonly deliveryId: string
  readonly subscription: string
  readonly tenant: string
  /** 1 for the first attempt of this round. */
  readonly attempt: number
  /** 0, or how many redrives led here. */
  readonly round: number
  /** The id of the replay, when this is one. */
  readonly replay: string | undefined
  /** Aborts at the deadline, when the lease is lost, and when shutdown runs out of patience. */
  readonly signal: AbortSignal
  /** Recorded with this handler's outcome, in one transaction: if the attempt fails it never was. */
  publish<Definition extends AnyEventDefinition>(
    event: Definition,
    data: InputOf<Definition>,
    options?: HandlerPublishOptions,
  ): Promise<{ readonly id: string }>
  readonly log: Logger
}

/** The database connection of a transactional handler, inside its transaction. */
export interface Transaction {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>
}

/** The transaction as one of several handlers has it that run in it side by side. */
export interface Seat extends Transaction {
  /** Some of them were told to give up. */
  gaveUp(): boolean
  /** Keeps how a failure is reported until it is known whether it counts. */
  postpone(report: (final: Outcome) => void): void
}

export interface TransactionContext extends HandlerContext {
  /** Commits together with the outcome of this delivery, or not at all. */
  readonly tx: Transaction
}

/** One of those that a handler of many is given. */
export interface BatchDelivery<Of = Event> {
  readonly event: Of
  /** As for a handler of this one alone: what it publishes is caused by this event. */
  readonly context: TransactionContext
}

/** What a handler of many has of the call. */
export interface BatchContext {
  /** Commits together with the outcomes of all these deliveries, or not at all. */
  readonly tx: Transaction
  /** Aborts at the deadline, when the lease is lost, and when shutdown runs out of patience. */
  readonly signal: AbortSignal
}

/** The transaction as one delivery has it whose handler takes many. */
export interface BatchSeat extends Transaction {
  /** Settles when the call that this delivery is part of has ended. */
  join(delivery: BatchDelivery): Promise<void>
}

/** What a context reaches of its attempt. */
export interface Underway {
  readonly cancellation: Cancellation
  readonly publications: Publications
}

/** Most handlers look at little of it: signal, log and publications are made when they are asked for. */
export class Context implements HandlerContext {
  readonly deliveryId: string
  readonly subscription: string
  readonly tenant: string
  readonly attempt: number
  readonly round: number
  readonly replay: string | undefined
  /** An arrow, so that it can be taken out of the context. */
  readonly publish: HandlerContext['publish']
  readonly #underway: Underway
  readonly #logger: Logger
  readonly #attempt: Attempt
  #log: Logger | undefined

  constructor(attempt: Attempt, deliveryId: string, underway: Underway, logger: Logger) {
    this.deliveryId = deliveryId
    this.subscription = attempt.subscription.name
    const { item, lease } = attempt
    this.tenant = item.event.tenant
    this.attempt = item.attempt
    this.round = item.round
    this.replay = lease.replay === '' ? undefined : lease.replay
    this.publish = (event, data, options) => underway.publications.add(event, data, options)
    this.#underway = underway
    this.#logger = logger
    this.#attempt = attempt
  }

  get signal(): AbortSignal {
    return this.#underway.cancellation.signal
  }

  get log(): Logger {
    const { event } = this.#attempt.item
    this.#log ??= boundLogger(this.#logger, {
      subscription: this.subscription,
      delivery: this.deliveryId,
      event: event.id,
      tenant: event.tenant,
      correlation: event.correlationId,
    })
    return this.#log
  }
}
