// What the whole cell counts: a number that the log's sequence keeps anyway, and dead letters and open questions through
// their indexes.
// And what was appended last, of all and of a type, without bodies.
import { awaitingApprovalMax, type InspectPort, type Tally } from '../../inspect/port.js'
import type { Database } from './database.js'
import { bounded, millisecondsOf } from './inspect-page.js'

const selectAppended = `SELECT ${millisecondsOf('clock_timestamp()')} AS at_ms,
  coalesce(pg_sequence_last_value('eventspine.event_seq'), 0)::float8 AS appended`

const selectDead = `SELECT category, count(*)::float8 AS count FROM eventspine.dead_letter
WHERE state = 'dead' GROUP BY category ORDER BY count(*) DESC, category`

// An instance may ask several people at once, and a worker of an older version leave a question behind at its end.
const selectAsking = `SELECT count(*)::float8 AS count FROM (
  SELECT FROM (SELECT DISTINCT x.number FROM eventspine.workflow_awaited x WHERE x.asked IS NOT NULL ORDER BY x.number DESC) y
  CROSS JOIN LATERAL (SELECT o.ended_at FROM eventspine.workflow o WHERE o.number = y.number OFFSET 0) w
  WHERE w.ended_at IS NULL LIMIT ${awaitingApprovalMax}) z`

const headColumns = `e.id, e.type, e.version, e.source, e.causation_id AS "causationId", e.publisher, ${millisecondsOf('e.recorded_at')} AS "recordedAtMs"`

const selectHeads = `SELECT ${headColumns} FROM eventspine.event e ORDER BY e.seq DESC LIMIT $1`

// Each type is a walk from the end of its own index, however much of other types came since. It is compared as a range: equal to one
// value it says nothing of the order, and the planner walks the whole log backwards by `seq` instead, 13 ms a type for 270,000 events.
const selectHeadsOf = `SELECT head.* FROM unnest($1::text[]) AS asked(type) CROSS JOIN LATERAL (
  SELECT ${headColumns} FROM eventspine.event e WHERE e.type >= asked.type AND e.type <= asked.type
  ORDER BY e.type DESC, e.seq DESC LIMIT $2) head`

// Ids repeat between tenants and sources, as often as publishers like.
const selectHeadsWith = `SELECT head.* FROM unnest($1::text[]) AS asked(id) CROSS JOIN LATERAL (
  SELECT ${headColumns} FROM eventspine.event e WHERE e.id = asked.id LIMIT 1) head`

interface AppendedRow {
  readonly at_ms: number
  readonly appended: number
}

type TallyInspection = Pick<InspectPort, 'tally' | 'eventHeads' | 'eventHeadsOf' | 'eventHeadsWith'>

export function tallyInspection(database: Database): TallyInspection {
  return {
    tally: () =>
      bounded(database, async (connection) => {
        const [row] = await connection.query<AppendedRow>('inspect.appended', selectAppended)
        const { at_ms: atMs, appended } = row as AppendedRow
        const deadLetters = await connection.query<Tally['deadLetters'][number]>(
          'inspect.dead-count',
          selectDead,
        )
        const [asking] = await connection.query<{ readonly count: number }>('inspect.asking', selectAsking)
        return { atMs, appended, deadLetters, awaitingApproval: asking?.count ?? 0 }
      }),
    eventHeads: (max) =>
      bounded(database, (connection) => connection.query('inspect.heads', selectHeads, [max])),
    eventHeadsOf: (types, eachMax) =>
      bounded(database, (connection) =>
        connection.query('inspect.heads-of', selectHeadsOf, [types, eachMax]),
      ),
    eventHeadsWith: (ids) =>
      bounded(database, (connection) => connection.query('inspect.heads-with', selectHeadsWith, [ids])),
  }
}
