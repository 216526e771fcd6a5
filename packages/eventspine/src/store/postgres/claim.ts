// Claimed bodies in a table: the object store when no other is configured.
import type { ClaimPort } from '../../append/port.js'
import { bodyGone, claimReference, referenceParts, verifiedBody } from '../../claim/index.js'
import type { Database } from './database.js'

const bodiesPerDelete = 200
const deletesPerCallMax = 100
const renewMinutes = 10

// A body that is there is renewed, so that it does not expire under the new event; not at every use, for that would
// make a much used one a hot row.
const put = `
INSERT INTO eventspine.claim AS c (reference, tenant, body) VALUES ($1, $2, $3)
ON CONFLICT (reference) DO UPDATE SET written_at = excluded.written_at
WHERE c.written_at < clock_timestamp() - interval '${renewMinutes} minutes'`

// Asked again outside: a body renewed while this waited for its row stays.
const expire = `
WITH gone AS (
  DELETE FROM eventspine.claim WHERE written_at < to_timestamp($2::float8 / 1000) AND reference = ANY(ARRAY(
    SELECT reference FROM eventspine.claim WHERE written_at < to_timestamp($2::float8 / 1000) ORDER BY written_at LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING 1)
SELECT count(*)::int AS count FROM gone`

export function claimStatements(database: Database): ClaimPort {
  return {
    async put(tenant, body) {
      const reference = claimReference(tenant, body)
      await database.query('append', 'claim.put', put, [reference, tenant, body])
      return reference
    },

    async get(reference) {
      referenceParts(reference)
      const [row] = await database.query<{ body: string }>(
        'read',
        'claim.get',
        'SELECT body FROM eventspine.claim WHERE reference = $1',
        [reference],
      )
      if (row === undefined) throw bodyGone(reference)
      return verifiedBody(reference, row.body)
    },

    async expire(timeMs) {
      let removed = 0
      for (let round = 0; round < deletesPerCallMax; round++) {
        const [row] = await database.query<{ count: number }>('read', 'claim.expire', expire, [
          bodiesPerDelete,
          timeMs - renewMinutes * 60_000,
        ])
        removed += row?.count ?? 0
        if ((row?.count ?? 0) < bodiesPerDelete) break
      }
      return removed
    },
  }
}

// Of the oldest partition that is kept, of the copies that dead letters and redriven deliveries hold, since their bodies
// are not in the copy, and of the histories of workflows. Each of the four is one probe of an index.
const needed = `
SELECT (extract(epoch FROM least(
  (SELECT e.recorded_at FROM eventspine.event e ORDER BY e.epoch, e.xid, e.seq LIMIT 1),
  (SELECT to_timestamp(min((l.event ->> 'recordedAtMs')::float8) / 1000) FROM eventspine.dead_letter l WHERE (l.event ->> 'claim') IS NOT NULL),
  (SELECT to_timestamp(min((d.event ->> 'recordedAtMs')::float8) / 1000) FROM eventspine.delivery d WHERE (d.event ->> 'claim') IS NOT NULL),
  (SELECT min(h.at) FROM eventspine.workflow_entry h WHERE h.kind IN ('step-claimed', 'event-claimed')),
  clock_timestamp())) * 1000)::float8 AS needed_ms`

/**
 * Nothing that this cell still holds refers to a body written before this moment, less a day for bodies written
 * before their event and for clocks that differ: what `expire` of any object store may be called with.
 */
export async function claimsNeededSince(database: Database): Promise<number> {
  const [row] = await database.query<{ needed_ms: number }>('read', 'claim.needed', needed)
  return (row?.needed_ms ?? 0) - 86_400_000
}
