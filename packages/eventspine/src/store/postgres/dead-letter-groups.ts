// Dead letters by fault, each group with how it grew over the last day.
import { type DeadLetterGroup, groupHours } from '../../redrive/port.js'
import type { Connection } from './database.js'
import type { Conditions } from './inspect-conditions.js'
import { millisecondsOf } from './inspect-page.js'

/** Groups in one answer. */
const groupsMax = 200

interface GroupRow extends Omit<DeadLetterGroup, 'firstAtMs' | 'lastAtMs' | 'message' | 'hourly'> {
  readonly message: string | null
  readonly first_ms: number
  readonly last_ms: number
  /** By hours ago. */
  readonly hours: string | null
}

// One pass over the letters that are meant, through the index `dead_letter_group` alone where no text is searched for: by the
// hour first, and the hours of each fault together after that. Hours are told apart by date_bin, which counts in whole
// numbers: of 100,000 letters that are 40 ms, and in the numeric of extract(epoch …) they were 77.
const statement = (where: string) => `WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at)
SELECT g.subscription, g.category, g.fingerprint, g.count, g.hours, message.text AS message,
  ${millisecondsOf('g.first_at')} AS first_ms, ${millisecondsOf('g.last_at')} AS last_ms
FROM (SELECT h.subscription, h.category, h.fingerprint, sum(h.count)::float8 AS count, min(h.first_at) AS first_at,
    max(h.last_at) AS last_at, json_object_agg(h.ago, h.count) FILTER (WHERE h.ago < ${groupHours})::text AS hours
  FROM (SELECT b.*, greatest(0, extract(epoch FROM (SELECT at FROM moment) - b.hour) / 3600 - 1)::int AS ago
    FROM (SELECT l.subscription, l.category, l.fingerprint, count(*) AS count, min(l.died_at) AS first_at, max(l.died_at) AS last_at,
        greatest(date_bin('1 hour', l.died_at, (SELECT at FROM moment)), (SELECT at FROM moment) - interval '${groupHours + 1} hours') AS hour
      FROM eventspine.dead_letter l WHERE l.state = 'dead' AND ${where}
      GROUP BY l.subscription, l.category, l.fingerprint, hour) b) h
  GROUP BY h.subscription, h.category, h.fingerprint ORDER BY sum(h.count) DESC, max(h.last_at) DESC LIMIT ${groupsMax}) g
LEFT JOIN LATERAL (SELECT l.failure ->> 'message' AS text FROM eventspine.dead_letter l
  WHERE l.state = 'dead' AND l.subscription = g.subscription AND l.category = g.category AND l.fingerprint = g.fingerprint
    AND l.died_at = g.last_at AND ${where} LIMIT 1) message ON TRUE
ORDER BY g.count DESC, g.last_at DESC`

/** The unresolved letters that `where` meets, by fault, the largest group first. */
export async function groupsOf(
  connection: Connection,
  name: string,
  where: Conditions,
): Promise<DeadLetterGroup[]> {
  const rows = await connection.query<GroupRow>(`${name}${where.shape}`, statement(where.text), where.values)
  return rows.map(({ message, first_ms, last_ms, hours, ...row }) => ({
    ...row,
    message: message ?? '',
    firstAtMs: first_ms,
    lastAtMs: last_ms,
    hourly: hourlyOf(hours),
  }))
}

function hourlyOf(hours: string | null): number[] {
  const byAgo = JSON.parse(hours ?? '{}') as Readonly<Record<string, number>>
  return Array.from({ length: groupHours }, (_, at) => byAgo[groupHours - 1 - at] ?? 0)
}
