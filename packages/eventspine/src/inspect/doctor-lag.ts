// Why a subscription is late, as far as the cell tells: its breaker holds it back, nobody runs it, too few do, or it is slow.
import type { BreakerState } from '../deliver/port.js'
import type { DoctorInput, SubscriptionDiagnosis } from './doctor.js'

/** The open breaker, of all that it calls, that a subscription waits for. */
export function heldBy({ subscriptions, breakers }: DoctorInput, name: string): string | undefined {
  const policies = subscriptions.find((each) => each.name === name)?.policies
  const own = (policies?.['breaker'] as { readonly name?: string } | undefined)?.name
  const isWhole = ({ tenant, key }: BreakerState) => tenant === '' && key === ''
  return breakers.find((each) => each.name === own && each.state !== 'closed' && isWhole(each))?.name
}

export function lagAdvice({ owners, shards }: SubscriptionDiagnosis, breaker: string | undefined): string {
  if (breaker !== undefined) return `It waits for its breaker "${breaker}": see what is said of that`
  if (owners.length === 0) return `No worker runs it. Start one: eventspine worker`
  if (owners.length < shards) return 'Start another worker: eventspine worker'
  return 'Raise its concurrency, make its handler faster, or spread it over more shards under a new name'
}
