// A page of events of bounded size: 500 events may have 125 MB of bodies, which is too much to hold for one request.
import type { EventQuery, EventView, Operator, Page } from 'eventspine'

/** Events asked of the database at once: with the largest bodies 6 MiB. */
const portionEventsMax = 25
/** A page that has grown so large ends, before its limit: its cursor leads on. */
const pageCharactersMax = 4 * 1024 * 1024
const pageEventsDefault = 50

/** Like `operator.events`, but the page may be shorter than its limit when bodies are large. */
export async function eventPage(operator: Operator, query: EventQuery): Promise<Page<EventView>> {
  const limit = query.limit ?? pageEventsDefault
  const items: EventView[] = []
  let characters = 0
  let asked = query
  for (;;) {
    const portion = Math.min(portionEventsMax, limit - items.length)
    const page = await operator.events({ ...asked, limit: portion })
    items.push(...page.items)
    for (const { data } of page.items) characters += JSON.stringify(data).length
    const ended = page.cursor === null || page.items.length < portion || items.length >= limit
    if (page.cursor === null || ended || characters > pageCharactersMax) return { items, cursor: page.cursor }
    asked = { ...query, cursor: page.cursor }
  }
}
