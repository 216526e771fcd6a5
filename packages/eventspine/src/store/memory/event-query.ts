// Finding events: newest first for reading, or in log order for following.
import { typeMatcher } from '../../event/pattern.js'
import { comparePositions, type Position, type StoredEvent } from '../../event/stored.js'
import type { EventQuery, Page, Remaining, RemainingTypes } from '../../inspect/port.js'
import { limitOf, pageOf, readCursor, writeCursor } from './paging.js'
import type { MemoryTables } from './tables.js'

const correlatedMax = 1_000

export function pageOfEvents(tables: MemoryTables, query: EventQuery): Page<StoredEvent> {
  const found = tables.visibleEvents().filter(matcherOf(query))
  if (query.order === 'oldest') return pageInLogOrder(tables, query, found)
  const inLog = (event: StoredEvent) => withTick(tables, event)
  return pageOf('events', found, query, ({ seq }) => seq, inLog)
}

/** As it would be read from the log; tick 0 when none holds it yet. */
export function withTick(tables: MemoryTables, event: StoredEvent): StoredEvent {
  return { ...event, tick: tables.tickOf(event.xid) }
}

export function correlated(tables: MemoryTables, correlationId: string): StoredEvent[] {
  return tables
    .visibleEvents()
    .filter((event) => event.correlationId === correlationId)
    .slice(0, correlatedMax)
    .map((event) => withTick(tables, event))
}

export function firsts(
  tables: MemoryTables,
  correlationIds: readonly string[],
  types: readonly string[] | undefined,
): StoredEvent[] {
  const found = new Map<string, StoredEvent>()
  for (const event of tables.visibleEvents()) {
    if (!correlationIds.includes(event.correlationId)) continue
    if (types !== undefined && !types.includes(event.type)) continue
    const place = JSON.stringify([event.correlationId, event.tenant])
    if (!found.has(place)) found.set(place, withTick(tables, event))
  }
  return [...found.values()]
}

function matcherOf(query: EventQuery): (event: StoredEvent) => boolean {
  const ofType = query.type === undefined ? () => true : typeMatcher(query.type)
  return (event) =>
    ofType(event.type) &&
    (query.key === undefined || event.key === query.key) &&
    (query.tenant === undefined || event.tenant === query.tenant) &&
    (query.correlationId === undefined || event.correlationId === query.correlationId) &&
    (query.after === undefined || event.recordedAtMs >= query.after.getTime()) &&
    (query.before === undefined || event.recordedAtMs < query.before.getTime())
}

// By position, not by `seq`: what commits late has a lower `seq` than what was shown, and would never be. The cursor
// never ends, so that a reader can follow the log.
function pageInLogOrder(
  tables: MemoryTables,
  query: EventQuery,
  found: readonly StoredEvent[],
): Page<StoredEvent> {
  const after = placeOf(query)
  const items = behind(tables, after, found).slice(0, limitOf(query))
  const last = items.at(-1) ?? after
  return { items, cursor: writeCursor('tail', [last.tick, last.seq]) }
}

/** Counts whatever there is: a test holds little. */
export function remaining(tables: MemoryTables, query: EventQuery): Remaining {
  const after = placeOf(query)
  const all = behind(tables, after, tables.visibleEvents())
  const last = all.at(-1) ?? after
  const events = all.filter(matcherOf(query)).length
  return { events, exact: true, cursor: writeCursor('tail', [last.tick, last.seq]) }
}

export function remainingTypes(tables: MemoryTables, query: Pick<EventQuery, 'after'>): RemainingTypes {
  const counts = new Map<string, number>()
  for (const event of behind(tables, placeOf(query), tables.visibleEvents()).filter(matcherOf(query)))
    counts.set(event.type, (counts.get(event.type) ?? 0) + 1)
  return { types: [...counts].map(([type, events]) => ({ type, events })), beyond: 0 }
}

function placeOf({ cursor }: EventQuery): Position {
  const [tick = 0, seq = 0] = readCursor('tail', cursor, 2)
  return { tick, seq }
}

const behind = (tables: MemoryTables, place: Position, events: readonly StoredEvent[]) =>
  events
    .map((event) => withTick(tables, event))
    .filter((event) => event.tick > 0 && comparePositions(event, place) > 0)
    .sort(comparePositions)
