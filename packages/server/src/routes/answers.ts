// Forms of answers that several routes share.
import type { Page } from 'eventspine'
import { Problem } from '../problem/problem.js'
import type { Answer, Incoming } from '../route/route.js'

/** A page as JSON, with a Link header to the next one where there is one. */
export function pageAnswer<Item>(incoming: Incoming, page: Page<Item>): Answer {
  if (page.cursor === null) return { body: page }
  const url = new URL(incoming.request.url ?? '/', 'http://localhost')
  url.searchParams.set('cursor', page.cursor)
  return { body: page, headers: { link: `<${url.pathname}${url.search}>; rel="next"` } }
}

export const emptyPage = { items: [], cursor: null } as const

/** The thing, or NOT_FOUND. */
export function found<Thing>(thing: Thing | null | undefined, name: string): Thing {
  if (thing !== null && thing !== undefined) return thing
  throw new Problem(
    'NOT_FOUND',
    `There is no such ${name}. Check its id, and the cell when there are several.`,
  )
}

/** Without the properties that are undefined: the library's options are exact. */
export function given<Values extends object>(
  values: Values,
): { [Name in keyof Values]: Exclude<Values[Name], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Name in keyof Values]: Exclude<Values[Name], undefined> }
}
