// Pages by a number that every row keeps: rows that arrive meanwhile shift nothing.
import type { Page, PageRequest } from '../../inspect/port.js'
import { EventspineError } from '../../kernel/index.js'

const limitDefault = 50
const limitMax = 500

/** Throws REQUEST_INVALID unless it is a whole number from 1 to 500. */
export function limitOf({ limit = limitDefault }: PageRequest): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit
  throw new EventspineError('REQUEST_INVALID', `limit must be a whole number from 1 to ${limitMax}.`, {
    field: '/limit',
  })
}

/** Rows by falling `numberOf`, those below the cursor. `list` marks its cursors, so that no other list takes them. */
export function pageOf<Row, Item>(
  list: string,
  rows: readonly Row[],
  request: PageRequest,
  numberOf: (row: Row) => number,
  view: (row: Row) => Item,
): Page<Item> {
  const limit = limitOf(request)
  const [below = Number.POSITIVE_INFINITY] = readCursor(list, request.cursor, 1)
  const behind = rows.filter((row) => numberOf(row) < below).sort((a, b) => numberOf(b) - numberOf(a))
  const shown = behind.slice(0, limit)
  const last = shown.at(-1)
  const cursor = behind.length > limit && last !== undefined ? writeCursor(list, [numberOf(last)]) : null
  return { items: shown.map(view), cursor }
}

export function writeCursor(list: string, place: readonly number[]): string {
  return [list, ...place].join('.')
}

/** What `writeCursor` wrote; empty without a cursor. Throws REQUEST_INVALID when it is not of this list. */
export function readCursor(list: string, cursor: string | undefined, parts: number): readonly number[] {
  if (cursor === undefined) return []
  const [found, ...texts] = cursor.split('.')
  const numbers = texts.map((text) => (/^\d{1,16}$/.test(text) ? Number(text) : Number.NaN))
  if (found === list && numbers.length === parts && numbers.every(Number.isSafeInteger)) return numbers
  throw new EventspineError(
    'REQUEST_INVALID',
    'This is not a cursor of this list. Leave it out to begin anew.',
    { field: '/cursor' },
  )
}
