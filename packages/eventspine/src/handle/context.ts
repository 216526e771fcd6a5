// What a handler is given besides the event.
import type { AnyEventDefinition, InputOf } from '../event/definition.js'
import type { Logger } from '../observe/log.js'

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

export interface TransactionContext extends HandlerContext {
  /** Commits together with the outcome of this delivery, or not at all. */
  readonly tx: Transaction
}
