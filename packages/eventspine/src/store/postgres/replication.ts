// Changes of a table out of the server's own log: read from a slot, made events, and counted as read, in one transaction. The
// slot itself moves behind the commit: what it says again after a crash in between is known by its position, and left out.

import pg from 'pg'
import type { ReplicationPort, TablePlan } from '../../source/port.js'
import type { Database } from './database.js'
import { type Execute, verbatim } from './exclusive.js'
import { lsnOf, lsnText, outputMessage, type Tuple } from './pgoutput.js'
import { catalogColumns } from './table-catalog.js'
import { slotLock } from './table-slot.js'
import { functionNameOf, publicationOf } from './table-sql.js'

const { escapeIdentifier: quoted, escapeLiteral: literal } = pg

/** Messages that are fetched and become events with one statement; a transaction may have millions. */
const fetchMax = 1_000
/** Where nothing comes, the position is written so often. */
const caughtUpEveryMs = 10_000

// As the function of the source reads them back.
const formats = `SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'`

interface Change {
  readonly operation: string
  readonly before: string | null
  readonly after: string | null
  readonly atUs: bigint
}

export function replicationStatements(database: Database): ReplicationPort {
  const { schema } = database
  return {
    readReplication: (plan, changesMax) =>
      verbatim(database, (execute) => read(execute, schema, plan, changesMax)),

    async releaseReplication({ source }) {
      const text = `SELECT pg_replication_slot_advance(r.slot_name, s.position) FROM ${schema}.table_source s
        JOIN pg_catalog.pg_replication_slots r ON r.slot_name = s.slot WHERE s.name = $1 AND r.confirmed_flush_lsn < s.position`
      await verbatim(database, async (execute) => {
        if (await isMine(execute, schema, source)) await execute('replication.release', text, [source])
      })
    },
  }
}

// One at a time. An advisory lock and not that of a row, which would write and take a transaction id at each look; and a
// statement of its own: what is read with it in one is as old as the wait for it.
async function isMine(execute: Execute, schema: string, source: string): Promise<boolean> {
  const text = `SELECT pg_try_advisory_xact_lock(${slotLock(schema)}) AS mine`
  const [row] = await execute<{ mine: boolean }>('replication.lock', text, [source])
  return row?.mine === true
}

async function read(execute: Execute, schema: string, plan: TablePlan, changesMax: number) {
  if (!(await isMine(execute, schema, plan.source))) return null
  const place = `SELECT s.slot, s.position::text AS position, pg_current_wal_flush_lsn()::text AS flushed FROM ${schema}.table_source s
    WHERE s.name = $1 AND s.slot IS NOT NULL`
  const [mine] = await execute<{ slot: string; position: string | null; flushed: string }>(
    'replication.place',
    place,
    [plan.source],
  )
  if (mine === undefined) return null
  const columns = [...(await catalogColumns(execute, plan, schema)).keys()]
  const publication = literal(publicationOf(plan.source, schema))
  await execute(
    'replication.peek',
    `${formats}; DECLARE changes NO SCROLL CURSOR FOR SELECT data FROM pg_logical_slot_peek_binary_changes(
      ${literal(mine.slot)}, NULL, ${changesMax}, 'proto_version', '1', 'publication_names', ${publication})`,
  )
  const batch = new Batch(columns, mine.position === null ? 0n : lsnOf(mine.position))
  let [changes, messages] = [0, 0]
  for (;;) {
    const rows = await execute<{ data: Buffer }>('replication.fetch', `FETCH ${fetchMax} FROM changes`)
    const found = rows.flatMap(({ data }) => batch.add(data))
    if (found.length > 0) await append(execute, schema, plan, found)
    changes += found.length
    messages += rows.length
    if (rows.length < fetchMax) break
  }
  // Where it holds nothing, nothing up to the present end is of interest.
  const nothing = batch.endLsn === undefined
  const position = batch.endLsn === undefined ? mine.flushed : lsnText(batch.endLsn)
  await execute('replication.position', moveText(schema), [
    ...[plan.source, position, nothing, messages < changesMax],
  ])
  return { changes }
}

const moveText = (
  schema: string,
) => `UPDATE ${schema}.table_source SET position = $2::pg_lsn, caught_up_at = CASE WHEN $4 THEN clock_timestamp() ELSE caught_up_at END
  WHERE name = $1 AND (NOT $3 OR caught_up_at < clock_timestamp() - interval '${caughtUpEveryMs} milliseconds')`

/** Follows the messages of a slot: which relation they are of, in which transaction, and whether that was read before. */
class Batch {
  readonly #columns: readonly string[]
  readonly #position: bigint
  readonly #relations = new Map<number, readonly string[]>()
  #known = false
  #atUs = 0n
  /** Behind the last transaction. */
  endLsn: bigint | undefined

  constructor(columns: readonly string[], position: bigint) {
    this.#columns = columns
    this.#position = position
  }

  add(bytes: Buffer): readonly Change[] {
    const message = outputMessage(bytes)
    if (message.kind === 'begin') {
      this.#known = message.commitLsn < this.#position
      this.#atUs = message.committedAtUs
    } else if (message.kind === 'commit') this.endLsn = message.endLsn
    else if (message.kind === 'relation') this.#relations.set(message.id, message.columns)
    else if (message.kind !== 'other' && !this.#known) return [this.#change(message)]
    return []
  }

  #change(message: {
    readonly kind: string
    readonly relation?: number
    readonly before?: Tuple | null
    readonly after?: Tuple
  }): Change {
    const names = this.#relations.get(message.relation ?? 0) ?? []
    const row = (tuple: Tuple | null | undefined) => (tuple ? rowText(names, tuple, this.#columns) : null)
    return {
      operation: message.kind,
      before: row(message.before),
      after: row(message.after),
      atUs: this.#atUs,
    }
  }
}

/** A row as Postgres writes one, in the order of the columns that the table has now. */
function rowText(names: readonly string[], tuple: Tuple, columns: readonly string[]): string {
  const values = new Map(names.map((name, index) => [name, tuple[index]]))
  const texts = columns.map((column) => {
    const value = values.get(column)
    return value === null || value === undefined
      ? ''
      : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '""')}"`
  })
  return `(${texts.join(',')})`
}

// Arrays of rows and not texts that are cast: a cast belongs to whoever owns the type, and would run with our rights.
async function append(
  execute: Execute,
  schema: string,
  plan: TablePlan,
  changes: readonly Change[],
): Promise<void> {
  const rows = `${quoted(plan.table.schema)}.${quoted(plan.table.table)}[]`
  const text = `SELECT ${schema}.${functionNameOf(plan.source)}(c.operation, ($2::${rows})[c.number], ($3::${rows})[c.number], to_timestamp(c.at_us / 1000000))
    FROM (SELECT * FROM unnest($1::text[], $4::float8[]) WITH ORDINALITY AS i(operation, at_us, number) ORDER BY i.number) AS c`
  await execute('replication.append', text, [
    changes.map(({ operation }) => operation),
    changes.map(({ before }) => before),
    changes.map(({ after }) => after),
    changes.map(({ atUs }) => Number(atUs)),
  ])
}
