// This phone as a device of its carer: the worker, the permission, the subscription.
import { ask, type SessionView, tell } from '../page/server.js'

export type Standing =
  | 'ready'
  /** Nobody was asked so far, or the answer was put off. */
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

export async function standing(worker: ServiceWorkerRegistration | undefined): Promise<Standing> {
  if (worker === undefined || !('pushManager' in worker) || !('Notification' in window)) return 'impossible'
  if (Notification.permission === 'denied') return 'refused'
  return (await worker.pushManager.getSubscription()) === null ? 'not asked' : 'ready'
}

/** Asks the person, subscribes, and tells the ward. Browsers want a click in front of it. */
export async function subscribe(worker: ServiceWorkerRegistration, { csrf }: SessionView): Promise<Standing> {
  const permission = await Notification.requestPermission()
  if (permission !== 'granted') return permission === 'denied' ? 'refused' : 'not asked'
  const { publicKey } = await ask<{ publicKey: string }>('/api/push-key')
  const subscription = await worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: publicKey,
  })
  await register(subscription, csrf)
  return 'ready'
}

/** Also at each start: the browser may have made a new one, or somebody else has signed in. */
export async function renew(worker: ServiceWorkerRegistration, { csrf }: SessionView): Promise<void> {
  const subscription = await worker.pushManager.getSubscription()
  if (subscription !== null) await register(subscription, csrf)
}

function register(subscription: PushSubscription, csrf: string): Promise<unknown> {
  const { endpoint, keys } = subscription.toJSON()
  return tell('PUT', '/api/devices', { endpoint, keys }, csrf)
}
