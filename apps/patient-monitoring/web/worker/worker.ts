// What runs on the phone while nobody looks: it takes pushes, shows them, answers for the buttons, and has the page ready offline.

import { ask, type SessionView } from '../page/request.js'
import { signs } from '../page/words.js'
import { acknowledge, send, syncTag } from '../phone/outbox.js'
import { keepAlarm, type PhoneAlarm } from '../phone/store.js'
import { subscribeAnew } from '../phone/subscription.js'

declare const self: ServiceWorkerGlobalScope

/** Not in every browser, and so in no list of types. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string
}

const shelf = 'ward-phone-1'
const page = '/phone/'
const shell = [
  page,
  '/phone/manifest.webmanifest',
  '/assets/phone.js',
  '/assets/ward.css',
  '/assets/icon.svg',
  '/assets/icon-192.png',
]

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(shelf)
      .then((cache) => cache.addAll(shell))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== shelf).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

// What the network has is newer; without it, what lies here is enough to show and to answer.
self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url)
  if (event.request.method !== 'GET' || origin !== location.origin || !shell.includes(pathname)) return
  event.respondWith(fresh(event.request, pathname))
})

async function fresh(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(shelf)
  try {
    const response = await fetch(request)
    if (response.ok) await cache.put(path, response.clone())
    return response
  } catch {
    return (await cache.match(path)) ?? Response.error()
  }
}

interface Pushed {
  readonly alarm: Omit<PhoneAlarm, 'person' | 'token' | 'stands' | 'acknowledgedBy' | 'acknowledgedAt'>
  readonly person: string
  readonly acknowledge: { readonly token: string }
}

self.addEventListener('push', (event) => {
  const pushed = event.data?.json() as Pushed | undefined
  if (pushed !== undefined) event.waitUntil(take(pushed))
})

async function take({ alarm, person, acknowledge: { token } }: Pushed): Promise<void> {
  const known: PhoneAlarm = {
    ...alarm,
    person,
    token,
    stands: true,
    acknowledgedBy: null,
    acknowledgedAt: null,
  }
  await keepAlarm(known)
  await show(known)
  await tellPages()
}

// The browser has given up the address by which alarms came.
self.addEventListener('pushsubscriptionchange', (event) => {
  ;(event as ExtendableEvent).waitUntil(renew())
})

/** Where nobody is signed in any more, or the ward cannot be reached, somebody has to know that nothing comes. */
async function renew(): Promise<void> {
  try {
    const { csrf } = await ask<SessionView>('/api/session')
    await subscribeAnew(self.registration, csrf)
  } catch {
    await self.registration.showNotification('Alarms do not come to this phone', {
      ...{ body: 'Open the page of your alarms.', tag: 'this-phone', icon: '/assets/icon-192.png' },
      requireInteraction: true,
    })
  }
  await tellPages()
}

// A browser takes away the right to push from whoever shows nothing for it.
function show(alarm: PhoneAlarm): Promise<void> {
  const { id, bed, priority, text } = alarm
  const urgent = {
    requireInteraction: priority === 'high',
    // In no list of types, as they are not in every browser.
    ...{
      actions: [{ action: 'acknowledge', title: 'I am on it' }],
      renotify: true,
      vibrate: [300, 100, 300],
    },
  }
  return self.registration.showNotification(`${signs[priority]} Bed ${bed}`, {
    ...{ body: `${priority}: ${text}`, tag: id, icon: '/assets/icon-192.png', data: alarm },
    ...urgent,
  })
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  // It carries the alarm itself: the page may have put newer ones in its place.
  const alarm = event.notification.data as PhoneAlarm
  event.waitUntil(event.action === 'acknowledge' ? answer(alarm) : openPage())
})

async function answer(alarm: PhoneAlarm): Promise<void> {
  if ((await acknowledge(alarm)) === 'some are left') await sendLater()
  await tellPages()
}

async function openPage(): Promise<void> {
  const [open] = await self.clients.matchAll({ type: 'window' })
  await (open === undefined ? self.clients.openWindow(page) : open.focus())
}

/** Where the browser can: it wakes this up when the network is back. Where it cannot, the page does it when it is opened. */
async function sendLater(): Promise<void> {
  const { sync } = self.registration as unknown as { sync?: { register(tag: string): Promise<void> } }
  await sync?.register(syncTag).catch(() => undefined)
}

self.addEventListener('sync', (event) => {
  const { tag } = event as SyncEvent
  if (tag === syncTag) (event as SyncEvent).waitUntil(sendAll())
})

/** Rejects while something is left, so that the browser wakes this up again. */
async function sendAll(): Promise<void> {
  const sent = await send()
  await tellPages()
  if (sent !== 'all') throw new Error('The ward cannot be reached.')
}

async function tellPages(): Promise<void> {
  for (const each of await self.clients.matchAll({ includeUncontrolled: true }))
    each.postMessage('changed', {})
}
