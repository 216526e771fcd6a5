// Why the open deliveries of events wait: what is asked of the store is asked once, and only where one waits.
import type { StoredEvent } from '../event/index.js'
import { type DeliveryView, type DeliveryWait, mayWait, waitOf } from '../inspect/index.js'
import type { DeadLetter } from '../redrive/index.js'
import type { Store } from '../store/store.js'

export type Waiting = Pick<Store, 'subscriptions' | 'breakers' | 'deadLetters'>

/** Dead letters of one key among which the one that halts it is looked for. */
const lettersMax = 100

export type WaitsOf = (
  event: StoredEvent,
  deliveries: readonly DeliveryView[],
) => Promise<ReadonlyMap<string, DeliveryWait>>

/** Of deliveries, by their ids; those that wait for nothing are left out. */
export function waitsOn(store: Waiting): WaitsOf {
  let asked: Promise<readonly [Known, Breakers]> | undefined
  return async (event, deliveries) => {
    const waits = new Map<string, DeliveryWait>()
    for (const delivery of deliveries.filter(mayWait)) {
      asked ??= Promise.all([store.subscriptions(), store.breakers()])
      const [subscriptions, breakers] = await asked
      const subscription = subscriptions.find(({ name }) => name === delivery.subscription)
      const letter = delivery.state === 'waiting' ? await halting(store, event, delivery) : undefined
      const wait = waitOf(delivery, event, { subscription, breakers, letter })
      if (wait !== null) waits.set(delivery.id, wait)
    }
    return waits
  }
}

type Known = Awaited<ReturnType<Waiting['subscriptions']>>
type Breakers = Awaited<ReturnType<Waiting['breakers']>>

async function halting(store: Waiting, { tenant, key }: StoredEvent, { subscription, replay }: DeliveryView) {
  if (key === null) return undefined
  const filter = { subscription, tenant, key, state: 'dead', limit: lettersMax } as const
  const { items } = await store.deadLetters(filter)
  return items.find((letter) => letter.halts && replayOf(letter) === replay)?.id
}

// `subscription/epoch.seq~replay`
const replayOf = ({ id }: DeadLetter) => id.split('~')[1] ?? null
