// Events for people: newest first by `seq`, one by its id, and all of one correlation.
import type { StoredEvent } from '../../event/stored.js'
import { type EventQuery, type InspectPort, tenantsOfIdMax } from '../../inspect/port.js'
import type { Database } from './database.js'
import { addEventFilters, Conditions, ofCorrelation } from './inspect-conditions.js'
import { bounded, limitOf, pageOf, readCursor, writeCursor } from './inspect-page.js'
import { remaining, remainingTypes, tail } from './inspect-tail.js'
import { type EventRow, eventColumns, eventOfRow } from './rows.js'

/** Lists are in `seq` order and do not look for the tick of each event. */
export const tickUnknown = 0

const correlatedEventsMax = 1_000

// A correlation is read through its own index first: with the order by `seq` in sight the planner would rather walk
// the whole log backwards and hope to meet it soon.
function newestStatement(where: Conditions, correlated: boolean, limit: number): string {
  const conditions = where.text
  const rows = `SELECT ${eventColumns} FROM eventspine.event e WHERE ${conditions}`
  const order = `ORDER BY e.seq DESC LIMIT ${where.value(limit + 1)}`
  if (!correlated) return `${rows} ${order}`
  return `WITH e AS MATERIALIZED (SELECT * FROM eventspine.event e WHERE ${conditions}) SELECT ${eventColumns} FROM e ${order}`
}

async function newest(database: Database, query: EventQuery) {
  const limit = limitOf(query)
  const [seq] = readCursor('events', query.cursor, ['number']) ?? []
  const where = new Conditions().add('cursor', seq, (parameter) => `e.seq < ${parameter}`)
  addEventFilters(where, query)
  const text = newestStatement(where, query.correlationId !== undefined, limit)
  const rows = await bounded(database, (connection) =>
    connection.query<EventRow>(`inspect.event${where.shape}`, text, where.values),
  )
  return pageOf(
    rows,
    limit,
    (row) => eventOfRow(row, tickUnknown),
    (row) => writeCursor('events', [row.seq]),
  )
}

async function byId(database: Database, id: string, tenant: string | undefined): Promise<StoredEvent | null> {
  const where = new Conditions([id]).add('tenant', tenant, (parameter) => `e.tenant = ${parameter}`)
  // Ids repeat once their window is over, and between sources: the newest is meant.
  const text = `WITH e AS MATERIALIZED (SELECT * FROM eventspine.event e WHERE e.id = $1 AND ${where.text})
SELECT ${eventColumns} FROM e ORDER BY e.seq DESC LIMIT 1`
  const [row] = await bounded(database, (connection) =>
    connection.query<EventRow>(`inspect.id${where.shape}`, text, where.values),
  )
  return row === undefined ? null : eventOfRow(row, tickUnknown)
}

// The id's own index first: the tenant stands behind it there or not at all.
const tenants = `WITH e AS MATERIALIZED (SELECT * FROM eventspine.event e WHERE e.id = $1)
SELECT DISTINCT e.tenant COLLATE "C" AS tenant FROM e ORDER BY tenant LIMIT ${tenantsOfIdMax}`

const chain = `WITH e AS MATERIALIZED (SELECT * FROM eventspine.event e WHERE ${ofCorrelation('$1')})
SELECT ${eventColumns} FROM e ORDER BY e.seq LIMIT ${correlatedEventsMax}`

const first = `WITH e AS MATERIALIZED (SELECT * FROM eventspine.event e
  WHERE ${ofCorrelation('ANY ($1)')} AND ($2::text[] IS NULL OR e.type = ANY ($2)))
SELECT DISTINCT ON (e.correlation_id, e.tenant) ${eventColumns} FROM e ORDER BY e.correlation_id, e.tenant, e.seq`

type EventInspection = Pick<
  InspectPort,
  'events' | 'remaining' | 'remainingTypes' | 'event' | 'tenantsOf' | 'correlated' | 'firsts'
>

export function eventInspection(database: Database): EventInspection {
  return {
    events: (query) => (query.order === 'oldest' ? tail(database, query) : newest(database, query)),
    remaining: (query) => remaining(database, query),
    remainingTypes: (query) => remainingTypes(database, query),
    event: (id, tenant) => byId(database, id, tenant),
    async tenantsOf(id) {
      const rows = await bounded(database, (connection) =>
        connection.query<{ readonly tenant: string }>('inspect.tenants-of-id', tenants, [id]),
      )
      return rows.map(({ tenant }) => tenant)
    },
    async correlated(correlationId) {
      const rows = await bounded(database, (connection) =>
        connection.query<EventRow>('inspect.correlated', chain, [correlationId]),
      )
      return rows.map((row) => eventOfRow(row, tickUnknown))
    },
    // Asked again and again while a caller waits: no transaction of its own.
    async firsts(correlationIds, types) {
      const values = [correlationIds, types ?? null]
      const rows = await database.query<EventRow>('read', 'inspect.firsts', first, values)
      return rows.map((row) => eventOfRow(row, tickUnknown))
    },
  }
}
