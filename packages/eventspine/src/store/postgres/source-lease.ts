// Leases on sources. Only the database's clock judges whose time is over.
import type { SourceLeasePort, SourceLeaseView } from '../../source/port.js'
import type { Database } from './database.js'

// Slots of workers that are long gone go with the next beat of whoever runs the same source.
const lease = `WITH gone AS (
  DELETE FROM eventspine.source_lease
  WHERE source = $1 AND slot <> $2 AND lease_until < clock_timestamp() - interval '1 hour')
INSERT INTO eventspine.source_lease AS l (source, slot, worker, identity, state, failures, error, lease_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8::float8 * interval '1 millisecond')
ON CONFLICT (source, slot) DO UPDATE SET worker = excluded.worker, identity = excluded.identity, state = excluded.state,
  failures = excluded.failures, error = excluded.error, lease_until = excluded.lease_until
WHERE l.worker = excluded.worker OR l.lease_until < clock_timestamp() OR l.identity = $9
RETURNING source`

const holder = 'SELECT identity FROM eventspine.source_lease WHERE source = $1 AND slot = $2'
const release = 'DELETE FROM eventspine.source_lease WHERE source = $1 AND slot = $2 AND worker = $3'
const list = `SELECT source, slot, worker, identity, state, failures, error, lease_until >= clock_timestamp() AS live
FROM eventspine.source_lease ORDER BY source, slot`

interface Holder {
  readonly identity: string
}

export function sourceLeaseStatements(database: Database): SourceLeasePort {
  return {
    async leaseSource({ source, slot, worker, identity, state, failures, error }, leaseMs, dead) {
      const values = [source, slot, worker, identity, state, failures, error, leaseMs, dead ?? null]
      const held = await database.query('heartbeat', 'source.lease', lease, values)
      if (held.length > 0) return null
      const [other] = await database.query<Holder>('heartbeat', 'source.holder', holder, [source, slot])
      return other?.identity ?? ''
    },

    async releaseSource({ source, slot, worker }) {
      await database.query('heartbeat', 'source.release', release, [source, slot, worker])
    },

    sourceLeases: () => database.query<SourceLeaseView>('read', 'source.leases', list),
  }
}
