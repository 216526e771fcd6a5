// Schedules: how far each has come. The database's clock alone judges what is due.
import { forgottenAfterMs, type Plan, type SchedulePort } from '../../schedule/port.js'
import { appendOwn } from './append-own.js'
import type { Database } from './database.js'

const now = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'

// A plan that the app had before and that nobody looked at for a while is no plan any more: should it come back, it begins
// anew. In the order of the names: two that register at once must not wait for each other.
const register = `WITH a AS (SELECT * FROM unnest($1::text[], $2::text[]) AS a(name, plan) ORDER BY name),
forgotten AS (
  DELETE FROM eventspine.schedule s USING a
  WHERE s.name = a.name AND s.plan <> a.plan AND s.looked_ms < ${now} - ${forgottenAfterMs})
INSERT INTO eventspine.schedule (name, plan, ticked_ms, looked_ms)
SELECT a.name, a.plan, floor(${now}), floor(${now}) FROM a ORDER BY a.name
ON CONFLICT (name, plan) DO NOTHING`

const look = `WITH a AS (SELECT * FROM unnest($1::text[], $2::text[]) AS a(name, plan)),
looked AS (
  UPDATE eventspine.schedule s SET looked_ms = floor(${now}) FROM a
  WHERE s.name = a.name AND s.plan = a.plan AND s.looked_ms < ${now} - 60000)
SELECT ${now} AS now_ms, s.name, s.ticked_ms::float8 AS ticked_ms
FROM a LEFT JOIN eventspine.schedule s ON s.name = a.name AND s.plan = a.plan`

// A plan that its app had before stays for a while, and stands still.
const standings = `SELECT DISTINCT ON (name) ${now} AS now_ms, name, plan, ticked_ms::float8 AS ticked_ms
FROM eventspine.schedule ORDER BY name, looked_ms DESC, ticked_ms DESC`

const advance = `UPDATE eventspine.schedule SET ticked_ms = $4 WHERE name = $1 AND plan = $2 AND ticked_ms = $3 RETURNING name`

interface Row {
  readonly now_ms: number
  readonly name: string | null
  readonly ticked_ms: number
}

export function scheduleStatements(database: Database): SchedulePort {
  const columns = (plans: readonly { readonly name: string; readonly plan: string }[]) => [
    plans.map(({ name }) => name),
    plans.map(({ plan }) => plan),
  ]
  return {
    async registerSchedules(plans) {
      await database.query('read', 'schedule.register', register, columns(plans))
    },

    async schedules(plans) {
      const rows = await database.query<Row>('deliver', 'schedule.look', look, columns(plans))
      const found = rows.flatMap(({ name, ticked_ms: tickedMs }) =>
        name === null ? [] : [{ name, tickedMs }],
      )
      return { nowMs: rows[0]?.now_ms ?? 0, found }
    },

    async scheduleStandings() {
      const rows = await database.query<Row & Plan>('read', 'schedule.standings', standings, [])
      const found = rows.map(({ name, plan, ticked_ms: tickedMs }) => ({ name, plan, tickedMs }))
      return { nowMs: rows[0]?.now_ms ?? 0, found }
    },

    async advanceSchedule({ name, plan }, fromMs, toMs, events) {
      return await database.transaction('deliver', async ({ query }) => {
        const moved = await query('schedule.advance', advance, [name, plan, fromMs, toMs])
        if (moved.length === 0) return false
        if (events.length > 0) await appendOwn(query, events)
        return true
      })
    },
  }
}
