// What the palette offers for what is written in it: pages and parts of the system by a few letters, then what an id may be of.
import type { MapNode } from '../api/system-views.js'
import { hrefOf } from '../route/href.js'
import { placeOf } from '../route/node-place.js'
import type { Section } from './sections.js'

export interface Command {
  readonly name: string
  readonly href: string
}

/** Lists that people come for, by the words for what they want to do there. */
const lists = [
  { name: 'Workflows awaiting approval', page: 'workflows', state: 'awaiting-approval' },
  { name: 'Workflows that need attention', page: 'workflows', state: 'needs-attention' },
] as const

/** Parts of the system that are offered at once: who looks for another writes more of its name. */
const partsMax = 8

type Part = Pick<MapNode, 'kind' | 'name'>

export function commandsFor(text: string, sections: readonly Section[], parts: readonly Part[]): Command[] {
  const wanted = text.trim().toLowerCase()
  const pages = sections
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .map(({ name, page }) => ({ name, href: hrefOf(page) }))
  if (wanted === '') return pages
  const found = lists.filter(({ name }) => name.toLowerCase().includes(wanted))
  const id = text.trim()
  return once([
    ...pages,
    ...found.map(({ name, page, state }) => ({ name, href: hrefOf(page, { state }) })),
    ...partsNamed(wanted, parts),
    { name: `Event ${id}`, href: hrefOf('events', { id }) },
    { name: `Events of the correlation ${id}`, href: hrefOf('events', { correlation: id }) },
    { name: `Events of the type ${id}`, href: hrefOf('events', { type: id }) },
    { name: `Dead letter ${id}`, href: hrefOf('dead-letters', { letter: id }) },
    { name: `Dead letters that say “${id}”`, href: hrefOf('dead-letters', { error: id }) },
  ])
}

/** Those that are called so before those that begin so, and these before the others. */
function partsNamed(wanted: string, parts: readonly Part[]): Command[] {
  const rank = (name: string) => (name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2)
  const named = parts
    .map((part) => ({ part, lower: part.name.toLowerCase() }))
    .filter(({ lower }) => lower.includes(wanted))
    .sort((a, b) => rank(a.lower) - rank(b.lower) || a.lower.localeCompare(b.lower))
  const commands = named.flatMap(({ part }) => {
    const { to, params } = placeOf(part)
    // A page that does not show the part itself stands above, by its own name.
    if (Object.keys(params).length === 0) return []
    return [{ name: `${wordOf(part)} ${part.name}`, href: hrefOf(to, params) }]
  })
  return once(commands).slice(0, partsMax)
}

/** Of those that lead to one place the first. */
const once = (commands: readonly Command[]) =>
  [...new Map(commands.toReversed().map((each) => [each.href, each])).values()].reverse()

const wordOf = ({ kind }: Part) => (kind === 'event' ? 'Events of the type' : capital(kind))
const capital = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`
