// What settling needs of a store: one statement that records everything a process did since the last one.
import type { ConsumerName, Failure } from '../deliver/port.js'
import type { NewEvent, StoredEvent } from '../event/stored.js'

export type RunOutcome = 'done' | 'retry' | 'dead'

/** One attempt, for the run history. */
export interface Run {
  readonly epoch: number
  readonly seq: number
  readonly round: number
  readonly attempt: number
  /** Milliseconds since 1970, by the worker's clock. */
  readonly startedAtMs: number
  readonly durationMs: number
  readonly outcome: RunOutcome
  readonly failure: Failure | null
}

/** A delivery that becomes, or stays, a row. */
export interface OpenedDelivery {
  readonly event: StoredEvent
  readonly state: 'retry' | 'running' | 'waiting'
  readonly attempt: number
  readonly round: number
  /** Process deaths it is suspected of: such a delivery runs alone. */
  readonly deaths: number
  /** Milliseconds from now by the database clock. */
  readonly dueInMs: number
  readonly failure: Failure | null
}

export interface RescheduledDelivery {
  readonly epoch: number
  readonly seq: number
  readonly dueInMs: number
  /** Null keeps what the row says. */
  readonly failure: Failure | null
  /** False when the claimed attempt never ran to an end of its own (breaker open, shutdown): it is not counted. */
  readonly counted: boolean
}

export interface DeadDelivery {
  readonly event: StoredEvent
  readonly attempt: number
  readonly round: number
  readonly failure: Failure
  /** The key halts until an operator acts. */
  readonly halts: boolean
}

export interface SettlementCounts {
  readonly matched: number
  readonly completed: number
  /** Passed over by policy: expired, cancelled replay, suppressed. */
  readonly skipped: number
}

/** Everything that one consumer wants recorded, all or nothing. */
export interface Settlement extends ConsumerName {
  readonly token: number
  readonly revision: number
  /** New cursor, and the snapshot of its tick: refused when that tick was lost and made anew. */
  readonly tick: number
  readonly tickSnapshot: string | null
  readonly seq: number
  readonly counts: SettlementCounts
  readonly runs: readonly Run[]
  /** New rows for deliveries that the cursor passes. */
  readonly opened: readonly OpenedDelivery[]
  /** Rows that end: completed or dead. */
  readonly closed: readonly { readonly epoch: number; readonly seq: number }[]
  /** Rows that stay and are due again. */
  readonly rescheduled: readonly RescheduledDelivery[]
  readonly dead: readonly DeadDelivery[]
  readonly published: readonly NewEvent[]
  /** The replay reached its end. */
  readonly finished: boolean
}

export interface SettleAnswer {
  /** Ids (`consumerId`) of the consumers whose settlement is recorded. The others lost their lease. */
  readonly settled: ReadonlySet<string>
  /** Published events whose id belongs to another body: nothing of that consumer was recorded. */
  readonly conflicts: ReadonlyMap<string, readonly string[]>
}

export interface SettlePort {
  /** One transaction. Safe to send again when its answer was lost. Alarms have a connection of their own. */
  settle(
    worker: string,
    settlements: readonly Settlement[],
    priority?: 'alarm' | 'normal',
  ): Promise<SettleAnswer>
  /** A transaction for transactional handlers, whose settlement commits with their effects. */
  begin(deadlineMs: number): Promise<SettleTransaction>
}

export interface SettleTransaction {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>
  /** Settles and commits. False when the lease was lost: nothing happened. */
  settle(worker: string, settlement: Settlement): Promise<SettleAnswer>
  /** Rejects when the database does not answer: it then undoes the transaction by itself, sooner or later. */
  rollback(): Promise<void>
}
