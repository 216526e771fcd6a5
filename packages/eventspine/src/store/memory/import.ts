// Imports in memory.
import type { ImportPort } from '../../source/port.js'
import { writeEvent } from './append.js'
import type { MemoryTables } from './tables.js'

const listedMax = 100

export function importPort(tables: MemoryTables): ImportPort {
  return {
    async openImport(start) {
      const known = tables.imports.get(start.id)
      if (known !== undefined) return known
      const standing = {
        ...start,
        ...{
          state: 'running' as const,
          offsetBytes: 0,
          lines: 0,
          records: 0,
          published: 0,
          known: 0,
          kept: 0,
        },
        ...{ startedAtMs: tables.now(), endedAtMs: null },
      }
      tables.imports.set(start.id, standing)
      return standing
    },

    async advanceImport(id, fromBytes, { completed, ...progress }, events) {
      const known = tables.imports.get(id)
      if (known === undefined || known.state === 'completed' || known.offsetBytes !== fromBytes) return null
      const transaction = tables.begin()
      const outcomes = events.map((event) => writeEvent(tables, transaction, event))
      if (outcomes.includes('conflict')) {
        transaction.rollback()
        return outcomes
      }
      const duplicates = outcomes.filter((outcome) => outcome === 'duplicate').length
      tables.imports.set(id, {
        ...known,
        ...progress,
        ...{ published: progress.published - duplicates, known: progress.known + duplicates },
        ...(completed && { state: 'completed' as const, endedAtMs: tables.now() }),
      })
      transaction.commit()
      return outcomes
    },

    imports: async () => [...tables.imports.values()].reverse().slice(0, listedMax),
  }
}
