// What doctor wants to know of a cell's database.
import type { DatabaseHealth, InspectPort } from '../../inspect/port.js'
import type { Connection, Database } from './database.js'
import { bounded } from './inspect-page.js'

/** Rows of the default partition are counted up to here: one is too many already. */
const defaultRowsMax = 100_000

const settingNames = [
  'autovacuum',
  'fsync',
  'full_page_writes',
  'idle_in_transaction_session_timeout',
  'max_connections',
  'server_version_num',
  'shared_buffers',
  'synchronous_commit',
  'synchronous_standby_names',
  'wal_level',
]

const selectState = `SELECT current_setting('server_version') AS version,
  coalesce((SELECT max(epoch) FROM eventspine.epoch), 0) AS epoch,
  pg_snapshot_xmax(pg_current_snapshot())::text AS xid_next,
  (SELECT count(*) FROM (SELECT 1 FROM eventspine.event_default LIMIT ${defaultRowsMax}) d)::int AS default_rows,
  (SELECT max(name) FROM eventspine.migration) AS migration`

// One that was not analysed yet says -1 or 0: then what the server has counted since it started is nearer.
const selectPartitions = `SELECT greatest(c.reltuples, pg_stat_get_live_tuples(c.oid))::float8 AS rows, pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'eventspine.event'::regclass`

// Sessions that hold a snapshot or a transaction id, and transactions prepared for a second phase: both keep dead rows
// from being cleaned, and the second has no session that would end.
const selectOldest = `SELECT extract(epoch FROM clock_timestamp() - began)::float8 AS age, application, state, pid FROM (
  SELECT xact_start AS began, coalesce(application_name, '') AS application, coalesce(state, '') AS state, pid
  FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND xact_start IS NOT NULL AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
  UNION ALL
  SELECT prepared, gid, 'prepared', 0 FROM pg_prepared_xacts WHERE database = current_database()) holders
ORDER BY began LIMIT 1`

interface StateRow {
  readonly version: string
  readonly epoch: number
  readonly xid_next: string
  readonly default_rows: number
  readonly migration: string | null
}

interface PartitionRow {
  readonly rows: number
  readonly bound: string
}

interface OldestRow {
  readonly age: number
  readonly application: string
  readonly state: string
  readonly pid: number
}

const boundForm = /^FOR VALUES FROM \('?(\d+)'?, '(\d+)'\)/

/** True when no transaction of this epoch can have reached the partition yet. */
export function isAhead(bound: string, epoch: number, xidNext: bigint): boolean {
  const [, from, xid] = boundForm.exec(bound) ?? []
  return from !== undefined && xid !== undefined && Number(from) === epoch && BigInt(xid) > xidNext
}

async function oldestOf(connection: Connection): Promise<DatabaseHealth['oldestTransaction']> {
  const [row] = await connection.query<OldestRow>('inspect.oldest', selectOldest)
  if (row === undefined) return null
  return { ageSeconds: row.age, application: row.application, state: row.state, processId: row.pid }
}

async function settingsOf(connection: Connection): Promise<Record<string, string>> {
  const text = `SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS n(name) ORDER BY name`
  const rows = await connection.query<{ name: string; value: string }>('inspect.settings', text, [
    settingNames,
  ])
  return Object.fromEntries(rows.map((row) => [row.name, row.value]))
}

export function healthInspection(database: Database): Pick<InspectPort, 'health'> {
  return {
    health: () =>
      bounded(database, async (connection) => {
        const [state] = await connection.query<StateRow>('inspect.health', selectState)
        const { version, epoch, xid_next, default_rows, migration } = state as StateRow
        const partitions = await connection.query<PartitionRow>('inspect.partitions', selectPartitions)
        return {
          version,
          epoch,
          eventsEstimate: partitions.reduce((sum, { rows }) => sum + rows, 0),
          partitionsAhead: partitions.filter(({ bound }) => isAhead(bound, epoch, BigInt(xid_next))).length,
          rowsInDefaultPartition: default_rows,
          oldestTransaction: await oldestOf(connection),
          settings: await settingsOf(connection),
          schemaVersion: Number.parseInt(migration ?? '0', 10),
        }
      }),
  }
}
