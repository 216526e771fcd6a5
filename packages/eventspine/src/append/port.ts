// What append needs of a store.
import type { NewEvent } from '../event/stored.js'

/** Runs one statement inside the caller's transaction. */
export type SqlExecutor = (
  text: string,
  values: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>

/** Per event, in order: it is in the log, it already was, or its id belongs to another body. */
export type AppendOutcome = 'stored' | 'duplicate' | 'conflict'

/** What a person did, for the audit. */
export interface Act {
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface AppendPort {
  /** All in one transaction of its own. No two events of a batch share (tenant, source, id) with a fingerprint. */
  append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]>
  /** The same, but stores nothing when one of them is a conflict. */
  appendAll(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]>
  /** The same inside the caller's transaction: visible if and only if that commits. */
  appendWithin(executor: SqlExecutor, events: readonly NewEvent[]): Promise<readonly AppendOutcome[]>
  /** One that a person caused, with its audit row, in one transaction; where it was there, neither. */
  appendActed(event: NewEvent, act: Act): Promise<AppendOutcome>
}

/** Where bodies over the soft limit go. */
export interface ClaimPort {
  /** Stores `body` and answers its reference. Writing the same body twice is harmless. */
  put(tenant: string, body: string): Promise<string>
  /** Throws NOT_FOUND when it is gone. */
  get(reference: string): Promise<string>
  /** Removes bodies written before `timeMs`. Answers how many. */
  expire(timeMs: number): Promise<number>
}
