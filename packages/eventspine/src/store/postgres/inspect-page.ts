// What all questions of people share: a bound on time and rows, cursors that stay right
// while new rows arrive.
import type { PageRequest } from '../../inspect/port.js'
import { EventspineError } from '../../kernel/index.js'
import type { Connection, Database } from './database.js'

export const pageItemsMax = 500
export const pageItemsDefault = 50

/** How long one statement of a question may run. */
const statementMsMax = 10_000

// One view for several statements: between two of them a delivery could move from the log to a row.
const opening = ` ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = ${statementMsMax}`
const openingOwnPlans = `${opening}; SET LOCAL plan_cache_mode = force_custom_plan`

/**
 * Runs `work` in one read-only view of the database, each statement bounded by `statementMsMax`.
 * @throws REQUEST_INVALID when the question takes too long or holds a value that the database cannot read.
 */
export function bounded<Result>(
  database: Database,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  return explained(() => database.transaction('read', work, opening))
}

/**
 * The same for what is asked of values that are much more frequent than others. A plan for any of them, which is taken from the
 * sixth time on, walks all 100,000 dead letters for a tenant that has none: 130 ms, and 3 ms with a plan of its own.
 */
export function boundedByValue<Result>(
  database: Database,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  return explained(() => database.transaction('read', work, openingOwnPlans))
}

/** Turns the database's refusals of what a caller asked into REQUEST_INVALID. */
export async function explained<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw refusalOf(error) ?? error
  }
}

function refusalOf(error: unknown): EventspineError | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === '57014') {
    const message = `The answer took longer than ${statementMsMax / 1000} s. Narrow the question: a shorter time, a correlation, a subscription, a smaller limit.`
    return new EventspineError('REQUEST_INVALID', message, { cause: error })
  }
  // Class 22: a text with NUL, a date beyond the calendar.
  if (!code.startsWith('22')) return undefined
  const message =
    'The request holds a value that the database cannot read, such as a text with NUL. Remove it.'
  return new EventspineError('REQUEST_INVALID', message, { cause: error })
}

/** @throws REQUEST_INVALID unless it is a whole number from 1 to `pageItemsMax`. */
export function limitOf(request: PageRequest): number {
  const limit = request.limit ?? pageItemsDefault
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageItemsMax) return limit
  throw new EventspineError('REQUEST_INVALID', `limit must be a whole number from 1 to ${pageItemsMax}.`, {
    field: '/limit',
  })
}

type CursorPart = 'number' | 'text' | 'moment'

const momentForm = /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const cursorCharactersMax = 2_000

const partFits: Record<CursorPart, (value: unknown) => boolean> = {
  number: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  text: (value) => typeof value === 'string',
  moment: (value) => typeof value === 'string' && momentForm.test(value),
}

/** An opaque place in the list `kind`. */
export function writeCursor(kind: string, place: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify([kind, ...place])).toString('base64url')
}

/**
 * The place that `writeCursor` wrote; undefined without a cursor.
 * @throws REQUEST_INVALID when it is not a cursor of this list.
 */
export function readCursor(
  kind: string,
  cursor: string | undefined,
  parts: readonly CursorPart[],
): readonly (number | string)[] | undefined {
  if (cursor === undefined) return undefined
  const [found, ...place] = parsed(cursor)
  const fits = found === kind && place.length === parts.length
  if (!fits || !parts.every((part, index) => partFits[part](place[index]))) throw badCursor()
  return place as (number | string)[]
}

function parsed(cursor: string): unknown[] {
  if (typeof cursor !== 'string' || cursor.length > cursorCharactersMax) throw badCursor()
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(value)) return value
  } catch {
    // Told below, as any other text that is no cursor.
  }
  throw badCursor()
}

const badCursor = () =>
  new EventspineError('REQUEST_INVALID', 'This is not a cursor of this list. Leave it out to begin anew.', {
    field: '/cursor',
  })

/** A moment with the database's microseconds: a Date would cut them off and repeat or skip rows at a page's edge. */
export const momentText = (expression: string) =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

export const millisecondsOf = (expression: string) => `(extract(epoch FROM ${expression}) * 1000)::float8`

/** A page of rows that were read with one row more than `limit`. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  cursor: (row: Row) => string,
): { readonly items: readonly Item[]; readonly cursor: string | null } {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { items: rows.slice(0, limit).map(item), cursor: last === undefined ? null : cursor(last) }
}
