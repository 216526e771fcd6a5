// What the phone keeps by itself: the alarms that it knows, and acknowledgements on their way. The page and the worker share it.

import { type Priority, priorities } from '../../src/rules/limits.js'

export interface PhoneAlarm {
  readonly id: string
  readonly ward: string
  readonly bed: string
  readonly priority: Priority
  readonly text: string
  readonly raisedAt: string
  readonly person: string
  /** The right to acknowledge it. */
  readonly token: string
  readonly stands: boolean
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: string | null
  /** By the server: how many wait for this person, here or not. Not known of one that has just been pushed. */
  readonly openInAll?: number
}

export interface Acknowledgement {
  readonly alarm: string
  readonly person: string
  readonly token: string
  /** When somebody said so, on this phone. */
  readonly saidAt: string
}

/** Shown at once. The server gives fewer; what is pushed while nobody opens the page may be more. */
const alarmsMax = 200

/** A name of a store, and what lies in it. */
interface Stores {
  readonly alarms: PhoneAlarm
  readonly outbox: Acknowledgement
}

let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('ward', 1)
    request.addEventListener('upgradeneeded', () => {
      request.result.createObjectStore('alarms', { keyPath: 'id' })
      request.result.createObjectStore('outbox', { keyPath: 'alarm' })
    })
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('The phone keeps nothing.')))
  })
  return opened
}

/** Resolves when it lies on the disk. */
async function change(name: keyof Stores, act: (store: IDBObjectStore) => unknown): Promise<void> {
  const database = await open()
  const transaction = database.transaction(name, 'readwrite', { durability: 'strict' })
  await new Promise<void>((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () =>
      reject(transaction.error ?? new Error('The phone could not keep it.')),
    )
    act(transaction.objectStore(name))
  })
}

async function all<Name extends keyof Stores>(name: Name): Promise<readonly Stores[Name][]> {
  const database = await open()
  return new Promise((resolve, reject) => {
    const request = database.transaction(name).objectStore(name).getAll()
    request.addEventListener('success', () => resolve(request.result as Stores[Name][]))
    request.addEventListener('error', () =>
      reject(request.error ?? new Error('The phone cannot read what it kept.')),
    )
  })
}

/** Newest first; where there are too many, those that nobody has in hand and the most urgent. */
export async function keptAlarms(): Promise<readonly PhoneAlarm[]> {
  const newest = [...(await all('alarms'))].sort((a, b) => b.raisedAt.localeCompare(a.raisedAt))
  return newest.length <= alarmsMax ? newest : newest.sort(byNeed).slice(0, alarmsMax)
}

const byNeed = (a: PhoneAlarm, b: PhoneAlarm) =>
  Number(a.acknowledgedBy !== null) - Number(b.acknowledgedBy !== null) ||
  priorities.indexOf(a.priority) - priorities.indexOf(b.priority)

export const keepAlarm = (alarm: PhoneAlarm) => change('alarms', (store) => store.put(alarm))

/** These and no others: what the server says. */
export const keepAlarms = (alarms: readonly PhoneAlarm[]) =>
  change('alarms', (store) => {
    store.clear()
    for (const alarm of alarms) store.put(alarm)
  })

export const waiting = () => all('outbox')
export const keepAcknowledgement = (given: Acknowledgement) => change('outbox', (store) => store.put(given))
export const dropAcknowledgement = (alarm: string) => change('outbox', (store) => store.delete(alarm))

/** Nobody is signed in here any more. */
export async function forget(): Promise<void> {
  await change('alarms', (store) => store.clear())
}
