// The books of every subscription, counted from the tables in one statement, hence at one moment: what the engine
// says that it matched against the log itself, and against what became of it.
import { sql } from '../support.js'

export interface Books {
  readonly subscription: string
  /** Events of its own in the log behind its cursor, counted there. */
  readonly behind: number
  readonly matched: number
  readonly completed: number
  readonly retrying: number
  /** Discarded ones included. */
  readonly dead: number
  readonly skipped: number
}

/** Subscriptions of one shard that began when the log was empty. `wanted`: SQL over `e` and `c` that says which events
 *  are a consumer's own. */
export const booksOf = (schema: string, wanted: string) =>
  sql<Books & Record<string, unknown>>(`
    SELECT c.subscription, c.matched::int, c.completed::int, c.skipped::int,
      (SELECT count(*)::int FROM ${schema}.event e WHERE ${wanted} AND (pg_visible_in_snapshot(e.xid, t.after)
        OR pg_visible_in_snapshot(e.xid, t.snapshot) AND e.seq <= c.seq)) AS behind,
      (SELECT count(*)::int FROM ${schema}.delivery d WHERE d.subscription = c.subscription) AS retrying,
      (SELECT count(*)::int FROM ${schema}.dead_letter l WHERE l.subscription = c.subscription AND l.state IN ('dead', 'discarded')) AS dead
    FROM ${schema}.consumer c JOIN ${schema}.tick t ON t.number = c.tick ORDER BY c.subscription`)

export const unbalanced = (books: readonly Books[]) =>
  books.filter(
    ({ behind, matched, completed, retrying, dead, skipped }) =>
      matched !== behind || matched !== completed + retrying + dead + skipped,
  )

/** Deliveries whose number of terminal runs in `round` is not one, and such of events that are not the subscription's. */
export const wrongEnds = (schema: string, wanted: string, round = 0) =>
  sql(
    `WITH attempt AS (
      SELECT r.subscription, a.seq, coalesce(a.outcome, 'd') AS outcome, coalesce(a.round, 0) AS round
      FROM ${schema}.run r CROSS JOIN LATERAL unnest(r.seqs, r.outcomes::text[], r.rounds) AS a(seq, outcome, round)
    ), ends AS (
      SELECT subscription, seq, count(*)::int AS times FROM attempt WHERE outcome <> 'r' AND round = $1 GROUP BY 1, 2)
    SELECT c.subscription, e.seq::int, coalesce(ends.times, 0) AS times
    FROM ${schema}.consumer c CROSS JOIN ${schema}.event e LEFT JOIN ends ON ends.subscription = c.subscription AND ends.seq = e.seq
    WHERE coalesce(ends.times, 0) <> (${wanted})::int`,
    [round],
  )
