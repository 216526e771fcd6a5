// The one that tries an open breaker dies of it: the next may try when its lease is over, not a minute later (I35).
import { defineApp, defineEvent, defineSubscription, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
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

it('lets another try a breaker when the lease of a dead prober is over', async () => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: 86_400_000 })
  let attempts = 0
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: charged,
        deadlineMs,
        breaker: { name: 'bank', failures: 1, cooldownMs, probes: 1 },
        handle: () => {
          if (++attempts === 1) throw new TransientError('the bank is away')
        },
      }),
    ],
  })
  const spine = new Eventspine(
    app,
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    { clock, random, storeOf: () => ({ store, claim: createMemoryClaims(clock) }) },
  )
  const isOver = (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    return () => over
  }
  await clock.runUntil(isOver(spine.start()), cooldownMs)
  await clock.runUntil(isOver(spine.publish(charged, {})), cooldownMs)
  expect(await clock.runUntil(() => attempts === 1, cooldownMs)).toBe(true)
  // Another process has the slot, as its worker asks for it, and dies.
  let taken = 0
  const ask = store.breakerProbe
  store.breakerProbe = async (name, tenant, probeMs) => {
    if (taken++ > 0) return ask(name, tenant, probeMs)
    await ask(name, tenant, probeMs)
    return false
  }
  expect(await clock.runUntil(() => taken > 0, cooldownMs * 2)).toBe(true)
  expect(await clock.runUntil(() => attempts === 2, deadlineMs + marginMs + 2_000)).toBe(true)
  await clock.runUntil(isOver(spine.stop()), deadlineMs)
})
