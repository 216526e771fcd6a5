// Signing in by a code: typed, or in the part of the address that no browser sends.
import { make } from './page/dom.js'
import { ask, type SessionView, tell } from './page/request.js'
import { homeOf } from './page/server.js'

const fault = make('p', { class: 'fault', role: 'alert' })
const input = make('input', {
  id: 'code',
  autocomplete: 'one-time-code',
  autocapitalize: 'none',
  spellcheck: 'false',
  required: true,
})
const form = make(
  'form',
  {},
  make('label', { for: 'code' }, 'Your code'),
  input,
  fault,
  make('button', { class: 'main' }, 'Sign in'),
)
document.body.prepend(
  make(
    'main',
    {},
    make('h1', {}, 'Ward'),
    make('p', { class: 'faint' }, 'Whoever runs the ward gives you a code. It is good once.'),
    form,
  ),
)
form.addEventListener('submit', (event) => {
  event.preventDefault()
  void signIn(input.value.trim())
})

/** @param otherwise where the code is used up and somebody has signed in here before */
async function signIn(code: string, otherwise?: SessionView): Promise<void> {
  fault.textContent = ''
  try {
    location.replace(homeOf(await tell<SessionView>('POST', '/api/session', { code })))
  } catch (error) {
    if (otherwise !== undefined) return location.replace(homeOf(otherwise))
    fault.textContent = error instanceof Error ? error.message : String(error)
    input.focus()
  }
}

const given = location.hash.slice(1)
// It must not stay in the history of the browser.
history.replaceState(null, '', '/sign-in')
ask<SessionView>('/api/session').then(
  (session) => (given === '' ? location.replace(homeOf(session)) : signIn(given, session)),
  () => (given === '' ? undefined : signIn(given)),
)
