// Where a person is: the page is the last part of the path, and all that is chosen on it stands in the query, so that an
// address sent to a colleague shows the same.
import { useSyncExternalStore } from 'react'
import { decoded } from './decoded.js'
import { base, hrefOf, type Params } from './href.js'

export { hrefOf, type Params }

export interface Place {
  /** Empty for the overview. */
  readonly page: string
  readonly params: URLSearchParams
}

const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function moved(): void {
  for (const listener of listeners) listener()
}

let read = ''
let place: Place = { page: '', params: new URLSearchParams() }

// The same object as long as the address is the same.
function current(): Place {
  const address = window.location.pathname + window.location.search
  if (address !== read) {
    read = address
    const page = decoded(window.location.pathname.slice(base.length))
    place = { page, params: new URLSearchParams(window.location.search) }
  }
  return place
}

export const usePlace = (): Place => useSyncExternalStore(subscribe, current)

/** Of one entry of the browser's history: what whoever comes back to it finds as they left it. Gone with the page's memory. */
interface Left {
  /** The address that was followed from there. */
  href?: string
  /** How far each list was scrolled, by its caption. */
  readonly scrolled: Map<string, number>
}

const left = new Map<string, Left>()
let entries = 0

// An entry outlives the page that made it: a name of it is no other page's.
const newEntry = () => ({ entry: `${performance.timeOrigin}.${++entries}` })

/** The entry of the browser's history that is shown; empty of the first. */
export const entryHere = (): string =>
  ((window.history.state ?? {}) as { readonly entry?: string }).entry ?? ''

/** What was left at the entry that is shown. */
export function leftHere(): Left {
  const entry = entryHere()
  const known = left.get(entry) ?? { scrolled: new Map<string, number>() }
  left.set(entry, known)
  return known
}

let gone = false

/** Whether a person went from page to page since this one was loaded. */
export const hasGone = () => gone

export function go(href: string, { replace = false } = {}): void {
  whenFree(() => {
    gone = true
    if (replace) window.history.replaceState(window.history.state, '', href)
    else {
      leftHere().href = href
      window.history.pushState(newEntry(), '', href)
    }
    moved()
    if (!replace) window.scrollTo(0, 0)
  })
}

type Ask = (leave: () => void) => void

let held: Ask | undefined

/** From now on nobody leaves this place without being asked; `ask` is given the way on. Answers what lets them go. */
export function hold(ask: Ask): () => void {
  // To where no script leads, such as another site, the browser asks with its own words.
  const unload = (event: BeforeUnloadEvent) => event.preventDefault()
  held = ask
  window.addEventListener('beforeunload', unload)
  return () => {
    window.removeEventListener('beforeunload', unload)
    if (held === ask) held = undefined
  }
}

/** Does what leaves this place: at once, or when somebody who is held here says so. */
export function whenFree(leave: () => void): void {
  if (held === undefined) leave()
  else held(leave)
}

// The address has changed already: it is put back while the question is open. What lay in the direction of "forward" is lost by that.
window.addEventListener('popstate', () => {
  const address = window.location.pathname + window.location.search
  if (held === undefined || address === read) return moved()
  window.history.pushState(newEntry(), '', read)
  held(() => window.history.back())
})

/** Changes what is chosen on this page; undefined takes it away. */
export function choose(params: Params, options?: { readonly replace?: boolean }): void {
  const { page, params: now } = current()
  go(hrefOf(page, { ...Object.fromEntries(now), ...params }), options)
}
