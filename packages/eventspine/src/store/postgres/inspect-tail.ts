// Events oldest first, for tailing. The cursor is a place in the ticks, as every subscription's is: by `seq` alone a
// tail would miss what commits late.
import { endOfTick, type Position, type StoredEvent } from '../../event/stored.js'
import {
  type EventQuery,
  type Page,
  type Remaining,
  type RemainingTypes,
  remainingEventsMax,
} from '../../inspect/port.js'
import { hash32 } from '../../kernel/index.js'
import type { Connection, Database } from './database.js'
import { addEventFilters, Conditions, isoText } from './inspect-conditions.js'
import { bounded, limitOf, readCursor, writeCursor } from './inspect-page.js'
import { type EventRow, eventColumns, eventOfRow } from './rows.js'
import { parseSnapshot } from './snapshot.js'
import { type TickRow, tickColumns } from './tick-sql.js'

/** Ticks read in one query, and about how many events they hold together. */
const windowTicksMax = 64
const windowEventsMax = 4_096
/** Queries of one call: a filter that meets nothing still gets on, and still answers in time. */
const windowsMax = 32

interface Place extends Position {
  /** The first transaction that the tick's snapshot knew nothing of, and a hash of it; 0 at the start. Ticks may be
   *  lost in a crash: they are made anew under their numbers, holding more. */
  readonly xmax: number
  readonly made: number
}

const selectTicks = `SELECT ${tickColumns} FROM eventspine.tick WHERE number >= $1 ORDER BY number LIMIT ${windowTicksMax}`

// What was recorded before this moment is in a tick that was made before it too, a second of clock steps allowed.
const selectStart = `SELECT coalesce(
  (SELECT number FROM eventspine.tick WHERE made_at < $1::timestamptz - interval '1 second' ORDER BY made_at DESC LIMIT 1),
  (SELECT greatest(0, min(number) - 1) FROM eventspine.tick), 0) AS number`

// The last tick that an outdated place has surely read: some events come twice, none is missed.
const selectSurvivor = `SELECT coalesce(
  (SELECT number FROM eventspine.tick WHERE number < $1 AND pg_snapshot_xmax(snapshot)::text::bigint < $2 ORDER BY number DESC LIMIT 1),
  (SELECT greatest(0, min(number) - 1) FROM eventspine.tick), 0) AS number`

const batch = (where: string) => `(SELECT e.* FROM eventspine.event e
  WHERE e.epoch = $1 AND e.xid >= $2::text::xid8 AND e.xid < $3::text::xid8 AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot) AND ${where}
  UNION ALL
  SELECT e.* FROM eventspine.event e
  WHERE e.epoch = $1 AND e.xid = ANY($5::text[]::xid8[]) AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot) AND ${where})`

function windowStatement(where: Conditions, limit: number): string {
  return `SELECT ${eventColumns}, place.tick FROM ${batch(where.text)} e
CROSS JOIN LATERAL (SELECT t.number AS tick FROM eventspine.tick t
  WHERE t.number BETWEEN $6 AND $7 AND pg_visible_in_snapshot(e.xid, t.snapshot) ORDER BY t.number LIMIT 1) place
WHERE place.tick > $6 OR e.seq > $8
ORDER BY place.tick, e.seq LIMIT ${where.value(limit)}`
}

interface TailRow extends EventRow {
  readonly tick: number
}

/** $1 to $5 of `batch`: what is in the ticks from `first` to `last`. */
function rangeOf(first: TickRow, last: TickRow): readonly unknown[] {
  const after = parseSnapshot(first.after)
  const until = parseSnapshot(last.snapshot).xmax
  return [first.epoch, String(after.xmax), String(until), last.snapshot, [...after.open].map(String)]
}

async function read(
  connection: Connection,
  query: EventQuery,
  ticks: readonly TickRow[],
  seqAfter: number,
  limit: number,
): Promise<StoredEvent[]> {
  const first = ticks[0] as TickRow
  const last = ticks.at(-1) as TickRow
  const where = new Conditions([...rangeOf(first, last), first.number, last.number, seqAfter])
  addEventFilters(where, query)
  const text = windowStatement(where, limit)
  const rows = await connection.query<TailRow>(`inspect.tail${where.shape}`, text, where.values)
  return rows.map((row) => eventOfRow(row, row.tick))
}

/** The longest run of `ticks` that one query may read: one epoch, a bounded number of events. */
function windowOf(ticks: readonly TickRow[]): readonly TickRow[] {
  const first = ticks[0] as TickRow
  let count = 1
  for (; count < ticks.length; count++) {
    const tick = ticks[count] as TickRow
    if (tick.epoch !== first.epoch || tick.seq_estimate - first.seq_estimate > windowEventsMax) break
  }
  return ticks.slice(0, count)
}

async function placeOf(connection: Connection, query: EventQuery): Promise<Place> {
  const place = readCursor('tail', query.cursor, ['number', 'number', 'number', 'number'])
  if (place !== undefined) {
    const [tick, seq, xmax, made] = place as readonly [number, number, number, number]
    return { tick, seq, xmax, made }
  }
  const after = query.after === undefined ? '-infinity' : isoText(query.after, 'after')
  const [row] = await connection.query<{ number: number }>('inspect.tail-start', selectStart, [after])
  return behind(row?.number ?? 0)
}

const behind = (tick: number): Place => ({ tick, seq: endOfTick, xmax: 0, made: 0 })

/** The ticks not yet read wholly, and the `seq` read in the first of them. */
async function unread(connection: Connection, place: Place): Promise<{ ticks: TickRow[]; seqAfter: number }> {
  const ticks = await connection.query<TickRow>('inspect.ticks', selectTicks, [place.tick])
  const [first] = ticks
  if (first === undefined || first.number > place.tick) return { ticks, seqAfter: 0 }
  if (place.made !== 0 && place.made !== hash32(first.snapshot)) {
    const survivor = [place.tick, place.xmax]
    const [row] = await connection.query<{ number: number }>(
      'inspect.tick-survivor',
      selectSurvivor,
      survivor,
    )
    return unread(connection, behind(row?.number ?? 0))
  }
  return place.seq === endOfTick ? { ticks: ticks.slice(1), seqAfter: 0 } : { ticks, seqAfter: place.seq }
}

/** A page behind the cursor. The cursor is never null: it stays where it is until there is more. */
export function tail(database: Database, query: EventQuery): Promise<Page<StoredEvent>> {
  const limit = limitOf(query)
  return bounded(database, async (connection) => {
    let place = await placeOf(connection, query)
    const items: StoredEvent[] = []
    for (let window = 0; window < windowsMax && items.length < limit; window++) {
      const { ticks, seqAfter } = await unread(connection, place)
      if (ticks.length === 0) break
      const range = windowOf(ticks)
      const wanted = limit - items.length
      const events = await read(connection, query, range, seqAfter, wanted)
      items.push(...events)
      place = placeBehind(range, events.length < wanted ? undefined : events.at(-1))
    }
    return { items, cursor: cursorOf(place) }
  })
}

const cursorOf = ({ tick, seq, xmax, made }: Place) => writeCursor('tail', [tick, seq, xmax, made])

const selectNewestTick = `SELECT ${tickColumns} FROM eventspine.tick ORDER BY number DESC LIMIT 1`

// What the first tick's snapshot sees is of that tick: of it, only what is behind the place counts.
const countStatement = (where: Conditions) => `SELECT count(*)::float8 AS events FROM ${batch(where.text)} e
WHERE e.seq > $7 OR NOT pg_visible_in_snapshot(e.xid, $6::pg_snapshot)`

/** Without a filter an index has all that is counted: 100,000 events in some 60 ms. */
export function remaining(database: Database, query: EventQuery): Promise<Remaining> {
  return bounded(database, async (connection) => {
    const place = await placeOf(connection, query)
    const { ticks, seqAfter } = await unread(connection, place)
    const [first] = ticks
    const [last] = await connection.query<TickRow>('inspect.tick-newest', selectNewestTick)
    if (first === undefined || last === undefined) return { events: 0, exact: true, cursor: cursorOf(place) }
    const cursor = cursorOf(placeBehind([last], undefined))
    const estimate = Math.max(0, last.seq_estimate - Math.max(seqAfter, first.seq_estimate))
    // Numbers of transactions mean nothing in another epoch, so what spans two is in no one range.
    if (first.epoch !== last.epoch || estimate > remainingEventsMax)
      return { events: estimate, exact: false, cursor }
    const where = new Conditions([...rangeOf(first, last), first.snapshot, seqAfter])
    addEventFilters(where, query)
    const text = countStatement(where)
    const rows = await connection.query<{ events: number }>(
      `inspect.remaining${where.shape}`,
      text,
      where.values,
    )
    return { events: rows[0]?.events ?? 0, exact: true, cursor }
  })
}

// The last tick that is within so many events of the first, in one epoch. That one itself is in any case.
const selectWithin = `SELECT ${tickColumns} FROM eventspine.tick WHERE number >= $1 AND number < coalesce(
  (SELECT number FROM eventspine.tick WHERE number > $1 AND (epoch <> $2 OR seq_estimate > $3) ORDER BY number LIMIT 1),
  9223372036854775807) ORDER BY number DESC LIMIT 1`

const typesStatement = (
  where: Conditions,
) => `SELECT e.type, count(*)::float8 AS events FROM ${batch(where.text)} e
WHERE e.seq > $7 OR NOT pg_visible_in_snapshot(e.xid, $6::pg_snapshot) GROUP BY e.type`

/** Without bodies: 100,000 events in some 300 ms. */
export function remainingTypes(
  database: Database,
  query: Pick<EventQuery, 'after'>,
): Promise<RemainingTypes> {
  return bounded(database, async (connection) => {
    const { ticks, seqAfter } = await unread(connection, await placeOf(connection, query))
    const [first] = ticks
    const [newest] = await connection.query<TickRow>('inspect.tick-newest', selectNewestTick)
    if (first === undefined || newest === undefined) return { types: [], beyond: 0 }
    const reach = [first.number, first.epoch, first.seq_estimate + remainingEventsMax]
    const [last = first] = await connection.query<TickRow>('inspect.tick-within', selectWithin, reach)
    const where = new Conditions([...rangeOf(first, last), first.snapshot, seqAfter])
    addEventFilters(where, query)
    const types = await connection.query<RemainingTypes['types'][number]>(
      `inspect.remaining-types${where.shape}`,
      typesStatement(where),
      where.values,
    )
    return { types, beyond: Math.max(0, newest.seq_estimate - last.seq_estimate) }
  })
}

/** Behind the last event taken, or behind the whole window when it held no more. */
function placeBehind(range: readonly TickRow[], event: StoredEvent | undefined): Place {
  const last = range.at(-1) as TickRow
  const tick = event === undefined ? last : (range.find((each) => each.number === event.tick) ?? last)
  const { xmax } = parseSnapshot(tick.snapshot)
  return { tick: tick.number, seq: event?.seq ?? endOfTick, xmax, made: hash32(tick.snapshot) }
}
