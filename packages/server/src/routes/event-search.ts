// Events that an event pattern meets: no index helps, so each page looks at a bounded number of rows and says how far it
// came.
import type { EventQuery, EventView, Operator, Page } from 'eventspine'
import { compileEventFilter, type Filter, FilterError, parseJson } from 'eventspine/ingress'
import { problemOf } from '../problem/from-error.js'
import { Problem } from '../problem/problem.js'

/** Events looked at for one page. */
export const scannedMax = 2_000
/** Bodies of them together, in characters: a page ends with the portion that passes it. */
const charactersMax = 4 * 1024 * 1024
/** Events asked of the database at once: few, until it is known how large they are. */
const portionEventsMin = 25
const portionEventsMax = 250
const pageEventsDefault = 50

export interface Found extends Page<EventView> {
  /** Events looked at. */
  readonly scanned: number
  /** There is nothing behind: of the oldest first, nothing yet. */
  readonly reachedEnd: boolean
}

/** Throws REQUEST_INVALID with the place of the fault. */
export function filterOf(pattern: string): Filter {
  try {
    return compileEventFilter(parseJson(pattern))
  } catch (error) {
    const detail =
      error instanceof FilterError ? error.message : `The pattern is not JSON: ${problemOf(error).message}`
    throw new Problem('REQUEST_INVALID', `${detail.replace(/\.$/, '')}.`, {
      field: '/query/pattern',
      cause: error,
    })
  }
}

/** A page of those that meet the filter, in the order of the query. It may be empty and yet not the last. */
export async function searchEvents(operator: Operator, query: EventQuery, filter: Filter): Promise<Found> {
  const { limit = pageEventsDefault } = query
  const items: EventView[] = []
  let asked = query
  let portion = portionEventsMin
  let characters = 0
  for (let scanned = 0; ; ) {
    const wanted = Math.min(portion, scannedMax - scanned)
    const page = await portionOf(operator, { ...asked, limit: wanted }, filter, limit - items.length)
    scanned += page.items.length
    items.push(...page.items.filter((event) => filter.matches(event)))
    for (const { data } of page.items) characters += JSON.stringify(data).length
    const { cursor } = page
    const reachedEnd = !page.cut && (cursor === null || page.items.length < wanted)
    if (
      reachedEnd ||
      cursor === null ||
      items.length >= limit ||
      scanned >= scannedMax ||
      characters > charactersMax
    )
      return { items, cursor, scanned, reachedEnd }
    asked = { ...query, cursor }
    const size = characters / scanned
    portion = Math.max(portionEventsMin, Math.min(portionEventsMax, Math.floor(charactersMax / 4 / size)))
  }
}

// Where more match than the page has room for it is read again, shorter: the cursor then stands behind the last one taken.
async function portionOf(
  operator: Operator,
  query: EventQuery,
  filter: Filter,
  room: number,
): Promise<Page<EventView> & { readonly cut: boolean }> {
  const page = await operator.events(query)
  let matched = 0
  const last = page.items.findIndex((event) => filter.matches(event) && ++matched === room)
  if (last < 0 || last === page.items.length - 1) return { ...page, cut: false }
  return { ...(await operator.events({ ...query, limit: last + 1 })), cut: true }
}
