// Signing in by a code: typed, or in the part of the address that no browser sends.
import { button, make, say } from './page/dom.js'
import { signOut } from './page/leave.js'
import { ask, Refused, type SessionView, tell } from './page/request.js'
import { forgetGuest, homeOf } from './page/server.js'

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

/** @param otherwise who has signed in here before: they stay where the code is used up, and are asked where it is another's */
async function signIn(code: string, otherwise?: SessionView): Promise<void> {
  fault.textContent = ''
  try {
    location.replace(homeOf(await tell<SessionView>('POST', '/api/session', { code })))
  } catch (error) {
    if (otherwise !== undefined) {
      if (error instanceof Refused && error.status === 409) return askWhether(error.message, code, otherwise)
      return location.replace(homeOf(otherwise))
    }
    fault.textContent = error instanceof Error ? error.message : String(error)
    input.focus()
  }
}

/** One browser has one guest: a carer whose place a display takes would be told of nothing any more. */
function askWhether(text: string, code: string, before: SessionView): void {
  const replace = button(`Sign ${before.person} out, and go on with the code`, async () => {
    try {
      await signOut(before.csrf)
      await forgetGuest()
      await signIn(code)
    } catch {
      say(fault, 'This did not work. Try again.')
    }
  })
  const stay = button(`Stay ${before.person}`, () => location.replace(homeOf(before)), { class: 'main' })
  const question = make(
    'section',
    { class: 'question' },
    make('p', { role: 'alert' }, text),
    stay,
    replace,
    fault,
  )
  form.replaceWith(question)
}

const given = location.hash.slice(1)
// It must not stay in the history of the browser.
history.replaceState(null, '', '/sign-in')
ask<SessionView>('/api/session').then(
  (session) => (given === '' ? location.replace(homeOf(session)) : signIn(given, session)),
  () => (given === '' ? undefined : signIn(given)),
)
