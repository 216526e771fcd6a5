// The slot that a table source reads from: whether there can be one, made behind what it reads by, dropped before it. A slot that
// nobody reads keeps the server's log until the disk is full.
import { EventspineError } from '../../kernel/index.js'
import type { ReplicationLag, TablePlan } from '../../source/port.js'
import type { Database } from './database.js'
import { type Execute, hasCode, verbatim } from './exclusive.js'
import type { CatalogColumn } from './table-catalog.js'

/** A slot begins behind all transactions that are open. */
const beginMsMax = 30_000
/** Whoever reads it holds it as long as a transaction is large. */
const readMsMax = 10_000

const selectRequirements = `SELECT current_setting('wal_level') AS level, (SELECT rolsuper OR rolreplication FROM pg_catalog.pg_roles WHERE rolname = current_user)
    OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname IN ('rds_replication', 'azure_pg_admin') AND pg_has_role(current_user, r.oid, 'member')) AS may,
  ARRAY(SELECT l.oid::regclass::text FROM pg_catalog.pg_class l WHERE l.relkind = 'r' AND l.relreplident <> 'f'
    AND (l.oid = c.oid OR l.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t))) AS poor
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`

/** Throws REQUEST_INVALID where the changes of the table cannot be read from the server's log. */
export async function requireReplication(
  execute: Execute,
  { source, table, columns, redact, tenant }: TablePlan,
  known: ReadonlyMap<string, CatalogColumn>,
): Promise<void> {
  const fault = (message: string) =>
    new EventspineError(
      'REQUEST_INVALID',
      `Source "${source}" is to come through replication, and ${message}.`,
      {
        field: '/source',
      },
    )
  const [row] = await execute<{ level: string; may: boolean; poor: readonly string[] }>(
    'slot.requirements',
    selectRequirements,
    [...[table.schema, table.table]],
  )
  if (row === undefined) return
  if (row.level !== 'logical')
    throw fault(
      `the server has wal_level = ${row.level}: ALTER SYSTEM SET wal_level = logical, and restart it. Or leave out "through"`,
    )
  if (!row.may) throw fault('the role of this connection may not replicate: ALTER ROLE … REPLICATION')
  if (row.poor.length > 0)
    throw fault(
      `of the rows before only the key is logged: ${row.poor.map((name) => `ALTER TABLE ${name} REPLICA IDENTITY FULL`).join('; ')}`,
    )
  const generated = [...columns, ...Object.keys(redact), tenant.column].find(
    (column) => column !== undefined && known.get(column)?.generated === true,
  )
  if (generated !== undefined) throw fault(`"${generated}" is generated, and not replicated: leave it out`)
}

const slotName = (schema: string) =>
  `'eventspine_' || translate($1, '-', '_') || '_' || substr(md5(current_database() || '.${schema}'), 1, 8)`

/** Says where the source is read from. A position without its slot is one of another server: it would hide what comes. */
export async function nameSlot(execute: Execute, schema: string, source: string): Promise<void> {
  await execute(
    'slot.name',
    `UPDATE ${schema}.table_source SET slot = ${slotName(schema)}, caught_up_at = coalesce(caught_up_at, clock_timestamp()),
      position = (SELECT s.position FROM ${schema}.table_source s JOIN pg_catalog.pg_replication_slots r ON r.slot_name = s.slot
        WHERE s.name = $1) WHERE name = $1`,
    [source],
  )
}

/** Makes the slot where it is missing or lost. In a transaction of its own: it waits for all that are open. */
export async function makeSlot(database: Database, source: string): Promise<void> {
  const { schema } = database
  await dropSlot(database, source, "AND r.wal_status = 'lost'")
  const text = `SELECT pg_create_logical_replication_slot(s.slot, 'pgoutput') FROM ${schema}.table_source s
    WHERE s.name = $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots r WHERE r.slot_name = s.slot)`
  try {
    await verbatim(database, async (execute) => {
      await execute('slot.patience', `SET LOCAL statement_timeout = ${beginMsMax}`)
      await execute('slot.make', text, [source])
    })
  } catch (error) {
    if (!hasCode(error, 'query_canceled')) throw error
    throw new EventspineError(
      'OVERLOADED',
      `The slot of source "${source}" begins when all transactions have ended that were open, and some were for ${beginMsMax / 1_000} s. Try again.`,
      { cause: error, retryAfterMs: beginMsMax },
    )
  }
}

/** Held by whoever reads, moves or drops the slot of source `$1`. */
export const slotLock = (schema: string) => `hashtextextended('${schema}.replication.' || $1, 0)`

/** Safe where there is none. */
export async function dropSlot(database: Database, source: string, condition = ''): Promise<void> {
  const { schema } = database
  const text = `SELECT pg_drop_replication_slot(r.slot_name) FROM ${schema}.table_source s
    JOIN pg_catalog.pg_replication_slots r ON r.slot_name = s.slot WHERE s.name = $1 ${condition}`
  try {
    await verbatim(database, async (execute) => {
      await execute('slot.patience', `SET LOCAL lock_timeout = ${readMsMax}`)
      await execute('slot.lock', `SELECT pg_advisory_xact_lock(${slotLock(schema)})`, [source])
      await execute('slot.drop', text, [source])
    })
  } catch (error) {
    if (!hasCode(error, 'object_in_use', 'lock_not_available')) throw error
    throw new EventspineError(
      'OVERLOADED',
      `The slot of source "${source}" was read for ${readMsMax / 1_000} s: a large transaction is on its way. Try again.`,
      { cause: error, retryAfterMs: readMsMax },
    )
  }
}

const selectLag = (schema: string) => `SELECT s.name AS source, r.wal_status AS "walStatus",
  coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), greatest(r.confirmed_flush_lsn, s.position)), 0)::float8 AS bytes,
  coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), r.restart_lsn), 0)::float8 AS "keptBytes",
  extract(epoch FROM clock_timestamp() - s.caught_up_at)::float8 AS seconds
FROM ${schema}.table_source s JOIN pg_catalog.pg_replication_slots r ON r.slot_name = s.slot`

/** By source. */
export async function lagsOf(execute: Execute, schema: string): Promise<ReadonlyMap<string, ReplicationLag>> {
  const rows = await execute<ReplicationLag & { source: string }>('slot.lag', selectLag(schema))
  return new Map(rows.map(({ source, ...lag }) => [source, lag]))
}
