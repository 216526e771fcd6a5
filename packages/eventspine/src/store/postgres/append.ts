// Into the log: one statement per batch of events, with the ids that publishers gave checked in it.

import type { AppendOutcome, AppendPort, SqlExecutor } from '../../append/port.js'
import type { NewEvent } from '../../event/stored.js'
import { boolArray, float8Array, int4Array, textArray } from './arrays.js'
import { insertAudit } from './audit.js'
import { CopyRows } from './copy.js'
import type { Database } from './database.js'

/** Column arrays of a batch, in the order of `eventInput`. */
export function eventColumnsOf(events: readonly NewEvent[]): unknown[] {
  const columns: unknown[][] = Array.from({ length: 14 }, () => new Array(events.length))
  events.forEach((event, row) => {
    const values = [
      event.timeMs,
      event.version,
      event.id,
      event.type,
      event.tenant,
      event.source,
      event.subject,
      event.key,
      event.traceparent,
      event.correlationId,
      event.causationId,
      event.claim,
      event.extensions,
      event.data,
    ]
    for (let column = 0; column < values.length; column++)
      (columns[column] as unknown[])[row] = values[column]
  })
  return columns
}

/** `unnest(...)` of the arrays of `eventColumnsOf`, whose first parameter is `$first`. */
export function eventInput(first: number): string {
  const types = ['float8', 'int', ...Array.from({ length: 12 }, () => 'text')]
  return `unnest(${types.map((type, index) => `$${first + index}::${type}[]`).join(', ')})`
}

export const eventInputColumns =
  'time_ms, version, id, type, tenant, source, subject, key, traceparent, correlation_id, causation_id, claim, extensions, data'

export const eventInsertColumns =
  '(time, version, id, type, tenant, source, subject, key, traceparent, correlation_id, causation_id, claim, extensions, data)'

/** The select list that turns input columns `i` into row columns. */
export const eventInsertValues = `to_timestamp(i.time_ms / 1000), i.version, i.id, i.type, i.tenant, i.source, i.subject, i.key,
  i.traceparent, i.correlation_id, i.causation_id, i.claim, i.extensions::json, i.data::json`

const insertPlain = `INSERT INTO eventspine.event ${eventInsertColumns}
SELECT ${eventInsertValues} FROM ${eventInput(1)} AS i(${eventInputColumns})`

const copyPlain = `COPY eventspine.event ${eventInsertColumns} FROM STDIN WITH (FORMAT binary)`
const copyFields = 14

/** Below, a prepared INSERT is faster: it needs no parsing and is one message to and fro. */
const copyEventsMin = 16

function rowsOf(events: readonly NewEvent[]): CopyRows {
  const rows = new CopyRows()
  for (const event of events) {
    rows.beginRow(copyFields)
    rows.timestamptz(event.timeMs)
    rows.int4(event.version)
    rows.text(event.id)
    rows.text(event.type)
    rows.text(event.tenant)
    rows.text(event.source)
    rows.text(event.subject)
    rows.text(event.key)
    rows.text(event.traceparent)
    rows.text(event.correlationId)
    rows.text(event.causationId)
    rows.text(event.claim)
    rows.text(event.extensions)
    rows.text(event.data)
  }
  return rows
}

// The claim takes its rows in key order: two batches with the same ids in another order would deadlock. An expired
// claim is taken over in place, so the window is exact by the database's clock.
export const claimIds = (
  first: number,
) => `INSERT INTO eventspine.idempotency AS k (tenant, source, id, fingerprint, expires_at)
  SELECT i.tenant, i.source, i.id, i.fingerprint, clock_timestamp() + $${first + 4} * interval '1 millisecond'
  FROM unnest($${first}::text[], $${first + 1}::text[], $${first + 2}::text[], $${first + 3}::text[]) AS i(tenant, source, id, fingerprint)
  ORDER BY i.tenant, i.source, i.id
  ON CONFLICT (tenant, source, id) DO UPDATE SET fingerprint = excluded.fingerprint, expires_at = excluded.expires_at
  WHERE k.expires_at < clock_timestamp()
  RETURNING k.tenant, k.source, k.id`

// It answers the ids that were there, which mostly are none: to read back all the others cost 5 µs of each event.
const insertKeyed = `WITH claimed AS (${claimIds(15)}), stored AS (
  INSERT INTO eventspine.event ${eventInsertColumns}
  SELECT ${eventInsertValues}
  FROM ROWS FROM (${eventInput(1)}) WITH ORDINALITY AS i(${eventInputColumns}, ordinal)
  WHERE NOT $20::boolean[] @> ARRAY[true] OR NOT ($20::boolean[])[i.ordinal]
     OR EXISTS (SELECT 1 FROM claimed c WHERE c.tenant = i.tenant AND c.source = i.source AND c.id = i.id)
  ORDER BY i.ordinal)
SELECT i.tenant, i.source, i.id FROM unnest($15::text[], $16::text[], $17::text[]) AS i(tenant, source, id)
WHERE (SELECT count(*) FROM claimed) < cardinality($17::text[])
  AND NOT EXISTS (SELECT 1 FROM claimed c WHERE c.tenant = i.tenant AND c.source = i.source AND c.id = i.id)`

const fingerprints = `SELECT i.tenant, i.source, i.id, k.fingerprint
FROM unnest($1::text[], $2::text[], $3::text[]) AS i(tenant, source, id)
CROSS JOIN LATERAL (
  SELECT o.fingerprint FROM eventspine.idempotency o WHERE o.tenant = i.tenant AND o.source = i.source AND o.id = i.id OFFSET 0) k`

const identity = (event: { readonly tenant: unknown; readonly source: unknown; readonly id: unknown }) =>
  `${event.tenant}\n${event.source}\n${event.id}`

export const keyedColumns = (keyed: readonly NewEvent[]) => [
  keyed.map((event) => event.tenant),
  keyed.map((event) => event.source),
  keyed.map((event) => event.id),
  keyed.map((event) => event.fingerprint),
]

type Run = (
  name: string,
  text: string,
  values: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>

type Identities = readonly Record<string, unknown>[]

/** Those of `events` whose ids the claim did not answer. */
export function unclaimed(events: readonly NewEvent[], claimed: Identities): readonly NewEvent[] {
  const won = new Set(claimed.map((row) => identity(row as never)))
  return events.filter((event) => !won.has(identity(event)))
}

/** What became of `events`, given whose ids were there. Reads the fingerprints of these. */
export async function judge(
  run: Run,
  events: readonly NewEvent[],
  there: Identities | readonly NewEvent[],
): Promise<AppendOutcome[]> {
  if (there.length === 0) return events.map(() => 'stored')
  const ids = new Set(there.map((each) => identity(each as never)))
  const lost = events.filter((event) => event.fingerprint !== null && ids.has(identity(event)))
  const known = new Map<string, unknown>()
  for (const row of await run('append.fingerprints', fingerprints, keyedColumns(lost).slice(0, 3)))
    known.set(identity(row as never), row['fingerprint'])
  return events.map((event) => {
    if (event.fingerprint === null || !ids.has(identity(event))) return 'stored'
    return known.get(identity(event)) === event.fingerprint ? 'duplicate' : 'conflict'
  })
}

/** How a statement is given its arrays. A caller's own driver knows texts; ours is given bytes. */
interface Arrays {
  columns(events: readonly NewEvent[]): unknown[]
  texts(values: readonly (string | null)[]): unknown
  flags(values: readonly boolean[]): unknown
}

const asTexts: Arrays = { columns: eventColumnsOf, texts: (values) => values, flags: (values) => values }

const asBytes: Arrays = {
  columns: (events) => [
    float8Array(events.map(({ timeMs }) => timeMs)),
    int4Array(events.map(({ version }) => version)),
    ...textColumns.map((column) => columnOf(events, column)),
  ],
  texts: textArray,
  flags: boolArray,
}

const textColumns = [
  ...(['id', 'type', 'tenant', 'source', 'subject', 'key', 'traceparent'] as const),
  ...(['correlationId', 'causationId', 'claim', 'extensions', 'data'] as const),
]

// `unnest` fills up what is shorter with nulls.
function columnOf(events: readonly NewEvent[], column: (typeof textColumns)[number]): Buffer {
  const values = events.map((event) => event[column])
  return values.every((value) => value === null) ? noTexts : textArray(values)
}

const noTexts = textArray([])

/** By whatever runs statements: in a transaction that is open already, say. `arrays`: for a driver that is not ours. */
export async function appendBy(
  run: Run,
  events: readonly NewEvent[],
  windowMs: number,
  arrays: Arrays = asBytes,
): Promise<readonly AppendOutcome[]> {
  const keyed = events.filter((event) => event.fingerprint !== null)
  if (keyed.length === 0) {
    await run('append.events', insertPlain, arrays.columns(events))
    return events.map(() => 'stored')
  }
  const values = [
    ...arrays.columns(events),
    ...keyedColumns(keyed).map(arrays.texts),
    windowMs,
    arrays.flags(events.map((event) => event.fingerprint !== null)),
  ]
  return judge(run, events, await run('append.keyed', insertKeyed, values))
}

export function appendStatements(database: Database, windowMs: number): AppendPort {
  return {
    async append(events) {
      if (events.length < copyEventsMin || events.some(({ fingerprint }) => fingerprint !== null))
        return appendBy(
          (name, text, values) => database.query('append', name, text, values),
          events,
          windowMs,
        )
      const rows = rowsOf(events)
      await database.copy('append', 'append.copy', copyPlain, rows.end())
      rows.release()
      return events.map(() => 'stored')
    },

    async appendAll(events) {
      let outcomes: readonly AppendOutcome[] = []
      const rollback = new Error('conflict')
      await database
        .transaction('append', async (connection) => {
          outcomes = await appendBy(
            (name, text, values) => connection.query(name, text, values),
            events,
            windowMs,
          )
          if (outcomes.includes('conflict')) throw rollback
        })
        .catch((error: unknown) => {
          if (error !== rollback) throw error
        })
      return outcomes
    },

    appendActed: (event, { actor, action, target, details }) =>
      database.transaction('append', async (connection) => {
        const run: Run = (name, text, values) => connection.query(name, text, values)
        const [outcome = 'stored'] = await appendBy(run, [event], windowMs)
        if (outcome === 'stored')
          await run('append.audit', insertAudit, [actor, action, target, JSON.stringify(details)])
        return outcome
      }),

    appendWithin: (executor: SqlExecutor, events) =>
      appendBy(
        (name, text, values) => executor(`/* ${name} */ ${database.sql(text)}`, values),
        events,
        windowMs,
        asTexts,
      ),
  }
}
