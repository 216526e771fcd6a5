// After the faults: nothing is judged before every subscription is through and no row is open, seen twice. A run that
// does not get there has not lost anything yet; it is "not drained", which is a verdict of its own.
import { setTimeout as delay } from 'node:timers/promises'
import type { Eventspine, SubscriptionView } from 'eventspine'

const lookEveryMs = 500
const letterPageMax = 500

export interface Drained {
  readonly drained: boolean
  readonly ms: number
  /** Deliveries that looked as if they had killed their process too often, sent again by the operator. */
  readonly quarantined: number
  /** Dead letters for another reason: there should be none. */
  readonly strange: readonly string[]
  readonly subscriptions: readonly SubscriptionView[]
}

export async function drain(observer: Eventspine, msMax: number): Promise<Drained> {
  const beganAt = performance.now()
  const operator = observer.operator()
  const strange: string[] = []
  let quarantined = 0
  let before = ''
  let subscriptions: readonly SubscriptionView[] = []
  for (;;) {
    try {
      const { items } = await operator.deadLetters({ state: 'dead', limit: letterPageMax })
      for (const { subscription, failure } of items)
        if (failure.name !== 'ProcessDeath')
          strange.push(`${subscription}: ${failure.name}: ${failure.message}`)
      quarantined += items.length
      if (items.length > 0)
        await operator.redrive({ filter: {}, rate: 1_000, canary: 0, actor: 'verify', roundsMax: 100 })
      subscriptions = await operator.subscriptions()
    } catch {
      // Asked again below: the database may still be on its way up.
      subscriptions = []
    }
    const ms = performance.now() - beganAt
    const now = through(subscriptions)
    if (now !== '' && now === before) return { drained: true, ms, quarantined, strange, subscriptions }
    if (ms > msMax) return { drained: false, ms, quarantined, strange, subscriptions }
    before = now
    await delay(lookEveryMs)
  }
}

/** What every subscription has recorded; empty while one of them is not through. */
function through(subscriptions: readonly SubscriptionView[]): string {
  const open = subscriptions.filter(({ lagEvents, retrying, dead }) => lagEvents + retrying + dead > 0)
  if (subscriptions.length === 0 || open.length > 0) return ''
  return subscriptions.map(({ name, matched, completed }) => `${name} ${matched} ${completed}`).join(',')
}
