// Which events wait for a process that knows their version, from the rows that are held.
import { newerVersionName } from '../../deliver/port.js'
import { type NewerEvents, newerDeliveriesMax } from '../../inspect/port.js'
import type { ConsumerRow, DeliveryRow } from './rows.js'
import type { MemoryTables } from './tables.js'

export function newerEventsOf(tables: MemoryTables): NewerEvents[] {
  const found = new Map<string, NewerEvents>()
  const now = tables.now()
  for (const consumer of tables.consumers.values())
    for (const { event } of newerOf(consumer)) {
      const { type, version, recordedAtMs } = event
      const name = JSON.stringify([consumer.subscription, type, version])
      const sinceMs = Math.min(recordedAtMs, found.get(name)?.sinceMs ?? recordedAtMs)
      const events = (found.get(name)?.events ?? 0) + 1
      const ageSeconds = (now - sinceMs) / 1_000
      found.set(name, { subscription: consumer.subscription, type, version, events, sinceMs, ageSeconds })
    }
  return [...found.values()].sort(
    (a, b) => compared(a.subscription, b.subscription) || compared(a.type, b.type) || a.version - b.version,
  )
}

const compared = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const newerOf = ({ deliveries }: ConsumerRow): DeliveryRow[] =>
  [...deliveries.values()]
    .filter(({ state }) => state !== 'waiting')
    .sort((a, b) => a.dueAtMs - b.dueAtMs)
    .slice(0, newerDeliveriesMax)
    .filter(({ failure }) => failure?.name === newerVersionName)
