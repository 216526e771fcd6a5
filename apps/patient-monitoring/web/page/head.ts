// The head of each page: where one is, who has signed in, and the way out.
import { make } from './dom.js'
import { wayOut } from './leave.js'
import type { SessionView } from './request.js'

export function head(
  title: HTMLElement,
  { person, csrf }: SessionView,
  ...middle: readonly HTMLElement[]
): HTMLElement {
  return make(
    'header',
    { class: 'head' },
    title,
    ...middle,
    make('span', { class: 'faint end' }, person),
    ...wayOut(() => csrf),
  )
}
