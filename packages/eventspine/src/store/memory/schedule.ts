// Schedules in memory: how far each has come.
import { forgottenAfterMs, type Plan, type SchedulePort } from '../../schedule/port.js'
import { writeEvent } from './append.js'
import type { ScheduleRow } from './rows.js'
import type { MemoryTables } from './tables.js'

const keyOf = ({ name, plan }: Plan) => JSON.stringify([name, plan])

export function schedulePort(tables: MemoryTables): SchedulePort {
  return {
    async registerSchedules(plans) {
      const now = Math.floor(tables.now())
      for (const own of plans) {
        for (const [key, { name, plan, lookedMs }] of tables.schedules)
          if (name === own.name && plan !== own.plan && lookedMs < now - forgottenAfterMs)
            tables.schedules.delete(key)
        if (!tables.schedules.has(keyOf(own)))
          tables.schedules.set(keyOf(own), { ...own, tickedMs: now, lookedMs: now })
      }
    },

    async schedules(plans) {
      const nowMs = tables.now()
      const found = plans.flatMap((own) => {
        const row = tables.schedules.get(keyOf(own))
        if (row === undefined) return []
        row.lookedMs = Math.floor(nowMs)
        return [{ name: row.name, tickedMs: row.tickedMs }]
      })
      return { nowMs, found }
    },

    async scheduleStandings() {
      const last = new Map<string, ScheduleRow>()
      for (const row of tables.schedules.values()) {
        const other = last.get(row.name)
        const isLater = other === undefined || row.lookedMs > other.lookedMs
        if (isLater || (row.lookedMs === other.lookedMs && row.tickedMs > other.tickedMs))
          last.set(row.name, row)
      }
      const found = [...last.values()].map(({ name, plan, tickedMs }) => ({ name, plan, tickedMs }))
      return { nowMs: tables.now(), found }
    },

    async advanceSchedule(own, fromMs, toMs, events) {
      const row = tables.schedules.get(keyOf(own))
      if (row === undefined || row.tickedMs !== fromMs) return false
      row.tickedMs = toMs
      const transaction = tables.begin()
      for (const event of events) writeEvent(tables, transaction, event)
      transaction.commit()
      return true
    },
  }
}
