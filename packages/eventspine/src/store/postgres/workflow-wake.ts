// Timers: whose time has come, by the database's clock alone. Taking one and appending what wakes its instance is one
// transaction, so that none is lost and none comes twice.
import type { WokenInstance, WorkflowPort } from '../../workflow/port.js'
import { appendOwn } from './append-own.js'
import type { Database } from './database.js'

// SKIP LOCKED: two processes that look at once share out what is due. The time is asked once: compared with a clock that
// moves, all that sleeps is read. `number` as a range: for equality, a plan that was made while the table was empty
// reads all of its index.
const take = (column: 'wake_at' | 'deadline_at') => `UPDATE eventspine.workflow w SET ${column} = NULL
FROM (SELECT number FROM eventspine.workflow WHERE ${column} <= (SELECT clock_timestamp()) ORDER BY ${column} LIMIT $1 FOR UPDATE SKIP LOCKED) d
WHERE w.number >= d.number AND w.number <= d.number
RETURNING w.tenant, w.name AS workflow, w.id`

const next = `SELECT (extract(epoch FROM least(
    (SELECT wake_at FROM eventspine.workflow WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1),
    (SELECT deadline_at FROM eventspine.workflow WHERE deadline_at IS NOT NULL ORDER BY deadline_at LIMIT 1)) - clock_timestamp()) * 1000)::float8 AS ms`

export function wakeStatements(database: Database): Pick<WorkflowPort, 'wakeWorkflows' | 'nextWakeMs'> {
  return {
    async wakeWorkflows(max, wake) {
      return await database.transaction('deliver', async ({ query }) => {
        let count = 0
        for (const [cause, column] of [
          ['timer', 'wake_at'],
          ['deadline', 'deadline_at'],
        ] as const) {
          const taken = await query<Omit<WokenInstance, 'cause'>>(`workflow.wake-${cause}`, take(column), [
            max,
          ])
          const events = taken.flatMap((each) => wake({ ...each, cause }))
          if (events.length > 0) await appendOwn(query, events)
          count += taken.length
        }
        return count
      })
    },

    async nextWakeMs() {
      const [row] = await database.query<{ ms: number | null }>('deliver', 'workflow.next', next)
      return row?.ms === null || row === undefined ? null : Math.max(0, row.ms)
    },
  }
}
