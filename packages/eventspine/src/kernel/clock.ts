// Time enters the engine here and nowhere else, so that a simulation can own it.
// Imported, since the global is a getter that takes longer than the clock itself.
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Wall time in milliseconds since 1970. Never used for a safety decision: only the database clock judges leases. */
  now(): number
  /** Milliseconds that only grow, from an arbitrary start. */
  monotonic(): number
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `action` once after `ms`; the answer cancels it. */
  after(ms: number, action: () => void): () => void
  /** Code of the app is at `work`. Time that somebody else moves stands still for it. */
  hold?(work: PromiseLike<unknown>): void
}

// Node fires a longer timer at once. 24 days: whoever waits longer looks again.
const timerMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, Math.min(ms, timerMsMax))
      signal?.addEventListener('abort', finish, { once: true })
    }),
  after: (ms, action) => {
    const timer = setTimeout(action, Math.min(ms, timerMsMax))
    return () => clearTimeout(timer)
  },
}
