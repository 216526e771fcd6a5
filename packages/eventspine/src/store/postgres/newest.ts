// A page of what people started, redrives or replays: the newest first.
import type { Page, PageRequest } from '../../inspect/port.js'
import type { Database } from './database.js'
import { Conditions } from './inspect-conditions.js'
import { bounded, limitOf, pageOf, readCursor, writeCursor } from './inspect-page.js'

interface StartedRow {
  readonly id: string
  readonly created_at: string
}

/** `select` is a statement up to its WHERE, over rows called `alias` that have `created_at` and `id`. */
export async function newestPage<Row extends StartedRow, Item>(
  database: Database,
  { kind, alias, select }: { readonly kind: string; readonly alias: string; readonly select: string },
  query: PageRequest,
  itemOf: (row: Row) => Item,
): Promise<Page<Item>> {
  const limit = limitOf(query)
  const place = readCursor(kind, query.cursor, ['moment', 'text'])
  const where = new Conditions()
  where.add(
    'cursor',
    place?.[0],
    (parameter) =>
      `(${alias}.created_at, ${alias}.id) < (${parameter}::timestamptz, ${where.value(place?.[1])})`,
  )
  const text = `${select} WHERE ${where.text} ORDER BY ${alias}.created_at DESC, ${alias}.id DESC LIMIT ${where.value(limit + 1)}`
  const rows = await bounded(database, (connection) =>
    connection.query<Row>(`redrive.list-${kind}${where.shape}`, text, where.values),
  )
  return pageOf(rows, limit, itemOf, (row) => writeCursor(kind, [row.created_at, row.id]))
}
