// The log in ticks: the reader that loses nothing. The batch of a tick is what its snapshot sees and the one before
// it does not, in seq order; `seq > cursor` would lose a fifth of what concurrent writers commit.
import type { LogPort, Tick } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { assert } from '../../kernel/index.js'
import type { Database } from './database.js'
import type { Fields } from './fields.js'
import { eventColumns, eventOfFields } from './rows.js'
import { parseSnapshot, type Snapshot, sees } from './snapshot.js'
import { type TickRow, tickColumns, tickWithEvents } from './tick-sql.js'

const tickOfRow = (row: TickRow): Tick => ({
  number: row.number,
  epoch: row.epoch,
  after: row.after,
  snapshot: row.snapshot,
  seqEstimate: row.seq_estimate,
  madeAtMs: row.made_ms,
})

const tickOfFields = ([number, epoch, after, snapshot, seqEstimate, madeAtMs]: Fields): Tick => ({
  number: Number(number),
  epoch: Number(epoch),
  after: after as string,
  snapshot: snapshot as string,
  seqEstimate: Number(seqEstimate),
  madeAtMs: Number(madeAtMs),
})
/** Of `tickWithEvents`, before those of an event. */
const tickFields = 7

const selectTicks = `SELECT ${tickColumns} FROM eventspine.tick WHERE number > $1 ORDER BY number LIMIT $2`
const selectLastTick = `SELECT ${tickColumns} FROM eventspine.tick ORDER BY number DESC LIMIT 1`

// Two branches: what began after the first snapshot, and what it saw open. A scan from xmin would read again all that
// came since the oldest open transaction began, at every tick.
const batch = `SELECT ${eventColumns} FROM eventspine.event e
WHERE e.epoch = $1 AND e.xid >= $2::text::xid8 AND e.xid < $3::text::xid8 AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot)
UNION ALL
SELECT ${eventColumns} FROM eventspine.event e
WHERE e.epoch = $1 AND e.xid >= $6::text::xid8 AND e.xid < $2::text::xid8 AND e.xid = ANY($5::text[]::xid8[]) AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot)`

const page = `SELECT * FROM (${batch}) AS e WHERE e.seq > $7 ORDER BY e.seq LIMIT $8`

// The same further on in a large tick, which `page` would read whole each time: what was published while nobody worked
// is one tick, and a million events took a million events for each thousand. Its conditions leave the index of `seq`
// only: with `epoch` as it stands, PostgreSQL 18 would skip through the primary key, one search for each transaction
// there is. Where the range holds too few, `page` jumps the gap.
const nextPage = `SELECT ${eventColumns} FROM eventspine.event e
WHERE e.seq > $1 AND e.seq <= $2 AND e.epoch + 0 = $3
  AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot) AND NOT pg_visible_in_snapshot(e.xid, $5::pg_snapshot)
ORDER BY e.seq LIMIT $6`
/** Of the numbers in that range, one in so many at least must belong to the tick. */
const nextPageSparsity = 4

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

/** Gives each event the first tick that sees it, and orders by (tick, seq). */
class Sorter {
  readonly #ticks: readonly Tick[]
  readonly #seqAfter: number
  readonly #snapshots: readonly Snapshot[]
  readonly #tickOfXid = new Map<string, number>()
  readonly #events: StoredEvent[] = []

  constructor(ticks: readonly Tick[], seqAfter: number) {
    this.#ticks = ticks
    this.#seqAfter = seqAfter
    this.#snapshots = ticks.map((tick) => parseSnapshot(tick.snapshot))
  }

  add(fields: Fields): void {
    const xid = fields[1] as string
    let index = this.#tickOfXid.get(xid)
    if (index === undefined) {
      index = firstThatSees(this.#snapshots, Number(xid))
      this.#tickOfXid.set(xid, index)
    }
    const { number } = this.#ticks[index] as Tick
    const event = eventOfFields(fields, number, this.#events.at(-1))
    if (index > 0 || event.seq > this.#seqAfter) this.#events.push(event)
  }

  get sorted(): StoredEvent[] {
    return this.#events.sort((a, b) => a.tick - b.tick || a.seq - b.seq)
  }
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

/** `last`: where no tick was made since nothing is new, the number of the last one; else infinite. `fits`: whether `seen` is a
 *  tick of this epoch, and of a log that was not put back; if not, none was made. */
async function makeTick(database: Database, eventsMax: number, seen: Tick) {
  let tick: Tick | undefined
  let isSmall = false
  let fits = true
  let last = Number.POSITIVE_INFINITY
  const events: StoredEvent[] = []
  const take = (fields: Fields) => {
    if (tick !== undefined) events.push(eventOfFields(fields, tick.number, events.at(-1), tickFields))
    else if (fields[1] === null) {
      last = Number(fields[0])
      fits = fields[tickFields - 1] === 't'
    } else {
      tick = tickOfFields(fields)
      isSmall = fields[tickFields - 1] === 't'
    }
  }
  const [xmin, xmax] = seen.snapshot.split(':', 2)
  const values = [false, eventsMax, seen.epoch, xmin, xmax]
  await database.fields('tick', 'deliver.tick-with-events', tickWithEvents, values, take)
  return { tick: tick as Tick | undefined, isSmall, fits, last, events }
}

export const logStatements = (database: Database): LogPort => ({
  ...ticking(database),
  read: reading(database),
})

function ticking(database: Database): Omit<LogPort, 'read'> {
  /** The newest tick that this process has made or read: what the next one has to find lies above it. */
  let seen: Tick | undefined

  const lastTick = async () => {
    const [row] = await database.query<TickRow>('deliver', 'deliver.last-tick', selectLastTick)
    assert(row !== undefined, 'The log has no tick')
    return tickOfRow(row)
  }

  const ticksAfter: LogPort['ticksAfter'] = async (after, ticksMax) => {
    const rows = await database.query<TickRow>('deliver', 'deliver.ticks', selectTicks, [after, ticksMax])
    const ticks = rows.map(tickOfRow)
    const last = ticks.at(-1)
    // A consumer that is behind asks, too.
    if (last !== undefined && last.number > (seen?.number ?? 0)) seen = last
    return ticks
  }

  const makeNext = async (eventsMax: number) => {
    seen ??= await lastTick()
    let made = await makeTick(database, eventsMax, seen)
    if (!made.fits) {
      seen = await lastTick()
      made = await makeTick(database, eventsMax, seen)
    }
    seen = made.tick ?? seen
    return made
  }

  return {
    ticksAfter,
    lastTick,

    async tick(known, ticksMax, eventsMax = 0) {
      const { tick, isSmall, last, events } = await makeNext(eventsMax)
      // Mostly, where nothing comes: one statement a second of an idle worker, and not two.
      if (last <= known) return { ticks: [], again: false }
      if (tick?.number !== known + 1) {
        const ticks = await ticksAfter(known, ticksMax)
        return { ticks, again: ticks.length > 0 && tick === undefined }
      }
      // A part would be taken for the whole.
      if (!isSmall || events.length > eventsMax) return { ticks: [tick], again: false }
      return { ticks: [tick], again: false, events: events.sort((a, b) => a.seq - b.seq) }
    },
  }
}

function reading(database: Database): LogPort['read'] {
  const pageOf = async (tick: Tick, name: string, text: string, values: readonly unknown[]) => {
    const events: StoredEvent[] = []
    await database.fields('deliver', name, text, values, (fields) => {
      events.push(eventOfFields(fields, tick.number, events.at(-1)))
    })
    return events
  }

  const readTick = async (tick: Tick, seqAfter: number, eventsMax: number) => {
    if (seqAfter > 0) {
      const seqMax = seqAfter + eventsMax * nextPageSparsity
      const range = [seqAfter, seqMax, tick.epoch, tick.snapshot, tick.after, eventsMax]
      const events = await pageOf(tick, 'deliver.next-page', nextPage, range)
      if (events.length === eventsMax) return events
    }
    return pageOf(tick, 'deliver.page', page, [...rangeOf([tick]), seqAfter, eventsMax])
  }

  const read: LogPort['read'] = async (ticks, seqAfter, eventsMax) => {
    const [first] = ticks
    if (first === undefined) return []
    const same = ticks.findIndex((tick) => tick.epoch !== first.epoch)
    if (same > 0) {
      const here = await read(ticks.slice(0, same), seqAfter, eventsMax)
      return [...here, ...(await read(ticks.slice(same), 0, eventsMax))]
    }
    if (ticks.length === 1) return readTick(first, seqAfter, eventsMax)
    const sorter = new Sorter(ticks, seqAfter)
    await database.fields('deliver', 'deliver.batch', batch, rangeOf(ticks), (fields) => sorter.add(fields))
    return sorter.sorted
  }
  return read
}
