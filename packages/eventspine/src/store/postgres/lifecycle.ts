// Opens, upgrades and closes the store of one cell.
import { EventspineError } from '../../kernel/index.js'
import type { Logger } from '../../observe/log.js'
import type { LifecyclePort } from '../store.js'
import { claimsNeededSince } from './claim.js'
import type { Database } from './database.js'
import { beginLog, checkEpoch, clusterIdentity } from './epoch.js'
import { alone, hasCode, lockKey, unprepared } from './exclusive.js'
import { maintainOnce, makeRoom } from './maintain.js'
import { readMigrations, requireMigrations, runMigrations } from './migrate.js'
import { makePartitions } from './partitions.js'
import { registerSubscriptions } from './register.js'

const versionMin = 150_000
/** Sizes the partitions that are made before the first `maintain`. */
const eventsMsDefault = 30 * 86_400_000

export function lifecycleStatements(database: Database, logger: Logger): LifecyclePort {
  return {
    async open() {
      await requireServer(database)
      await requireMigrations(database, await readMigrations())
      await requireLog(database)
      await checkEpoch(database, logger)
      await preparePartitions(database, logger)
    },
    close: () => database.close(),
    async migrate() {
      await requireServer(database)
      const identity = await clusterIdentity(database)
      return runMigrations(database, await readMigrations(), (execute) => beginLog(execute, identity))
    },
    alone: (name, work) => alone(database, name, work),
    register: (subscriptions) => registerSubscriptions(database, subscriptions),
    claimsNeededSince: () => claimsNeededSince(database),
    makeRoom: async ({ eventsMs }) => void (await makeRoom(database, eventsMs, logger)),
    maintain: (retention) => maintainOnce(database, retention, logger),
    async ping() {
      await database.query('read', 'lifecycle.ping', 'SELECT 1')
    },
  }
}

async function requireServer(database: Database): Promise<void> {
  const [row] = await database.query<{ number: number; version: string; standby: boolean }>(
    'read',
    'lifecycle.server',
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version, pg_is_in_recovery() AS standby`,
  )
  if (row === undefined || row.number < versionMin) {
    throw new EventspineError(
      'DATABASE_UNSUPPORTED',
      `The server is PostgreSQL ${row?.version}. Eventspine needs PostgreSQL 15 or newer: upgrade it, or leave DATABASE_URL out to use the embedded one.`,
    )
  }
  if (row.standby) {
    throw new EventspineError(
      'UNAVAILABLE',
      'The database is a read-only standby. Point the URL at the primary; after a failover this passes by itself.',
      { retryAfterMs: 2_000 },
    )
  }
}

// Tables without a log: they were copied without their rows.
async function requireLog(database: Database): Promise<void> {
  const epochs = await database.query('read', 'lifecycle.epochs', 'SELECT FROM eventspine.epoch LIMIT 1')
  if (epochs.length > 0) return
  const identity = await clusterIdentity(database)
  await unprepared(database, async (execute) => {
    await execute('migrate.lock', `SELECT pg_advisory_xact_lock(${lockKey('eventspine.migrate')})`)
    await beginLog(execute, identity)
  })
}

// A role that may not create tables leaves it to one that may; health shows how many partitions lie ahead.
async function preparePartitions(database: Database, logger: Logger): Promise<void> {
  try {
    await makePartitions(database, eventsMsDefault, logger)
  } catch (error) {
    if (!hasCode(error, 'insufficient_privilege')) throw error
    logger.warn('partitions ahead are left to a worker whose role may create tables', {
      schema: database.schema,
    })
  }
}
