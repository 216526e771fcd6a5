// How long a failed delivery waits, and when it is given up. One policy per class of work: a queue may wait
// minutes, an alarm may not.
import type { Random } from '../kernel/index.js'
import type { Category } from './category.js'

export interface RetryPolicy {
  /** Attempts before the delivery is dead, the first one included. */
  readonly attemptsMax: number
  /** The same for `processing` errors, which repeat more often than not. */
  readonly processingAttemptsMax: number
  /** Milliseconds to wait after the `attempt`-th attempt failed (1 for the first). */
  readonly delayMs: (attempt: number, random: Random) => number
}

export interface RetryOptions {
  readonly attemptsMax?: number
  readonly processingAttemptsMax?: number
  /** Multiplies every delay: 0.001 turns the seconds of a demonstration into milliseconds. Default 1. */
  readonly timeScale?: number
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute

function policy(attempts: number, options: RetryOptions, delayMs: RetryPolicy['delayMs']): RetryPolicy {
  const scale = options.timeScale ?? 1
  return {
    attemptsMax: options.attemptsMax ?? attempts,
    processingAttemptsMax: options.processingAttemptsMax ?? Math.min(3, options.attemptsMax ?? attempts),
    delayMs: (attempt, random) => delayMs(attempt, random) * scale,
  }
}

/** Full jitter over a doubling ceiling: the whole range, so that failed work does not come back as one wave. */
const fullJitter = (initialMs: number, ceilingMs: number) => (attempt: number, random: Random) =>
  random.next() * Math.min(ceilingMs, initialMs * 2 ** (attempt - 1))

/** What the specification of Standard Webhooks gave as its example: with ten hours once more, 27 h 35 min in all. */
const webhookDelays = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 10 * hour] as const

/** Up to a tenth more, so that what failed together does not come back together. */
const jittered = (delays: readonly number[]) => (attempt: number, random: Random) =>
  (delays[Math.min(attempt, delays.length) - 1] ?? 0) * (1 + random.next() / 10)

export const retries = {
  /** 10 attempts, full jitter from 1 s, at most 5 min. What a subscription gets when it names none. */
  standard: (options: RetryOptions = {}) => policy(10, options, fullJitter(second, 5 * minute)),
  /** 12 attempts, full jitter from 40 ms, at most 5 s: for what a person waits for. The default of alarms. */
  alarm: (options: RetryOptions = {}) => policy(12, options, fullJitter(40, 5 * second)),
  /** 8 attempts, `min(2^(attempt−1), 300) s` plus up to 5 min of jitter, at most 15 min: for queues. */
  queue: (options: RetryOptions = {}) =>
    policy(8, options, (attempt, random) =>
      Math.min(15 * minute, Math.min(2 ** (attempt - 1), 300) * second + random.next() * 5 * minute),
    ),
  /** 8 attempts: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, each up to a tenth longer. */
  webhook: (options: RetryOptions = {}) => policy(8, options, jittered(webhookDelays)),
  /** One attempt. */
  none: () => policy(1, {}, () => 0),
} as const

/** Attempts that an error of this category may have; 1 means dead at once. */
export function attemptsAllowed(policyOf: RetryPolicy, category: Category): number {
  if (category === 'validation' || category === 'permanent') return 1
  if (category === 'processing') return Math.min(policyOf.processingAttemptsMax, policyOf.attemptsMax)
  return policyOf.attemptsMax
}
