// The log in memory: ticks made on demand, each a pair of snapshots, and hints between workers.
import type { LogPort, Tick, WakePort } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { snapshotOf } from './snapshot.js'
import type { MemoryTables } from './tables.js'

export function logPort(tables: MemoryTables): LogPort {
  const ticksAfter = (after: number, ticksMax: number): readonly Tick[] => {
    const first = tables.ticks[0]?.number ?? 0
    const start = Math.max(0, after + 1 - first)
    return tables.ticks.slice(start, start + ticksMax)
  }
  return {
    async tick(known, ticksMax, eventsMax = 0) {
      const before = tables.lastTick()
      const made = tables.makeTick()
      const ticks = ticksAfter(known, ticksMax)
      if (ticks.length !== 1 || made === before) return { ticks, again: false }
      const events = eventsOfTick(tables, made)
      return { ticks, again: false, ...(events.length <= eventsMax ? { events } : {}) }
    },
    async lastTick() {
      return tables.lastTick()
    },
    async ticksAfter(after, ticksMax) {
      return ticksAfter(after, ticksMax)
    },
    async read(ticks, seqAfter, eventsMax) {
      const batches = ticks.map((tick, index) =>
        eventsOfTick(tables, tick).filter((event) => index > 0 || event.seq > seqAfter),
      )
      const events = batches.flat()
      return ticks.length === 1 ? events.slice(0, eventsMax) : events
    },
  }
}

function eventsOfTick(tables: MemoryTables, tick: Tick): StoredEvent[] {
  return tables
    .eventsBetween(snapshotOf(tick.after), snapshotOf(tick.snapshot))
    .map((event) => ({ ...event, tick: tick.number }))
}

/** Every listener hears every hint: one memory store stands for many processes. */
export function wakePort(tables: MemoryTables): WakePort {
  return {
    notify(by) {
      for (const listener of tables.listeners)
        queueMicrotask(() => tables.listeners.has(listener) && listener(by))
    },
    async listen(action) {
      const listener = (by: string) => action(by)
      tables.listeners.add(listener)
      return async () => {
        tables.listeners.delete(listener)
      }
    },
  }
}
