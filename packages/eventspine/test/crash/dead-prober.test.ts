// Who may try an open breaker is one for all workers. When it dies of that, the next may when its lease is over (I35);
// when it lives, it does try, however busy its process is (I62).
import { defineApp, defineEvent, defineSubscription, TransientError } from 'eventspine'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Clock, seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'

const charged = defineEvent({ type: 'tests.charged', schema: z.object({}) })
const cooldownMs = 2_000
const deadlineMs = 5_000
/** So long a lease lasts beyond the deadline of its handlers. */
const marginMs = 30_000

function running() {
  const virtual = new VirtualClock()
  const lag = { ms: 0 }
  // A busy process: time passes, and no timer fires.
  const clock: Clock = {
    now: () => virtual.now(),
    monotonic: () => virtual.monotonic() + lag.ms,
    sleep: (ms, signal) => virtual.sleep(ms, signal),
    after: (ms, action) => virtual.after(ms, action),
  }
  const random = seededRandom(1)
  const store = createMemoryStore({ clock: virtual, random, idempotencyWindowMs: 86_400_000 })
  const seen = { attempts: 0, probes: 0 }
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: charged,
        deadlineMs,
        breaker: { name: 'bank', failures: 1, cooldownMs, probes: 1 },
        handle: () => {
          if (++seen.attempts === 1) throw new TransientError('the bank is away')
        },
      }),
    ],
  })
  const spine = new Eventspine(
    app,
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    { clock, random, storeOf: () => ({ store, claim: createMemoryClaims(virtual) }) },
  )
  const within = (ms: number, condition: () => boolean) => virtual.runUntil(condition, ms)
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await within(deadlineMs, () => over)).toBe(true)
  }
  const failedOnce = async () => {
    await ended(spine.start())
    await ended(spine.publish(charged, {}))
    expect(await within(cooldownMs, () => seen.attempts === 1)).toBe(true)
  }
  return { store, spine, seen, lag, within, ended, failedOnce }
}

describe('the place of the one that tries an open breaker', () => {
  it('is free when the lease of a dead prober is over', async () => {
    const { store, spine, seen, within, ended, failedOnce } = running()
    const ask = store.breakerProbe
    // Another process has it, as its worker asks for it, and dies.
    store.breakerProbe = async (breaker, probeMs) => {
      const granted = await ask(breaker, probeMs)
      return granted && seen.probes++ > 0
    }
    await failedOnce()
    expect(await within(cooldownMs * 2, () => seen.probes > 0)).toBe(true)
    expect(await within(deadlineMs + marginMs + 2_000, () => seen.attempts === 2)).toBe(true)
    await ended(spine.stop())
  })

  it('is used also when the turn of its consumer is over meanwhile', async () => {
    const { store, spine, seen, lag, within, ended, failedOnce } = running()
    const ask = store.breakerProbe
    store.breakerProbe = async (breaker, probeMs) => {
      lag.ms += 50
      return ask(breaker, probeMs)
    }
    await failedOnce()
    expect(await within(cooldownMs * 3, () => seen.attempts === 2)).toBe(true)
    await ended(spine.stop())
  })
})
