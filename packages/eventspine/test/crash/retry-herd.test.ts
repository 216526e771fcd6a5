// Many deliveries that failed while their target was down: when it is back they go home in a time that their number
// explains, and while it is down the target is not hammered.
import { defineApp, defineEvent, defineSubscription, retries, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'

const charged = defineEvent({ type: 'tests.charged', schema: z.object({ n: z.number() }) })
const waiting = 600
const downMs = 10_000
const homeMs = 30_000
const dayMs = 86_400_000
/** What the budget lets through without a success: its tokens, and five a second. */
const retriesMax = 100 + (downMs / 1_000) * 5

it('spends its budget on retries that fail, not on those that succeed', async () => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: dayMs })
  let down = true
  let retried = 0
  const charge = defineSubscription({
    name: 'charge',
    on: charged,
    retry: retries.standard({ timeScale: 0.01 }),
    handle: (_, { attempt }) => {
      if (down && attempt > 1) retried++
      if (down) throw new TransientError('the bank is away')
    },
  })
  const spine = new Eventspine(
    defineApp({ name: 'tests', subscriptions: [charge] }),
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    { clock, random, storeOf: () => ({ store, claim: createMemoryClaims(clock) }) },
  )
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await clock.runUntil(() => over, dayMs)).toBe(true)
  }
  const view = async () => (await store.subscriptions())[0]
  await ended(spine.start())
  await ended(spine.publishMany(Array.from({ length: waiting }, (_, n) => ({ event: charged, data: { n } }))))
  await clock.advance(downMs)
  expect(retried).toBeGreaterThan(0)
  expect(retried).toBeLessThanOrEqual(retriesMax)
  down = false
  expect(await clock.runUntil(async () => (await view())?.retrying === 0, homeMs)).toBe(true)
  const { completed = 0, dead = 0 } = (await view()) ?? {}
  expect(completed + dead).toBe(waiting)
  await ended(spine.stop())
})
