// One cell's store in Postgres: the parts of its stages, put together.
import type { Clock } from '../../kernel/index.js'
import type { Logger } from '../../observe/log.js'
import type { Store } from '../store.js'
import { accessStatements } from './access.js'
import { appendStatements } from './append.js'
import { breakerStatements } from './breaker.js'
import { contractStatements } from './contract.js'
import { Database, type DatabaseOptions } from './database.js'
import { importStatements } from './import.js'
import { inspectStatements } from './inspect.js'
import { leaseStatements } from './lease.js'
import { lifecycleStatements } from './lifecycle.js'
import { logStatements } from './log.js'
import { operateStatements } from './operate.js'
import { personalStatements } from './personal.js'
import { redriveStatements } from './redrive.js'
import { replayStatements } from './replay.js'
import { replicationStatements } from './replication.js'
import { retryStatements } from './retry.js'
import { scheduleStatements } from './schedule.js'
import { settleStatements } from './settle.js'
import { sourceItemStatements } from './source-item.js'
import { sourceLeaseStatements } from './source-lease.js'
import { tableStatements } from './table.js'
import { wakeStatements } from './wake.js'
import { webhookStatements } from './webhook.js'
import { workflowStatements } from './workflow.js'

export interface PostgresStoreOptions extends DatabaseOptions {
  /** How long an id given by a publisher is remembered. */
  readonly idempotencyWindowMs: number
}

export type PostgresStore = Store & { readonly database: Database }

export function createPostgresStore(
  options: PostgresStoreOptions,
  clock: Clock,
  logger: Logger,
): PostgresStore {
  const database = new Database(options, clock)
  return {
    database,
    ...lifecycleStatements(database, logger),
    ...appendStatements(database, options.idempotencyWindowMs),
    ...logStatements(database),
    ...wakeStatements(database, clock),
    ...leaseStatements(database),
    ...retryStatements(database),
    ...settleStatements(database, options.idempotencyWindowMs),
    ...redriveStatements(database),
    ...replayStatements(database),
    ...inspectStatements(database),
    ...operateStatements(database),
    ...breakerStatements(database),
    ...workflowStatements(database),
    ...scheduleStatements(database),
    ...contractStatements(database),
    ...importStatements(database, options.idempotencyWindowMs),
    ...sourceLeaseStatements(database),
    ...sourceItemStatements(database),
    ...personalStatements(database),
    ...tableStatements(database),
    ...replicationStatements(database),
    ...webhookStatements(database),
    ...accessStatements(database),
  }
}
