// How subscriptions handle, from the runs and rows that are held.
import { type Handling, handlingRunsMax, handlingWindowMs } from '../../inspect/port.js'
import { liveWorkers } from './lease.js'
import type { RunRow } from './rows.js'
import type { MemoryTables } from './tables.js'

export function handlingOf(tables: MemoryTables): Handling[] {
  return [...tables.subscriptions.keys()].sort().map((subscription) => {
    const runs = newestRuns(tables, subscription)
    const took = runs.map(({ run }) => Math.round(run.durationMs * 1_000) / 1_000).sort((a, b) => a - b)
    return {
      subscription,
      running: liveWorkers(tables).reduce((sum, { running }) => sum + (running[subscription] ?? 0), 0),
      retries: retriesOf(tables, subscription),
      runs: runs.length,
      sinceMs: runs.at(-1)?.recordedAtMs ?? null,
      p50Ms: nearestRank(took, 0.5),
      p99Ms: nearestRank(took, 0.99),
    }
  })
}

function newestRuns(tables: MemoryTables, subscription: string): RunRow[] {
  const since = tables.now() - handlingWindowMs
  return (
    [...tables.runs.values()]
      .flat()
      .filter((row) => row.subscription === subscription && row.replay === '' && row.recordedAtMs > since)
      // Of one moment, those that came last.
      .reverse()
      .sort((a, b) => b.recordedAtMs - a.recordedAtMs)
      .slice(0, handlingRunsMax)
  )
}

function retriesOf(tables: MemoryTables, subscription: string): number {
  const rows = tables.consumersOf(subscription, '').flatMap(({ deliveries }) => [...deliveries.values()])
  return rows.filter(({ state }) => state === 'retry').length
}

/** The least value that so many are not above. */
const nearestRank = (sorted: readonly number[], share: number): number | null =>
  sorted[Math.ceil(sorted.length * share) - 1] ?? null
