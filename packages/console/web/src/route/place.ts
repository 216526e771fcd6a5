// Where a person is: the page is the last part of the path, and all that is chosen on it stands in the query, so that an
// address sent to a colleague shows the same.
import { useSyncExternalStore } from 'react'

const base = '/console/'

export interface Place {
  /** Empty for the overview. */
  readonly page: string
  readonly params: URLSearchParams
}

export type Params = Readonly<Record<string, string | undefined>>

const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('popstate', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('popstate', listener)
  }
}

let read = ''
let place: Place = { page: '', params: new URLSearchParams() }

// The same object as long as the address is the same.
function current(): Place {
  const address = window.location.pathname + window.location.search
  if (address !== read) {
    read = address
    const page = decodeURIComponent(window.location.pathname.slice(base.length))
    place = { page, params: new URLSearchParams(window.location.search) }
  }
  return place
}

export const usePlace = (): Place => useSyncExternalStore(subscribe, current)

/** The address of a page. What is empty is left out. */
export function hrefOf(page: string, params: Params = {}): string {
  const given = Object.entries(params).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const query = new URLSearchParams(given).toString()
  return `${base}${encodeURIComponent(page)}${query === '' ? '' : `?${query}`}`
}

let gone = false

/** Whether a person went from page to page since this one was loaded. */
export const hasGone = () => gone

export function go(href: string, { replace = false } = {}): void {
  gone = true
  if (replace) window.history.replaceState(null, '', href)
  else window.history.pushState(null, '', href)
  for (const listener of listeners) listener()
  if (!replace) window.scrollTo(0, 0)
}

/** Changes what is chosen on this page; undefined takes it away. */
export function choose(params: Params, options?: { readonly replace?: boolean }): void {
  const { page, params: now } = current()
  go(hrefOf(page, { ...Object.fromEntries(now), ...params }), options)
}
