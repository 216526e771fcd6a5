// The bar that says that what is shown is not of now.
import { make } from './dom.js'
import { timeOf } from './words.js'

export function staleBar(): { readonly element: HTMLElement; readonly fresh: (isFresh: boolean) => void } {
  const element = make('p', { class: 'stale', role: 'alert', hidden: true })
  let freshAt = Date.now()
  let isStale = false
  return {
    element,
    fresh(isFresh) {
      if (isFresh) freshAt = Date.now()
      if (isStale === !isFresh) return
      isStale = !isFresh
      element.hidden = isFresh
      element.textContent = isFresh ? '' : `Not live. What you see is from ${timeOf(freshAt)}.`
    },
  }
}
