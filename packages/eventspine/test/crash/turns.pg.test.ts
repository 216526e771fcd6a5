// Handlers that never await: a backlog of them must not hold up the heartbeats and the alarms of the same process.
import { setImmediate } from 'node:timers/promises'
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { freshSchema, running } from '../support.js'

const tick = defineEvent({ type: 'tests.tick', schema: z.object({ n: z.number() }) })
const busyMs = 2
const backlog = 1_000

test('a backlog of synchronous handlers lets the event loop round between a few of them', async () => {
  let handled = 0
  const app = defineApp({
    name: 'turns',
    events: [tick],
    subscriptions: [
      defineSubscription({
        name: 'busy',
        on: tick,
        concurrency: 50,
        handle: () => {
          for (const end = performance.now() + busyMs; performance.now() < end; );
          handled++
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  await spine.publishMany(Array.from({ length: backlog }, (_, n) => ({ event: tick, data: { n } })))
  let most = 0
  for (let before = handled; handled < backlog; before = handled) {
    await setImmediate()
    most = Math.max(most, handled - before)
  }
  // Five fit into 10 ms, and between two rounds a few pieces of work may start some.
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(backlog / 10)
})
