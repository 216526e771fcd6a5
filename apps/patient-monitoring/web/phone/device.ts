// This phone as a device of its carer: the worker, the permission, the subscription.
import { Refused, type SessionView } from '../page/request.js'
import { knownAs, register, subscribeAnew } from './subscription.js'

export type Standing =
  /** The ward sends alarms of who is signed in here. */
  | 'ready'
  /** The ward has not said so, or cannot be reached. */
  | 'unconfirmed'
  /** Nobody was asked so far, the answer was put off, or somebody has taken this phone away. */
  | 'not asked'
  | 'refused'
  /** This browser cannot be pushed to. */
  | 'impossible'

interface Policy {
  createScriptURL(text: string): string
}

declare const trustedTypes:
  | { createPolicy(name: string, rules: { createScriptURL: (text: string) => string }): Policy }
  | undefined

// The one script that is named in a script: the policy of the page lets no other through.
const workerUrl = () => {
  const only = { createScriptURL: () => '/phone/worker.js' }
  const url =
    typeof trustedTypes === 'undefined'
      ? '/phone/worker.js'
      : trustedTypes.createPolicy('ward', only).createScriptURL('')
  return url as string
}

export async function startWorker(): Promise<ServiceWorkerRegistration | undefined> {
  if (!('serviceWorker' in navigator)) return undefined
  await navigator.serviceWorker.register(workerUrl(), { scope: '/phone/' })
  return navigator.serviceWorker.ready
}

/** What the ward says, and not what the browser believes: only what it has confirmed is ready. */
export async function standing(
  worker: ServiceWorkerRegistration | undefined,
  { csrf }: SessionView,
): Promise<Standing> {
  if (worker === undefined || !('pushManager' in worker) || !('Notification' in window)) return 'impossible'
  if (Notification.permission === 'denied') return 'refused'
  const subscription = await worker.pushManager.getSubscription()
  if (subscription === null) return 'not asked'
  try {
    const known = await knownAs(subscription)
    if (known === 'yours') return 'ready'
    if (known === 'unknown') return 'not asked'
    // Somebody else has signed in, or what the browser has is dead: it was allowed once, so nobody is asked again.
    if (known === 'of another') await register(subscription, csrf)
    else await subscribeAnew(worker, csrf)
    return await confirmed(worker)
  } catch (error) {
    return error instanceof Refused ? 'not asked' : 'unconfirmed'
  }
}

/** Asks the person, subscribes, and tells the ward. Browsers want a click in front of it. Rejects with Refused where the ward does not take it. */
export async function subscribe(worker: ServiceWorkerRegistration, { csrf }: SessionView): Promise<Standing> {
  const permission = await Notification.requestPermission()
  if (permission !== 'granted') return permission === 'denied' ? 'refused' : 'not asked'
  await subscribeAnew(worker, csrf)
  return confirmed(worker)
}

const confirmTriesMax = 20
const confirmEveryMs = 500

/** The ward has taken note of it; that is stored, and soon known to whoever sends. */
async function confirmed({ pushManager }: ServiceWorkerRegistration): Promise<Standing> {
  for (let tries = 1; tries <= confirmTriesMax; tries += 1) {
    const subscription = await pushManager.getSubscription()
    if (subscription === null) return 'not asked'
    if ((await knownAs(subscription)) === 'yours') return 'ready'
    await new Promise((resolve) => setTimeout(resolve, confirmEveryMs))
  }
  return 'unconfirmed'
}
