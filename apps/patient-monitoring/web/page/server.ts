// Who sits before the page. Without a session it leads to the page where one signs in, and keeps nothing that others could read.
import { forgetHeard } from '../phone/heard.js'
import { forget } from '../phone/store.js'
import { ask, Refused, type SessionView } from './request.js'

/** Who sits here; leads away where nobody has signed in, or is not any more. */
export async function session(): Promise<SessionView> {
  try {
    return await ask<SessionView>('/api/session')
  } catch (error) {
    if (error instanceof Refused && error.status === 401) await leadAway()
    throw error
  }
}

/** Without the alarms that were kept for whoever sat here. What they have acknowledged goes on its way all the same, and a notification can be
 *  answered: each has its own right. */
export async function leadAway(): Promise<void> {
  await forgetGuest()
  location.replace('/sign-in')
}

/** Nothing of whoever sat here is kept for the next one. */
export async function forgetGuest(): Promise<void> {
  forgetHeard()
  await forget().catch(() => undefined)
}

/** Where somebody begins who has signed in. */
export const homeOf = ({ kind, ward }: Pick<SessionView, 'kind' | 'ward'>) =>
  kind === 'carer' ? '/phone/' : `/wards/${encodeURIComponent(ward)}`
