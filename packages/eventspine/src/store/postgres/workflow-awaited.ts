// Events that instances wait for: who does, and whether there is one already.
import { occurrencesMax, type WorkflowPort } from '../../workflow/port.js'
import type { Database } from './database.js'
import { tickUnknown } from './inspect-events.js'
import { type EventRow, eventColumns, eventOfRow } from './rows.js'

// Each is a probe of an index, whatever the tables held when it was planned.
const awaiting = `SELECT DISTINCT a.ordinal, w.id
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS a(tenant, name, type, key, ordinal)
CROSS JOIN LATERAL (
  SELECT o.number FROM eventspine.workflow_awaited o WHERE o.tenant = a.tenant AND o.type = a.type AND o.key = a.key OFFSET 0) x
CROSS JOIN LATERAL (SELECT o.name, o.id FROM eventspine.workflow o WHERE o.number = x.number OFFSET 0) w
WHERE w.name = a.name`

// Ids of events repeat, between sources: the oldest of them leaves nothing out. `seq + 0`: by the index of `seq` the
// planner would look through the log for it.
const occurrences = `SELECT ${eventColumns} FROM eventspine.event e
WHERE e.key = $1 AND e.type = $2 AND e.tenant = $3 AND e.id <> ALL ($4::text[]) AND e.seq > $5
  AND e.seq > coalesce((SELECT min(s.seq + 0) FROM eventspine.event s WHERE s.id = $6 AND s.tenant = $3), 0)
ORDER BY e.seq LIMIT ${occurrencesMax}`

export function awaitedStatements(database: Database): Pick<WorkflowPort, 'awaiting' | 'occurrences'> {
  return {
    async awaiting(asked) {
      const rows = await database.query<{ ordinal: number; id: string }>(
        'workflow',
        'workflow.awaiting',
        awaiting,
        [
          asked.map(({ tenant }) => tenant),
          asked.map(({ workflow }) => workflow),
          asked.map(({ type }) => type),
          asked.map(({ key }) => key),
        ],
      )
      const found = asked.map((): string[] => [])
      for (const { ordinal, id } of rows) found[Number(ordinal) - 1]?.push(id)
      return found
    },

    async occurrences({ tenant, type, key, since, taken, after }) {
      const rows = await database.query<EventRow>('workflow', 'workflow.occurrences', occurrences, [
        ...[key, type, tenant, taken, after, since],
      ])
      return rows.map((row) => eventOfRow(row, tickUnknown))
    },
  }
}
