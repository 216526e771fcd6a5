// The statement that makes ticks. Kept apart because both the log and the registration of subscriptions make them.
import { eventColumns } from './rows.js'

/** Its rows. `after` and `snapshot` are text in the form of `pg_snapshot`. */
export interface TickRow {
  readonly number: number
  readonly epoch: number
  readonly after: string
  readonly snapshot: string
  readonly seq_estimate: number
  readonly made_ms: number
}

/** Columns of `tick`, in the form of TickRow. */
export const tickColumns = `number, epoch, after::text AS after, snapshot::text AS snapshot, seq_estimate,
  (extract(epoch FROM made_at) * 1000)::float8 AS made_ms`

// Number, snapshot and last tick come from one statement, hence from one view of the database: who loses the race
// has a unique violation and no tick, and a winner's snapshot has seen the tick before it. Two statements would
// let a later tick have an older snapshot, which loses events.
//
// Something new is an event that this statement sees and the last snapshot did not: one whose transaction began
// after it, or one whose transaction it saw open. Two probes of the primary key and not one condition with OR:
// that one scans from the oldest open transaction on, at each tick. LIMIT and ORDER BY pin the index: with EXISTS
// alone the planner believes a third of the partition to match and reads it from its start. Of an open transaction
// `xid` is compared as a range: equal to one value it says nothing of the order, and the index of `seq` alone, read
// whole, would do.
// The upper bound spares partitions that were made ahead.
const relaxedAndLast = `relaxed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS value),
last AS MATERIALIZED (SELECT number, epoch, snapshot, seq_estimate FROM eventspine.tick ORDER BY number DESC LIMIT 1)`

// What is compared with the last tick is known too late to leave a partition out, and each costs 5.5 µs: where there are
// 64, more than the rest of a small tick. What the process knew before is a parameter, and partitions below it are not even
// opened. `fits` says that the last tick knows as much at least, so that no event is left out; where the log opened
// another epoch, or was put back, it does not fit.
const bounded = {
  last: 'fits',
  fits: `fits AS MATERIALIZED (SELECT * FROM last
WHERE epoch = $3::int AND pg_snapshot_xmin(snapshot) >= $4::text::xid8 AND pg_snapshot_xmax(snapshot) >= $5::text::xid8),
`,
  open: 'e.epoch = $3::int AND e.xid >= $4::text::xid8 AND e.xid < pg_snapshot_xmax(pg_current_snapshot())',
  begun: 'e.epoch = $3::int AND e.xid >= $5::text::xid8',
}
const ofLast = 'e.epoch = (SELECT epoch FROM last)'
const unbounded = { last: 'last', fits: '', open: ofLast, begun: ofLast }

const candidate = ({ last, fits, open, begun }: typeof bounded) => `${fits}candidate AS MATERIALIZED (
SELECT last.number + 1 AS number, last.epoch, last.snapshot AS after, pg_current_snapshot() AS snapshot,
  coalesce(pg_sequence_last_value('eventspine.event_seq'), 0) AS seq_estimate
FROM ${last} AS last
WHERE (SELECT value FROM relaxed) IS NOT NULL AND ($1::boolean
  OR (SELECT e.seq FROM eventspine.event e
      WHERE ${begun}
        AND e.xid >= (SELECT pg_snapshot_xmax(snapshot) FROM ${last}) AND e.xid < pg_snapshot_xmax(pg_current_snapshot())
      ORDER BY e.epoch, e.xid, e.seq LIMIT 1) IS NOT NULL
  OR (SELECT found.seq FROM pg_snapshot_xip((SELECT snapshot FROM ${last})) AS open(xid)
      CROSS JOIN LATERAL (
        SELECT e.seq FROM eventspine.event e
        WHERE ${open} AND e.xid >= open.xid AND e.xid <= open.xid
        ORDER BY e.epoch, e.xid, e.seq LIMIT 1) AS found
      LIMIT 1) IS NOT NULL))`

const insertTick = `
INSERT INTO eventspine.tick (number, epoch, after, snapshot, seq_estimate)
SELECT number, epoch, after, snapshot, seq_estimate FROM candidate
ON CONFLICT (number) DO NOTHING`

/**
 * Makes the next tick when something new is visible, or in any case when `$1` is true. No row: nothing is new, or
 * another worker made that tick.
 *
 * It commits asynchronously: a cursor that stands on a tick commits later and synchronously, so a durable cursor
 * implies its tick, and waiting for the disk here would delay every delivery. Never run it inside a transaction
 * that writes anything else: that would commit asynchronously too.
 */
export const tickStatement = `WITH ${relaxedAndLast},
${candidate(unbounded)}${insertTick}
RETURNING ${tickColumns}`

// What the events of a tick cost beside it: one statement more for each, where a quiet system makes a tick per event.
// The statement sees what its snapshot sees, so these are the rows of the new tick without another look at the snapshot.
// ORDER BY and LIMIT pin the index here, too.
const eventsOfIt = `(SELECT e.* FROM eventspine.event e
    WHERE ${bounded.begun} AND e.xid >= (SELECT pg_snapshot_xmax(snapshot) FROM fits)
      AND e.xid < pg_snapshot_xmax(pg_current_snapshot()) AND (SELECT small FROM sized)
    ORDER BY e.epoch, e.xid, e.seq LIMIT $2::bigint + 1)
  UNION ALL
  SELECT found.* FROM pg_snapshot_xip((SELECT snapshot FROM fits)) AS open(xid)
  CROSS JOIN LATERAL (
    SELECT e.* FROM eventspine.event e
    WHERE ${bounded.open} AND e.xid >= open.xid AND e.xid <= open.xid AND (SELECT small FROM sized)
    ORDER BY e.epoch, e.xid, e.seq LIMIT $2::bigint + 1) AS found`

/**
 * The same, and the events of the tick in no order, at most `$2` and one of those that began after the last tick and
 * of each transaction that it saw open: a row of `tickColumns`, and for each event one
 * where these are null and `eventColumns` follow. No events where about more than `$2` numbers were given out since the
 * tick before. `$3` to `$5` are epoch, xmin and xmax of a tick of this log, best the last one. Where no tick was made, the first row
 * has nothing but the number of the last one, and whether that tick was one of this log; not even that where another
 * worker made this one meanwhile.
 */
export const tickWithEvents = `WITH ${relaxedAndLast},
${candidate(bounded)},
made AS (${insertTick}
RETURNING *),
sized AS (SELECT made.*, made.seq_estimate - last.seq_estimate <= $2::bigint AS small FROM made CROSS JOIN last)
SELECT t.*, ${eventColumns} FROM (
  SELECT ${tickColumns}, small FROM sized
  UNION ALL SELECT number, NULL, NULL, NULL, NULL, NULL, EXISTS (SELECT FROM fits) FROM last WHERE NOT EXISTS (SELECT FROM candidate)
) AS t LEFT JOIN eventspine.event e ON false
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, ${eventColumns} FROM (${eventsOfIt}) AS e`
