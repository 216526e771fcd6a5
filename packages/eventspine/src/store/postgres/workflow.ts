// Histories of workflows: read for many instances at once, and written for many in one statement, each under the
// lease of whoever runs it.
import type { InstanceName, Loaded, Recording, WorkflowPort } from '../../workflow/port.js'
import {
  eventColumnsOf,
  eventInput,
  eventInputColumns,
  eventInsertColumns,
  eventInsertValues,
} from './append.js'
import type { Database } from './database.js'
import { consumerColumns } from './lease.js'
import { awaitedStatements } from './workflow-awaited.js'
import { endStatements } from './workflow-end.js'
import { workflowQueries } from './workflow-query.js'
import { type InstanceRow, instanceColumns, instanceOf } from './workflow-rows.js'
import { wakeStatements } from './workflow-wake.js'

// Joined freely, the planner hashes all instances and all entries where it saw the tables empty, and keeps to that plan
// for a while (14 times slower behind a VACUUM ANALYZE of an idle system). So each is one probe of an index, here and
// in `continued`, whose range of one number can be neither hashed nor turned around. Not by `ctid`: a timer that is taken
// meanwhile moves the row, and what was done would be refused.
const load = `SELECT i.ordinal, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms, ${instanceColumns('w')},
  h.position, h.kind, h.place, h.entry_name, h.data, h.at_ms
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS i(tenant, name, id, ordinal)
LEFT JOIN LATERAL (
  SELECT * FROM eventspine.workflow o WHERE o.tenant = i.tenant AND o.name = i.name AND o.id = i.id LIMIT 1) w ON true
LEFT JOIN LATERAL (
  SELECT e.position, e.kind, e.place, e.name AS entry_name, e.data, (extract(epoch FROM e.at) * 1000)::float8 AS at_ms
  FROM eventspine.workflow_entry e WHERE e.number = w.number OFFSET 0) h ON true
ORDER BY i.ordinal, h.position`

interface LoadRow extends InstanceRow {
  readonly ordinal: number
  readonly now_ms: number
  readonly position: number | null
  readonly kind: Loaded['history'][number]['kind']
  readonly place: string
  readonly entry_name: string
  readonly data: string | null
  readonly at_ms: number
}

// The gate: an instance that has just so many entries, or is none yet, and whose lease still holds. All that belongs to
// a recording hangs on it. A value and not EXISTS, as in settling. Who comes late finds other entries, and writes nothing.
// A holder whose definition is not in force any more goes on with what it has, and begins no instance on its older code.
const fenced = `m.token = (SELECT c.token FROM eventspine.consumer c
    WHERE c.subscription = m.subscription AND c.replay = m.replay AND c.shard = m.shard
      AND (m.version IS NULL OR c.superseded_tick IS NULL))`

const recordingTypes = [
  ...['text', 'text', 'int', 'bigint'],
  ...['text', 'text', 'text', 'int', 'int', 'text', 'float8', 'boolean'],
  ...['int', 'text', 'float8'],
]
const recordingColumns =
  'subscription, replay, shard, token, tenant, name, id, known, upto, state, wake_ms, ended, version, parent, deadline_ms'
const entryTypes = ['bigint', 'int', 'text', 'text', 'text', 'text', 'float8']
const entryColumns = 'move, position, kind, place, name, data, at_ms'

const awaitedTypes = ['bigint', 'text', 'text', 'text', 'int', 'float8']

const arrays = (types: readonly string[], first: number) =>
  types.map((type, index) => `$${first + index}::${type}[]`).join(', ')

const firstEntry = recordingTypes.length + 1
const firstAwaited = firstEntry + entryTypes.length
const firstEvent = firstAwaited + 1 + awaitedTypes.length

const gate = `moves AS MATERIALIZED (
  SELECT m.* FROM ROWS FROM (unnest(${arrays(recordingTypes, 1)})) WITH ORDINALITY AS m(${recordingColumns}, move)
  WHERE ${fenced}
), continued AS (
  UPDATE eventspine.workflow w
  SET entries = m.upto, state = m.state, wake_at = to_timestamp(m.wake_ms / 1000), changed_at = clock_timestamp(),
    ended_at = CASE WHEN m.ended THEN coalesce(w.ended_at, clock_timestamp()) END,
    deadline_at = CASE WHEN NOT m.ended THEN w.deadline_at END
  FROM moves m CROSS JOIN LATERAL (
    SELECT o.number FROM eventspine.workflow o WHERE o.tenant = m.tenant AND o.name = m.name AND o.id = m.id OFFSET 0) o
  WHERE m.version IS NULL AND w.number >= o.number AND w.number <= o.number AND w.entries = m.known
  RETURNING m.move, w.number, m.token
), made AS (
  INSERT INTO eventspine.workflow (tenant, name, id, version, state, entries, parent, wake_at, deadline_at, ended_at)
  SELECT m.tenant, m.name, m.id, m.version, m.state, m.upto, m.parent::json, to_timestamp(m.wake_ms / 1000),
    CASE WHEN NOT m.ended THEN clock_timestamp() + m.deadline_ms * interval '1 millisecond' END,
    CASE WHEN m.ended THEN clock_timestamp() END
  FROM moves m WHERE m.version IS NOT NULL
  ON CONFLICT (tenant, name, id) DO NOTHING
  RETURNING tenant, name, id, number
), gate AS (
  SELECT move, number, token FROM continued
  UNION ALL SELECT m.move, n.number, m.token FROM made n JOIN moves m ON m.tenant = n.tenant AND m.name = n.name AND m.id = n.id
), written AS (
  INSERT INTO eventspine.workflow_entry (number, position, kind, place, name, data, at, token)
  SELECT g.number, e.position, e.kind, e.place, e.name, e.data::json, to_timestamp(e.at_ms / 1000), g.token
  FROM unnest(${arrays(entryTypes, firstEntry)}) AS e(${entryColumns}) JOIN gate g USING (move))`

// What is awaited is given whole: the rows of what is not any more go. Changed code may wait for another key at a place.
const awaitedRows = `unnest(${arrays(awaitedTypes, firstAwaited + 1)}) AS a(move, place, type, key, asked, due_ms)`
const awaited = `, forgotten AS (
  DELETE FROM eventspine.workflow_awaited x USING gate g CROSS JOIN LATERAL (
    SELECT o.ctid AS row FROM eventspine.workflow_awaited o WHERE o.number = g.number OFFSET 0) o
  WHERE x.ctid = o.row AND g.move = ANY ($${firstAwaited}::bigint[])
    AND NOT EXISTS (SELECT FROM ${awaitedRows} WHERE a.move = g.move AND a.place = x.place)
), awaited AS (
  INSERT INTO eventspine.workflow_awaited AS x (number, place, tenant, type, key, asked, due_at)
  SELECT g.number, a.place, m.tenant, a.type, a.key, a.asked, to_timestamp(a.due_ms / 1000)
  FROM ${awaitedRows} JOIN gate g USING (move) JOIN moves m USING (move)
  ON CONFLICT (number, place) DO UPDATE
  SET type = excluded.type, key = excluded.key, asked = excluded.asked, due_at = excluded.due_at
  WHERE (x.type, x.key, x.asked, x.due_at) IS DISTINCT FROM (excluded.type, excluded.key, excluded.asked, excluded.due_at))`

const eventArrays = eventInput(firstEvent + 1).slice('unnest('.length, -1)
const published = `, published AS (
  INSERT INTO eventspine.event ${eventInsertColumns}
  SELECT ${eventInsertValues}
  FROM ROWS FROM (unnest($${firstEvent}::bigint[], ${eventArrays})) WITH ORDINALITY AS i(move, ${eventInputColumns}, ordinal)
  JOIN gate g USING (move) ORDER BY i.ordinal)`

const record = {
  quiet: `WITH ${gate}\nSELECT move FROM gate`,
  whole: `WITH ${gate}${awaited}${published}\nSELECT move FROM gate`,
} as const

// Asked only for what was not recorded: an answer may have been lost on its way, and then the last entry is there, under
// the same token.
const recordedBefore = `SELECT i.ordinal
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::text[]) WITH ORDINALITY AS i(tenant, name, id, upto, token, data, ordinal)
CROSS JOIN LATERAL (
  SELECT o.number FROM eventspine.workflow o WHERE o.tenant = i.tenant AND o.name = i.name AND o.id = i.id
    AND o.entries = i.upto OFFSET 0) w
CROSS JOIN LATERAL (
  SELECT o.token, o.data FROM eventspine.workflow_entry o WHERE o.number = w.number AND o.position = i.upto - 1 OFFSET 0) e
WHERE e.token = i.token AND e.data::text IS NOT DISTINCT FROM i.data`

const ended = (state: Recording['state']) => state !== 'running' && state !== 'compensating'

function recordingValues(recordings: readonly Recording[]): unknown[] {
  const each = <Value>(value: (recording: Recording) => Value) => recordings.map(value)
  return [
    ...consumerColumns(recordings.map(({ consumer }) => consumer)),
    each(({ consumer }) => consumer.token),
    each(({ tenant }) => tenant),
    each(({ workflow }) => workflow),
    each(({ id }) => id),
    each(({ from }) => from),
    each(({ from, entries }) => from + entries.length),
    each(({ state }) => state),
    each(({ wakeAtMs }) => wakeAtMs),
    each(({ state }) => ended(state)),
    each(({ made }) => made?.version ?? null),
    each(({ made }) => (made?.parent ? JSON.stringify(made.parent) : null)),
    each(({ made }) => made?.deadlineInMs ?? null),
  ]
}

function entryValues(recordings: readonly Recording[]): unknown[] {
  const rows = recordings.flatMap(({ entries }, index) =>
    entries.map((entry) => ({ move: index + 1, entry })),
  )
  return [
    rows.map(({ move }) => move),
    rows.map(({ entry }) => entry.position),
    rows.map(({ entry }) => entry.kind),
    rows.map(({ entry }) => entry.place),
    rows.map(({ entry }) => entry.name),
    rows.map(({ entry }) => entry.data),
    rows.map(({ entry }) => entry.atMs),
  ]
}

/** Of the statement that does more than add entries; empty where there is no more. */
function furtherValues(recordings: readonly Recording[]): unknown[] {
  if (recordings.every((each) => each.published.length === 0 && each.awaited === null)) return []
  return [...awaitedValues(recordings), ...publishedValues(recordings)]
}

function awaitedValues(recordings: readonly Recording[]): unknown[] {
  const changed = recordings.flatMap(({ awaited: own }, index) => (own === null ? [] : [index + 1]))
  const rows = recordings.flatMap(({ awaited: own }, index) =>
    (own ?? []).map((each) => ({ ...each, move: index + 1 })),
  )
  const of = <Value>(value: (row: (typeof rows)[number]) => Value) => rows.map(value)
  return [
    changed,
    of(({ move }) => move),
    of(({ place }) => place),
    of(({ type }) => type),
    of(({ key }) => key),
    of(({ question }) => question?.position ?? null),
    of(({ question }) => question?.dueAtMs ?? null),
  ]
}

function publishedValues(recordings: readonly Recording[]): unknown[] {
  const events = recordings.flatMap(({ published: own }) => own)
  const moves = recordings.flatMap(({ published: own }, index) => own.map(() => index + 1))
  return [moves, ...eventColumnsOf(events)]
}

export function workflowStatements(database: Database): WorkflowPort {
  return {
    async loadWorkflows(names) {
      const values = [
        names.map(({ tenant }) => tenant),
        names.map(({ workflow }) => workflow),
        names.map(({ id }) => id),
      ]
      const rows = await database.query<LoadRow>('workflow', 'workflow.load', load, values)
      return { nowMs: rows[0]?.now_ms ?? 0, found: foundOf(names, rows) }
    },

    async recordWorkflows(recordings) {
      const further = furtherValues(recordings)
      const [name, text] =
        further.length === 0
          ? (['workflow.record', record.quiet] as const)
          : (['workflow.record-whole', record.whole] as const)
      const values = [...recordingValues(recordings), ...entryValues(recordings), ...further]
      const rows = await database.query<{ move: number }>('workflow', name, text, values)
      const recorded = new Set(rows.map(({ move }) => Number(move) - 1))
      if (recorded.size < recordings.length) await addRecordedBefore(database, recordings, recorded)
      return recorded
    },

    ...awaitedStatements(database),
    ...endStatements(database),
    ...wakeStatements(database),
    ...workflowQueries(database),
  }
}

function foundOf(names: readonly InstanceName[], rows: readonly LoadRow[]): (Loaded | undefined)[] {
  const found: (Loaded | undefined)[] = new Array(names.length).fill(undefined)
  const histories = new Map<number, Loaded['history'][number][]>()
  for (const row of rows) {
    if (row.version === null) continue
    const index = Number(row.ordinal) - 1
    let history = histories.get(index)
    if (history === undefined) {
      history = []
      histories.set(index, history)
      found[index] = { instance: instanceOf(row), history }
    }
    if (row.position === null) continue
    const { position, kind, place, entry_name: name, data, at_ms: atMs } = row
    history.push({ position, kind, place, name, data, atMs })
  }
  return found
}

async function addRecordedBefore(
  database: Database,
  recordings: readonly Recording[],
  recorded: Set<number>,
): Promise<void> {
  const missing = recordings.flatMap((each, index) =>
    recorded.has(index) || each.entries.length === 0 ? [] : [{ each, index }],
  )
  if (missing.length === 0) return
  const of = <Value>(value: (recording: Recording) => Value) => missing.map(({ each }) => value(each))
  const rows = await database.query<{ ordinal: number }>(
    'workflow',
    'workflow.recorded-before',
    recordedBefore,
    [
      of(({ tenant }) => tenant),
      of(({ workflow }) => workflow),
      of(({ id }) => id),
      of(({ from, entries }) => from + entries.length),
      of(({ consumer }) => consumer.token),
      of(({ entries }) => entries.at(-1)?.data ?? null),
    ],
  )
  for (const { ordinal } of rows)
    recorded.add((missing[Number(ordinal) - 1] as (typeof missing)[number]).index)
}
