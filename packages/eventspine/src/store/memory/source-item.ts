// What sources have taken, in memory.
import type { SourceItemPort } from '../../source/port.js'
import type { MemoryTables } from './tables.js'

// As Postgres orders by the collation "C": by the bytes of UTF-8, not by those of UTF-16.
const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

export function sourceItemPort({ sourceItems }: MemoryTables): SourceItemPort {
  const of = (source: string) => {
    const known = sourceItems.get(source) ?? new Map<string, string>()
    sourceItems.set(source, known)
    return known
  }
  return {
    async sourceItems(source, { after, upTo, prefix, limit }) {
      return [...of(source)]
        .filter(([item]) => item.startsWith(prefix) && compare(item, after) > 0)
        .filter(([item]) => upTo === null || compare(item, upTo) <= 0)
        .sort(([a], [b]) => compare(a, b))
        .slice(0, limit)
        .map(([item, version]) => ({ item, version }))
    },

    async noteSourceItems(source, taken, gone) {
      const known = of(source)
      for (const { item, version } of taken) known.set(item, version)
      for (const { item, version } of gone) if (known.get(item) === version) known.delete(item)
    },
  }
}
