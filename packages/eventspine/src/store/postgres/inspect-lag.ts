// How many events each subscription still has to take: those of its types behind its cursor, whatever else the log holds. Counted one
// by one as far as a bounded look reaches, and estimated beyond.
import { endOfTick } from '../../event/stored.js'
import type { Connection } from './database.js'
import { likePattern } from './inspect-conditions.js'

/** Events of the log behind a cursor that are counted one by one. */
export const lookEventsMax = 500
/** Events of one type that tell how dense it is beyond that. */
const typeEventsMax = 200
/** Subscriptions that are looked at, 1.8 ms each where the log has 63 partitions and all are far behind; of others the whole log
 *  behind them is told. */
const subscriptionsMax = 100

/** A subscription that has not read all that is in the log. */
export interface Behind {
  readonly name: string
  readonly types: readonly string[]
  /** Of its slowest shard. */
  readonly tick: number
  readonly seq: number
  /** That starts later than its tick, in milliseconds since 1970. */
  readonly from_ms: number | null
  /** About: the last number that it has read, and the last of the log. */
  readonly seq_cursor: number
  readonly seq_last: number
}

export interface Lag {
  readonly events: number
  readonly exact: boolean
  /** Of the oldest of them; null where none is known. */
  readonly ageSeconds: number | null
}

const row = 'e.epoch, e.xid, e.seq, e.type, e.recorded_at'
const inOrder = `ORDER BY e.epoch, e.xid, e.seq LIMIT ${lookEventsMax}`

// What a cursor has read is what its tick sees, and inside of a tick what lies up to its number. The three parts are ranges of the
// primary key: begun behind the tick, open in it, and of a later epoch, whose transaction ids mean nothing in this one. One
// xid is compared as a range, as for ticks.
const looked = `SELECT s.name, count(unread.recorded_at)::int AS looked, (count(*) FILTER (WHERE unread.fits))::int AS events,
  (extract(epoch FROM clock_timestamp() - min(unread.recorded_at) FILTER (WHERE unread.fits)))::float8 AS age_seconds
FROM json_to_recordset($1::json) AS s(name text, types text[], likes text[], tick bigint, seq bigint, from_ms float8)
CROSS JOIN LATERAL (SELECT t.epoch, t.snapshot, t.number = s.tick AND s.seq <> ${endOfTick} AS inside,
    CASE WHEN t.number = s.tick AND s.seq = ${endOfTick} THEN t.snapshot ELSE t.after END AS base
  FROM eventspine.tick t WHERE t.number >= s.tick ORDER BY t.number LIMIT 1) place
LEFT JOIN LATERAL (
  SELECT e.recorded_at, (e.type = ANY (s.types) OR e.type LIKE ANY (s.likes))
    AND (s.from_ms IS NULL OR extract(epoch FROM e.recorded_at) * 1000 >= s.from_ms)
    AND NOT (place.inside AND e.epoch = place.epoch AND e.seq <= s.seq AND pg_visible_in_snapshot(e.xid, place.snapshot)) AS fits
  FROM (
    (SELECT ${row} FROM eventspine.event e
     WHERE e.epoch = place.epoch AND e.xid >= pg_snapshot_xmax(place.base) AND e.xid < pg_snapshot_xmax(pg_current_snapshot())
     ${inOrder})
    UNION ALL
    (SELECT found.* FROM pg_snapshot_xip(place.base) AS open(xid) CROSS JOIN LATERAL (
       SELECT ${row} FROM eventspine.event e WHERE e.epoch = place.epoch AND e.xid >= open.xid AND e.xid <= open.xid
       ${inOrder}) found LIMIT ${lookEventsMax})
    UNION ALL
    (SELECT ${row} FROM eventspine.event e WHERE e.epoch > place.epoch ${inOrder})
  ) e LIMIT ${lookEventsMax}) unread ON true
GROUP BY s.name`

// From the place of the cursor in the index of types: written as one row, or the index would be read from the first event of the type on.
const dense = `SELECT s.name, asked.type, (count(*))::int AS events, max(found.seq) AS seq_last,
  (extract(epoch FROM clock_timestamp() - min(found.recorded_at)))::float8 AS age_seconds
FROM json_to_recordset($1::json) AS s(name text, types text[], seq_cursor bigint)
CROSS JOIN LATERAL unnest(s.types) AS asked(type)
CROSS JOIN LATERAL (SELECT e.seq, e.recorded_at FROM eventspine.event e
  WHERE (e.type, e.seq) > (asked.type, s.seq_cursor) AND e.type <= asked.type
  ORDER BY e.type, e.seq LIMIT ${typeEventsMax}) found
GROUP BY s.name, asked.type`

// The planner knows nothing of where a cursor stands, and takes what lies behind one for a hundred events: rather than walk the index in
// its order, it read all of them and sorted them, 20,000 in place of 500.
const inIndexOrder = `SELECT set_config('enable_sort', 'off', true)`

interface LookedRow {
  readonly name: string
  readonly looked: number
  readonly events: number
  readonly age_seconds: number | null
}

interface DenseRow {
  readonly name: string
  readonly events: number
  readonly seq_last: number
  readonly age_seconds: number
}

/** By name. */
export async function lagsOf(
  connection: Connection,
  behind: readonly Behind[],
): Promise<ReadonlyMap<string, Lag>> {
  if (behind.length === 0) return new Map()
  const asked = behind.slice(0, subscriptionsMax)
  const json = JSON.stringify(asked.map(questionOf))
  await connection.query('inspect.index-order', inIndexOrder)
  const rows = await connection.query<LookedRow>('inspect.lag', looked, [json])
  const found = new Map(rows.map((each) => [each.name, each]))
  const isFar = ({ name }: Behind) => (found.get(name)?.looked ?? lookEventsMax) >= lookEventsMax
  const densities = await densitiesOf(
    connection,
    asked.filter((each) => isFar(each) && !hasPattern(each)),
  )
  return new Map(
    behind.map((each) => {
      const look = found.get(each.name)
      if (look === undefined) return [each.name, { events: wholeLog(each), exact: false, ageSeconds: null }]
      const near = { events: look.events, exact: true, ageSeconds: look.age_seconds }
      return [each.name, isFar(each) ? beyond(each, near, densities.get(each.name)) : near]
    }),
  )
}

const hasPattern = ({ types }: Behind) => types.some((type) => likePattern(type) !== undefined)
const wholeLog = ({ seq_last, seq_cursor }: Behind) => Math.max(1, seq_last - seq_cursor)

function questionOf({ name, types, tick, seq, from_ms }: Behind) {
  const likes = types.flatMap((type) => likePattern(type) ?? [])
  return { name, types: types.filter((type) => !type.includes('*')), likes, tick, seq, from_ms }
}

async function densitiesOf(
  connection: Connection,
  far: readonly Behind[],
): Promise<ReadonlyMap<string, readonly DenseRow[]>> {
  if (far.length === 0) return new Map()
  const json = JSON.stringify(far.map(({ name, types, seq_cursor }) => ({ name, types, seq_cursor })))
  const rows = await connection.query<DenseRow>('inspect.lag-density', dense, [json])
  return new Map(far.map(({ name }) => [name, rows.filter((each) => each.name === name)]))
}

/** What is more than a look: of patterns the share of what was looked at, of types what their index says. Never less than was counted. */
function beyond(each: Behind, near: Lag, densities: readonly DenseRow[] | undefined): Lag {
  if (densities === undefined) {
    const events = Math.round((near.events / lookEventsMax) * wholeLog(each))
    return { events: Math.max(1, near.events, events), exact: false, ageSeconds: near.ageSeconds }
  }
  const { seq_cursor, seq_last } = each
  const counted = densities.map(({ events, seq_last: last }) =>
    events < typeEventsMax ? events : (events * (seq_last - seq_cursor)) / Math.max(1, last - seq_cursor),
  )
  const events = Math.round(counted.reduce((sum, count) => sum + count, 0))
  const ages = densities.map(({ age_seconds }) => age_seconds)
  return {
    events: Math.max(near.events, events),
    exact: false,
    ageSeconds: near.ageSeconds ?? (ages.length === 0 ? null : Math.max(...ages)),
  }
}
