// The log in ticks: the reader that loses nothing. The batch of a tick is what its snapshot sees and the one before
// it does not, in seq order; `seq > cursor` would lose a fifth of what concurrent writers commit.
import type { LogPort, Tick } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { assert } from '../../kernel/index.js'
import type { Database } from './database.js'
import { type EventRow, eventColumns, eventOfRow } from './rows.js'
import { parseSnapshot, type Snapshot, sees } from './snapshot.js'
import { tickStatement } from './tick-sql.js'

interface TickRow {
  readonly number: number
  readonly epoch: number
  readonly after: string
  readonly snapshot: string
  readonly seq_estimate: number
  readonly made_ms: number
}

const tickOfRow = (row: TickRow): Tick => ({
  number: row.number,
  epoch: row.epoch,
  after: row.after,
  snapshot: row.snapshot,
  seqEstimate: row.seq_estimate,
  madeAtMs: row.made_ms,
})

const selectTicks = `SELECT number, epoch, after::text, snapshot::text, seq_estimate,
  (extract(epoch FROM made_at) * 1000)::float8 AS made_ms
FROM eventspine.tick WHERE number > $1 ORDER BY number LIMIT $2`

const lastTick = `SELECT number, epoch, after::text, snapshot::text, seq_estimate,
  (extract(epoch FROM made_at) * 1000)::float8 AS made_ms
FROM eventspine.tick ORDER BY number DESC LIMIT 1`

// Two branches: what began after the first snapshot, and what it saw open. A scan from xmin would read again all that
// came since the oldest open transaction began, at every tick.
const batch = `SELECT ${eventColumns} FROM eventspine.event e
WHERE e.epoch = $1 AND e.xid >= $2::text::xid8 AND e.xid < $3::text::xid8 AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot)
UNION ALL
SELECT ${eventColumns} FROM eventspine.event e
WHERE e.epoch = $1 AND e.xid >= $6::text::xid8 AND e.xid < $2::text::xid8 AND e.xid = ANY($5::text[]::xid8[]) AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot)`

const page = `SELECT * FROM (${batch}) AS e WHERE e.seq > $7 ORDER BY e.seq LIMIT $8`

function rangeOf(ticks: readonly Tick[]): unknown[] {
  const after = parseSnapshot((ticks[0] as Tick).after)
  const last = ticks[ticks.length - 1] as Tick
  const snapshot = parseSnapshot(last.snapshot)
  return [
    last.epoch,
    String(after.xmax),
    String(snapshot.xmax),
    last.snapshot,
    [...after.open].map(String),
    String(after.xmin),
  ]
}

/** Gives each row the first tick that sees it, and orders by (tick, seq). */
function intoOrder(rows: readonly EventRow[], ticks: readonly Tick[], seqAfter: number): StoredEvent[] {
  const snapshots = ticks.map((tick) => parseSnapshot(tick.snapshot))
  const first = (ticks[0] as Tick).number
  const tickOfXid = new Map<number, number>()
  const events: StoredEvent[] = []
  for (const row of rows) {
    let index = tickOfXid.get(row.xid)
    if (index === undefined) {
      index = firstThatSees(snapshots, row.xid)
      tickOfXid.set(row.xid, index)
    }
    const tick = (ticks[index] as Tick).number
    if (tick > first || row.seq > seqAfter) events.push(eventOfRow(row, tick, events.at(-1)))
  }
  return events.sort((a, b) => a.tick - b.tick || a.seq - b.seq)
}

// Snapshots only grow, so what one sees all later ones see.
function firstThatSees(snapshots: readonly Snapshot[], xid: number): number {
  let low = 0
  let high = snapshots.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sees(snapshots[middle] as Snapshot, xid)) high = middle
    else low = middle + 1
  }
  return low
}

export function logStatements(database: Database): LogPort {
  const ticksAfter: LogPort['ticksAfter'] = async (after, ticksMax) =>
    (await database.query<TickRow>('deliver', 'deliver.ticks', selectTicks, [after, ticksMax])).map(tickOfRow)

  return {
    ticksAfter,

    async lastTick() {
      const [row] = await database.query<TickRow>('deliver', 'deliver.last-tick', lastTick)
      assert(row !== undefined, 'The log has no tick')
      return tickOfRow(row)
    },

    async tick(known, ticksMax) {
      const [made] = await database.query<TickRow>('deliver', 'deliver.tick', tickStatement, [false])
      if (made !== undefined && made.number === known + 1) return { ticks: [tickOfRow(made)], again: false }
      const ticks = await ticksAfter(known, ticksMax)
      return { ticks, again: ticks.length > 0 && made === undefined }
    },

    async read(ticks, seqAfter, eventsMax) {
      const [first] = ticks
      if (first === undefined) return []
      const same = ticks.findIndex((tick) => tick.epoch !== first.epoch)
      if (same > 0) {
        const here = await this.read(ticks.slice(0, same), seqAfter, eventsMax)
        return [...here, ...(await this.read(ticks.slice(same), 0, eventsMax))]
      }
      if (ticks.length === 1) {
        const rows = await database.query<EventRow>('deliver', 'deliver.page', page, [
          ...rangeOf(ticks),
          seqAfter,
          eventsMax,
        ])
        const events: StoredEvent[] = []
        for (const row of rows) events.push(eventOfRow(row, first.number, events.at(-1)))
        return events
      }
      const rows = await database.query<EventRow>('deliver', 'deliver.batch', batch, rangeOf(ticks))
      return intoOrder(rows, ticks, seqAfter)
    },
  }
}
