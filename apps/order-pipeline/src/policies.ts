// How the five functions want their deliveries: one class of work, written down once.
import { type BreakerOptions, retries, type SubscriptionPolicies } from 'eventspine'
import { timeScale } from './settings.js'

const second = 1000
const scaled = (ms: number) => Math.max(1, Math.round(ms * timeScale))

/**
 * Work that may wait: delays of min(2^(n−1), 300) s plus up to 5 min of jitter, at most 15 min. It is ordered by
 * customer, so whatever comes behind a failing invoice of the same customer waits, and no one else does.
 */
export const queueClass = {
  retry: retries.queue({ timeScale }),
  batch: { eventsMax: 10, bytesMax: 256 * 1024 },
  deadlineMs: 2 * second,
  ordered: true,
  start: 'beginning',
} as const satisfies SubscriptionPolicies

const breaker = (name: string, failures: number, seconds: number): BreakerOptions => ({
  name,
  failures,
  windowMs: seconds * second,
  cooldownMs: scaled(seconds * second),
  rampMs: scaled(10 * second),
})

/** One for each service, shared by all functions and workers that name it. */
export const breakers = {
  database: breaker('database', 3, 30),
  queue: breaker('queue', 5, 60),
  bus: breaker('bus', 3, 45),
} as const

/** How long a claimed invoice may stay in work before somebody else may claim it: the longest retry delay. */
export const idempotencyLeaseMs = scaled(15 * 60 * second)
