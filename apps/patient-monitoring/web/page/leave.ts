// The way out, from every page: the session ends, and this browser is no device of the person any more. Where the ward cannot be reached
// nothing is done and that is said: whoever believes to have left would go on getting alarms.
import { button, make, say } from './dom.js'
import { Refused, tell } from './request.js'
import { leadAway } from './server.js'

const workerScope = '/phone/'

/** The button, and what it says where it cannot. `csrf` answers undefined while the session is not known. */
export function wayOut(csrf: () => string | undefined): readonly HTMLElement[] {
  const status = make('p', { class: 'leaving', role: 'status' })
  const out = button('Sign out', async () => {
    out.disabled = true
    try {
      await signOut(csrf())
      await leadAway()
    } catch (error) {
      say(
        status,
        error instanceof Refused
          ? `You are still signed in: ${error.message}`
          : 'There is no network. You are still signed in, and alarms still come here: sign out when there is one.',
      )
    } finally {
      out.disabled = false
    }
  })
  return [out, status]
}

/** Rejects with Refused, and with a TypeError where the ward cannot be reached: then nothing was done. */
export async function signOut(csrf: string | undefined): Promise<void> {
  if (csrf === undefined) throw new TypeError('The session is not known without a network.')
  const worker = await navigator.serviceWorker?.getRegistration(workerScope)
  const subscription = (await worker?.pushManager?.getSubscription()) ?? null
  const { endpoint } = subscription?.toJSON() ?? {}
  try {
    await tell('DELETE', '/api/session', endpoint === undefined ? {} : { endpoint }, csrf)
  } catch (error) {
    // It has ended by itself. Without its subscription the push service says that the device is gone.
    if (!(error instanceof Refused && error.status === 401)) throw error
  }
  await subscription?.unsubscribe().catch(() => false)
  for (const each of (await worker?.getNotifications()) ?? []) each.close()
}
