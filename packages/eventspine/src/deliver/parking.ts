// A delivery that holds back the record of ended ones behind it becomes a row, so that the cursor need not wait for it.
import type { Item } from './item.js'
import type { ResolvedSubscription } from './subscription.js'
import type { Window } from './window.js'

const parkAfterMs = { alarm: 20, normal: 250 } as const

/** After so long. */
export const parkingMs = ({ priority }: ResolvedSubscription): number => parkAfterMs[priority]

/** The one that does so and has run since then. */
export function parkable(window: Window, running: ReadonlySet<Item>, startedBefore: number) {
  const blocking = window.blocking()
  return blocking !== undefined && running.has(blocking) && blocking.startedAt <= startedBefore
    ? blocking
    : undefined
}
