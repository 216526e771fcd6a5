// Leases on sources, in memory.
import type { SourceLease, SourceLeasePort } from '../../source/port.js'
import type { MemoryTables } from './tables.js'

const forgottenAfterMs = 3_600_000

const keyOf = ({ source, slot }: Pick<SourceLease, 'source' | 'slot'>) => JSON.stringify([source, slot])

export function sourceLeasePort(tables: MemoryTables): SourceLeasePort {
  const { sourceLeases } = tables
  return {
    async leaseSource(lease, leaseMs, dead) {
      const now = tables.now()
      for (const [key, { source, leaseUntilMs }] of sourceLeases)
        if (source === lease.source && leaseUntilMs < now - forgottenAfterMs) sourceLeases.delete(key)
      const known = sourceLeases.get(keyOf(lease))
      const isFree = known === undefined || known.leaseUntilMs < now || known.identity === dead
      if (!isFree && known.worker !== lease.worker) return known.identity
      sourceLeases.set(keyOf(lease), { ...lease, leaseUntilMs: now + leaseMs })
      return null
    },

    async releaseSource(lease) {
      if (sourceLeases.get(keyOf(lease))?.worker === lease.worker) sourceLeases.delete(keyOf(lease))
    },

    async sourceLeases() {
      const now = tables.now()
      return [...sourceLeases]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { leaseUntilMs, ...lease }]) => ({ ...lease, live: leaseUntilMs >= now }))
    },
  }
}
