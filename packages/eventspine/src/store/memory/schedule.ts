// Schedules in memory: how far each has come.
import type { SchedulePort } from '../../schedule/port.js'
import { writeEvent } from './append.js'
import type { MemoryTables } from './tables.js'

export function schedulePort(tables: MemoryTables): SchedulePort {
  return {
    async registerSchedules(plans) {
      for (const { name, plan } of plans)
        if (tables.schedules.get(name)?.plan !== plan)
          tables.schedules.set(name, { plan, tickedMs: Math.floor(tables.now()) })
    },

    async schedules(plans) {
      const found = plans.flatMap(({ name, plan }) => {
        const row = tables.schedules.get(name)
        return row?.plan === plan ? [{ name, tickedMs: row.tickedMs }] : []
      })
      return { nowMs: tables.now(), found }
    },

    async advanceSchedule({ name, plan }, fromMs, toMs, events) {
      const row = tables.schedules.get(name)
      if (row === undefined || row.plan !== plan || row.tickedMs !== fromMs) return false
      row.tickedMs = toMs
      const transaction = tables.begin()
      for (const event of events) writeEvent(tables, transaction, event)
      transaction.commit()
      return true
    },
  }
}
