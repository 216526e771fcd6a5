// The store without a database: the same promises in one process, driven by the clock that it is given, so that a
// run can be repeated turn by turn. `store/conformance` holds it and Postgres to one behaviour.
import type { SqlExecutor } from '../../append/port.js'
import type { Store } from '../store.js'
import { accessPort } from './access.js'
import { appendPort } from './append.js'
import { breakerPort } from './breaker.js'
import { contractPort } from './contract.js'
import { importPort } from './import.js'
import { inspectPort } from './inspect.js'
import { leasePort } from './lease.js'
import { lifecyclePort } from './lifecycle.js'
import { logPort, wakePort } from './log.js'
import { operatePort } from './operate.js'
import { personalPort } from './personal.js'
import { redrivePort } from './redrive.js'
import { replayPort } from './replay.js'
import { retryPort } from './retry.js'
import { schedulePort } from './schedule.js'
import { settlePort } from './settle.js'
import { sourceItemPort } from './source-item.js'
import { sourceLeasePort } from './source-lease.js'
import { tablePort } from './table.js'
import { type MemoryOptions, MemoryTables } from './tables.js'
import type { MemoryQuery } from './transaction.js'
import { webhookPort } from './webhook.js'
import { workflowPort } from './workflow.js'

/** A transaction of the caller's own. What it appends is visible to others when, and only when, it commits. */
export interface CallerTransaction {
  /** So that it can be handed to `publish(tx, …)`. */
  readonly query: MemoryQuery
  /** For `appendWithin`. */
  readonly executor: SqlExecutor
  commit(): void
  /** Harmless when it ended already. */
  rollback(): void
}

export interface MemoryStore extends Store {
  /** Open transactions are seen by ticks as open, however many there are. */
  createMemoryTransaction(): CallerTransaction
  /** Before the clock leaps: leases and signs of life go with it, as if nobody had slept. */
  leap(ms: number): void
}

/** Each port call is one transaction. Two stores share nothing. */
export function createMemoryStore(options: MemoryOptions): MemoryStore {
  const tables = new MemoryTables(options)
  const store = {
    ...appendPort(tables),
    ...logPort(tables),
    ...wakePort(tables),
    ...leasePort(tables),
    ...retryPort(tables),
    ...breakerPort(tables),
    ...settlePort(tables),
    ...redrivePort(tables),
    ...replayPort(tables),
    ...inspectPort(tables),
    ...operatePort(tables),
    ...workflowPort(tables),
    ...schedulePort(tables),
    ...contractPort(tables),
    ...importPort(tables),
    ...sourceLeasePort(tables),
    ...sourceItemPort(tables),
    ...personalPort(tables),
    ...tablePort(),
    ...webhookPort(tables),
    ...accessPort(tables),
    ...lifecyclePort(tables),
  } satisfies Store
  return {
    ...store,
    createMemoryTransaction: () => callerTransaction(tables),
    leap: (ms) => leap(tables, ms),
  }
}

function leap(tables: MemoryTables, ms: number): void {
  for (const consumer of tables.consumers.values()) if (consumer.owner !== null) consumer.leaseUntilMs += ms
  for (const lease of tables.sourceLeases.values()) lease.leaseUntilMs += ms
  for (const [id, worker] of tables.workers)
    tables.workers.set(id, { ...worker, heartbeatAtMs: worker.heartbeatAtMs + ms })
}

function callerTransaction(tables: MemoryTables): CallerTransaction {
  const transaction = tables.begin()
  return {
    query: transaction.query,
    executor: async (text, values) => (await transaction.query(text, values)).rows,
    commit: () => transaction.commit(),
    rollback: () => transaction.rollback(),
  }
}
