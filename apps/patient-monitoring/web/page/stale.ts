// The bar that says that what is shown is not of now, and of when it is.
import { make } from './dom.js'
import { whenOf } from './words.js'

export interface StaleBar {
  readonly element: HTMLElement
  /** `asOfMs`: of which time what is shown is; null where nothing has come so far. */
  readonly say: (isFresh: boolean, asOfMs: number | null) => void
}

/** @param what in front of the words, where there is more than one on a page */
export function staleBar(what = ''): StaleBar {
  const element = make('p', { class: 'stale', role: 'alert', hidden: true })
  return {
    element,
    say(isFresh, asOfMs) {
      element.hidden = isFresh
      const text = isFresh ? '' : `${what}Not live. ${asOf(asOfMs)}`
      if (element.textContent !== text) element.textContent = text
    },
  }
}

const asOf = (ms: number | null) =>
  ms === null ? 'Nothing has come so far.' : `What you see is from ${whenOf(ms, Date.now())}.`
