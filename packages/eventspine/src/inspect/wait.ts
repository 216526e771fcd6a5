// Why a delivery that is open does not run at this moment, as far as the log says it.
import type { BreakerState } from '../deliver/port.js'
import type { DeliveryView, SubscriptionView } from './port.js'

export type DeliveryWait =
  /** Its subscription is paused. */
  | { readonly kind: 'paused' }
  /** What its handler calls is given a rest. */
  | { readonly kind: 'breaker'; readonly breaker: string }
  /** An earlier event of its key is dead, and halts it. */
  | { readonly kind: 'letter'; readonly letter: string }
  /** An earlier event of its key is not through. */
  | { readonly kind: 'key' }
  /** It failed, and its next attempt is due then, in milliseconds since 1970. */
  | { readonly kind: 'retry'; readonly dueAtMs: number }
  /** No worker that lives holds its subscription. */
  | { readonly kind: 'worker' }
  /** Others are before it. */
  | { readonly kind: 'turn' }

export type WaitKind = DeliveryWait['kind']

/** Of the delivery's event. */
interface Place {
  readonly tenant: string
  readonly key: string | null
}

export interface WaitFacts {
  readonly subscription: Pick<SubscriptionView, 'name' | 'state' | 'policies' | 'owners'> | undefined
  readonly breakers: readonly BreakerState[]
  /** The dead letter that halts its key, if any. */
  readonly letter: string | undefined
}

const waiting: readonly DeliveryView['state'][] = ['pending', 'retry', 'waiting', 'redriving']

export const mayWait = ({ state }: Pick<DeliveryView, 'state'>): boolean => waiting.includes(state)

/** Null for one that runs or is through. */
export function waitOf(
  delivery: Pick<DeliveryView, 'state' | 'dueAtMs'>,
  place: Place,
  { subscription, breakers, letter }: WaitFacts,
): DeliveryWait | null {
  if (!mayWait(delivery)) return null
  if (subscription?.state === 'paused') return { kind: 'paused' }
  if (letter !== undefined) return { kind: 'letter', letter }
  if (delivery.state === 'waiting') return { kind: 'key' }
  const breaker = openBreaker(subscription?.policies.breaker, place, breakers)
  if (breaker !== undefined) return { kind: 'breaker', breaker }
  if (delivery.dueAtMs !== null) return { kind: 'retry', dueAtMs: delivery.dueAtMs }
  return subscription?.owners.length === 0 ? { kind: 'worker' } : { kind: 'turn' }
}

function openBreaker(policy: unknown, { tenant, key }: Place, breakers: readonly BreakerState[]) {
  if (typeof policy !== 'object' || policy === null) return undefined
  const { name, scope } = policy as { readonly name?: unknown; readonly scope?: unknown }
  const of = { tenant: scope === 'service' ? '' : tenant, key: scope === 'key' ? (key ?? '') : '' }
  return breakers.find(
    (each) =>
      each.name === name && each.tenant === of.tenant && each.key === of.key && each.state !== 'closed',
  )?.name
}
