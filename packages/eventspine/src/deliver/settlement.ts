// What a consumer hands to settling: its new cursor and what became of each delivery, as one record.

import type { DeadDelivery, OpenedDelivery, RescheduledDelivery, Run, Settlement } from '../settle/port.js'
import type { Item } from './item.js'
import type { Lease } from './port.js'
import type { Advance } from './window.js'

/** Taken from a consumer for one flush and kept until its answer is there. */
export interface Harvest {
  /** Fresh deliveries that the cursor passes now, and where it stands then. */
  readonly advance: Advance
  /** Of these, what still runs and goes on as a row. */
  readonly parked: ReadonlySet<Item>
  /** Rows that ended. */
  readonly rows: readonly Item[]
  /** Claimed rows that go back as if they had not been claimed. */
  readonly returned: readonly Item[]
  readonly finished: boolean
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] }
type Draft = Mutable<Pick<Settlement, 'closed'>> & {
  runs: Run[]
  opened: OpenedDelivery[]
  closed: { epoch: number; seq: number }[]
  rescheduled: RescheduledDelivery[]
  dead: DeadDelivery[]
  published: Settlement['published'][number][]
  completed: number
}

export function settlementOf(lease: Lease, revision: number, harvest: Harvest, halts: boolean): Settlement {
  const draft: Draft = {
    runs: [],
    opened: [],
    closed: [],
    rescheduled: [],
    dead: [],
    published: [],
    completed: 0,
  }
  for (const item of harvest.advance.ended) {
    // Still running: it goes on as a row, so that the cursor need not wait for it.
    if (harvest.parked.has(item))
      draft.opened.push({ ...kept(item), state: 'running', dueInMs: 0, failure: null })
    else record(draft, item, halts)
  }
  for (const item of harvest.rows) record(draft, item, halts)
  for (const item of harvest.returned)
    draft.rescheduled.push({ ...place(item), dueInMs: 0, failure: null, counted: false })
  const { completed, ...lists } = draft
  return {
    subscription: lease.subscription,
    replay: lease.replay,
    shard: lease.shard,
    token: lease.token,
    revision,
    tick: harvest.advance.upto.tick,
    tickSnapshot: harvest.advance.tick?.snapshot ?? null,
    seq: harvest.advance.upto.seq,
    counts: { matched: harvest.advance.ended.length, completed, skipped: 0 },
    ...lists,
    finished: harvest.finished,
  }
}

const kept = ({ event, attempt, round, deaths }: Item) => ({ event, attempt, round, deaths })
const place = ({ event }: Item) => ({ epoch: event.epoch, seq: event.seq })

// An item that is already a row is changed or closed; a fresh one becomes a row or leaves no trace but its run.
function record(draft: Draft, item: Item, halts: boolean): void {
  const { ending, event, attempt, round, deaths } = item
  const isRow = item.tick === null || item.rowed
  if (ending === undefined) return
  if (ending.kind === 'parked') {
    if (isRow)
      draft.rescheduled.push({ ...place(item), dueInMs: ending.delayMs, failure: null, counted: false })
    else
      draft.opened.push({
        event,
        state: 'retry',
        attempt: attempt - 1,
        round,
        deaths: ending.deaths,
        dueInMs: ending.delayMs,
        failure: null,
      })
    return
  }
  if (ending.kind === 'waiting') {
    draft.opened.push({ event, state: 'waiting', attempt: 0, round, deaths, dueInMs: 0, failure: null })
    return
  }
  const counted = ending.kind !== 'retry' || ending.counted !== false
  if (counted) draft.runs.push(item)
  if (ending.kind === 'retry') {
    if (isRow)
      draft.rescheduled.push({
        ...place(item),
        dueInMs: ending.delayMs,
        failure: ending.failure,
        counted,
      })
    else
      draft.opened.push({
        event,
        state: 'retry',
        attempt: counted ? attempt : attempt - 1,
        round,
        deaths,
        dueInMs: ending.delayMs,
        failure: ending.failure,
      })
    return
  }
  if (isRow) draft.closed.push(place(item))
  if (ending.kind === 'done') {
    draft.completed++
    if (ending.published.length > 0) draft.published.push(...ending.published)
  } else {
    draft.dead.push({ event, attempt, round, failure: ending.failure, halts: halts && event.key !== null })
  }
}

/** Its delivery is a row once this is recorded. */
export const becameRow = ({ ending }: Item) =>
  ending === undefined || ending.kind === 'retry' || ending.kind === 'parked' || ending.kind === 'waiting'

/** Its handler published events, which are in the log once this is recorded. */
export const hasPublished = ({ ending }: Item) => ending?.kind === 'done' && ending.published.length > 0

/** In how many milliseconds a row may be due now that these are recorded. The next suspect is claimed only then. */
export function claimInMs(items: readonly Item[]): number {
  let ms = Number.POSITIVE_INFINITY
  for (const { deaths, ending } of items) {
    if (deaths > 0) return 0
    if (ending?.kind === 'retry' || ending?.kind === 'parked') ms = Math.min(ms, ending.delayMs)
  }
  return ms
}

export const endedOf = ({ advance, rows }: Harvest): Item[] => [...advance.ended, ...rows]

/** Gives those that published under one of these ids another ending. */
export function refuse(harvest: Harvest, ids: readonly string[], ending: NonNullable<Item['ending']>): void {
  for (const item of endedOf(harvest)) if (publishes(item, ids)) item.ending = ending
}

/** Undoes a harvest that was not recorded: what was done runs again, the rest is kept for the next. */
export function takenBack(harvest: Harvest, ids: readonly string[]) {
  const done = endedOf(harvest).filter((item) => item.ending?.kind === 'done')
  const guilty = done.filter((item) => publishes(item, ids))
  const rows = harvest.rows.filter((item) => item.ending?.kind !== 'done')
  for (const item of done) item.ending = undefined
  return { guilty, rows, returned: harvest.returned }
}

const publishes = (item: Item, ids: readonly string[]) =>
  item.ending?.kind === 'done' && item.ending.published.some((event) => ids.includes(event.id))
