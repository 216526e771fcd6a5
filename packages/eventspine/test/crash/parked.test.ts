// Work behind the open breaker of one tenant: it is put down once and left alone until the next probe, and the other
// tenants go on (I62).
import { defineApp, defineEvent, defineSubscription, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'

const charged = defineEvent({ type: 'tests.charged', schema: z.object({ n: z.number() }) })
const rows = 20
const cooldownMs = 30_000
const dayMs = 86_400_000

it('writes the row of a parked delivery once in a cooldown, not once a second', async () => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: dayMs })
  let writes = 0
  const counting: typeof store.settle = (worker, settlements, priority) => {
    for (const { opened, rescheduled } of settlements) writes += opened.length + rescheduled.length
    return store.settle(worker, settlements, priority)
  }
  let down = true
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: charged,
        concurrency: 1,
        breaker: { name: 'bank', failures: 1, cooldownMs, probes: 1, scope: 'tenant' },
        handle: (event) => {
          if (down && event.tenant === 'acme') throw new TransientError('the bank is away')
        },
      }),
    ],
  })
  const spine = new Eventspine(
    app,
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    {
      clock,
      random,
      storeOf: () => ({ store: { ...store, settle: counting }, claim: createMemoryClaims(clock) }),
    },
  )
  const ended = async <Result>(work: Promise<Result>): Promise<Result> => {
    let over = false
    void work.finally(() => {
      over = true
    })
    await clock.runUntil(() => over, dayMs)
    return await work
  }
  const completed = async () => (await store.subscriptions())[0]?.completed
  await ended(spine.start())
  const publish = (tenant: string) =>
    ended(
      spine.publishMany(
        Array.from({ length: rows }, (_, n) => ({ event: charged, data: { n }, options: { tenant } })),
      ),
    )
  await publish('acme')
  await clock.runUntil(async () => (await store.breakers())[0]?.state === 'open', dayMs)
  await clock.advance(cooldownMs / 10)
  await publish('other')
  await clock.runUntil(async () => (await completed()) === rows, dayMs)
  await clock.advance(cooldownMs / 2)
  // One each, and one more for the few that failed before it opened.
  expect(writes).toBeLessThan(rows * 1.5)
  down = false
  await clock.runUntil(async () => (await completed()) === 2 * rows, dayMs)
  expect(await completed()).toBe(2 * rows)
  await ended(spine.stop())
})
