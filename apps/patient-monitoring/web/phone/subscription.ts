// The push subscription of this browser, and what the ward knows of it. For the page, and for the worker while nobody looks.
import { ask, Refused, tell } from '../page/request.js'

export type Known =
  /** Alarms of who is signed in are sent to it. */
  | 'yours'
  /** Whoever was signed in here before gets theirs by it. */
  | 'of another'
  /** The push service has said that it is no device any more. */
  | 'gone'
  /** Never heard of, or taken away by somebody. */
  | 'unknown'

const idCharacters = 22

/** Rejects with Refused, and with a TypeError where the ward cannot be reached. */
export async function knownAs({ endpoint }: PushSubscription): Promise<Known> {
  const id = await idOf(endpoint)
  return (await ask<{ readonly standing: Known }>(`/api/devices/${id}`)).standing
}

/** As the ward makes it of the address. */
async function idOf(endpoint: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(endpoint)))
  const text = btoa(String.fromCharCode(...hash))
  return text.replaceAll('+', '-').replaceAll('/', '_').slice(0, idCharacters)
}

/** In place of the one there is, which may be dead. One that the ward refuses is given up again: it would look as if alarms came by it. */
export async function subscribeAnew({ pushManager }: ServiceWorkerRegistration, csrf: string): Promise<void> {
  const { publicKey } = await ask<{ publicKey: string }>('/api/push-key')
  await (await pushManager.getSubscription())?.unsubscribe()
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
  try {
    await register(made, csrf)
  } catch (error) {
    if (error instanceof Refused) await made.unsubscribe().catch(() => false)
    throw error
  }
}

export function register(subscription: PushSubscription, csrf: string): Promise<unknown> {
  const { endpoint, keys } = subscription.toJSON()
  return tell('PUT', '/api/devices', { endpoint, keys }, csrf)
}
