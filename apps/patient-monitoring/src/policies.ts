// The two classes of work in a ward. What stands between a reading and a person is of the alarm class: capacity of its own, short
// leases, retries within seconds. Everything else may wait, and has no way to make an alarm wait.
import type { BreakerOptions, SubscriptionPolicies } from 'eventspine'

const second = 1_000

export const alarmClass = {
  priority: 'alarm',
  start: 'beginning',
  deadlineMs: 10 * second,
} as const satisfies SubscriptionPolicies

/** A key whose event cannot be worked off is passed over: the next minute of a chart is worth more than the one that is broken. */
export const recordClass = {
  start: 'beginning',
  ordered: { afterDead: 'skip' },
  deadlineMs: 30 * second,
} as const satisfies SubscriptionPolicies

/** Nobody looks at a record more often than so, and each call that is spared leaves the database to the alarms. */
export const recordBatch = { windowMs: 200 } as const satisfies SubscriptionPolicies['batch']

/** Of each device: its key is that of the event. */
export const pushBreaker = {
  name: 'push',
  scope: 'key',
  failures: 3,
  windowMs: 60 * second,
  cooldownMs: 15 * second,
  probes: 1,
} as const satisfies BreakerOptions
