// Rates from two readings of a cell: how much its counters grew, by the second of the database's clock.
import type { Overview } from 'eventspine'

export interface Rates {
  /** Events appended a second. */
  readonly in: number
  /** Deliveries completed a second, over all subscriptions. Those of replays are not counted. */
  readonly out: number
  /** The same by subscription. */
  readonly bySubscription: ReadonlyMap<string, number>
}

/** Undefined where the later reading is not later by the database's clock. */
export function ratesBetween(before: Overview, after: Overview): Rates | undefined {
  const seconds = (after.atMs - before.atMs) / 1_000
  if (seconds <= 0) return undefined
  const completed = new Map(before.subscriptions.map((each) => [each.name, each.completed]))
  const bySubscription = new Map(
    after.subscriptions.map(({ name, completed: now }) => [
      name,
      // One that was not there begins now. One that was removed and defined again counts from nothing.
      Math.max(0, now - (completed.get(name) ?? now)) / seconds,
    ]),
  )
  const out = [...bySubscription.values()].reduce((sum, each) => sum + each, 0)
  return { in: Math.max(0, after.appended - before.appended) / seconds, out, bySubscription }
}
