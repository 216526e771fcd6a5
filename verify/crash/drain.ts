// After the faults: nothing is judged before every subscription is through and no row is open, seen twice. A run that
// does not get there has not lost anything yet; it is "not drained", which is a verdict of its own.
import { setTimeout as delay } from 'node:timers/promises'
import type { Eventspine, SubscriptionView } from 'eventspine'
import { Redriver } from './redriver.js'

const lookEveryMs = 500

export interface Drained {
  readonly drained: boolean
  readonly ms: number
  /** Deliveries that looked as if they had killed their process too often, sent again by the operator. */
  readonly quarantined: number
  /** Dead letters for another reason: there should be none. */
  readonly strange: readonly string[]
  readonly subscriptions: readonly SubscriptionView[]
}

export async function drain(
  observer: Eventspine,
  msMax: number,
  redriver: Redriver = new Redriver(observer),
): Promise<Drained> {
  const beganAt = performance.now()
  let before = ''
  for (;;) {
    const { subscriptions, now } = await looked(observer, redriver)
    const ms = performance.now() - beganAt
    const { quarantined, strange } = redriver
    const drained = now !== '' && now === before
    if (drained || ms > msMax) return { drained, ms, quarantined, strange, subscriptions }
    before = now
    await delay(lookEveryMs)
  }
}

async function looked(observer: Eventspine, redriver: Redriver) {
  try {
    const redriven = redriver.redriven
    await redriver.round()
    const subscriptions = await observer.operator().subscriptions()
    return { subscriptions, now: redriver.redriven > redriven ? '' : through(subscriptions) }
  } catch {
    // Asked again: the database may still be on its way up.
    return { subscriptions: [], now: '' }
  }
}

/** What every subscription has recorded; empty while one of them is not through. */
function through(subscriptions: readonly SubscriptionView[]): string {
  const open = subscriptions.filter(({ lagEvents, retrying }) => lagEvents + retrying > 0)
  if (subscriptions.length === 0 || open.length > 0) return ''
  return subscriptions.map(({ name, matched, completed }) => `${name} ${matched} ${completed}`).join(',')
}
