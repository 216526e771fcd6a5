// The head of each page: where one is, who has signed in, and the way out.
import { button, make } from './dom.js'
import { type SessionView, tell } from './server.js'

export function head(
  title: HTMLElement,
  { person, csrf }: SessionView,
  ...middle: readonly HTMLElement[]
): HTMLElement {
  const out = button('Sign out', async () => {
    await tell('DELETE', '/api/session', {}, csrf)
    location.replace('/sign-in')
  })
  return make(
    'header',
    { class: 'head' },
    title,
    ...middle,
    make('span', { class: 'faint end' }, person),
    out,
  )
}
