// A database that answers nothing any more, and tells nobody: the process ends all the same.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { SilentLink } from '../silent-link.js'
import { afterTest, databaseUrl, freshSchema, quiet, running } from '../support.js'

const placed = defineEvent({ type: 'orders.order-placed', schema: z.object({ n: z.int() }) })
const stopMsMax = 13_000

it('stops in bounded time while its statements wait for an answer that never comes', async () => {
  const link = new SilentLink()
  afterTest(() => link.stop())
  const subscription = defineSubscription({ name: 'note', on: placed, transact: () => {} })
  const spine = await running(defineApp({ name: 'orders', subscriptions: [subscription] }), freshSchema(), {
    databaseUrl: await link.start(databaseUrl),
    shutdownMs: 500,
  })
  await spine.publish(placed, { n: 0 })
  await quiet(spine)
  link.fallSilent()
  const published = spine.publish(placed, { n: 1 }).catch((error: unknown) => error)
  const beganAt = performance.now()
  await spine.stop()
  expect(performance.now() - beganAt).toBeLessThan(stopMsMax)
  expect(await published).toMatchObject({ code: 'UNKNOWN_OUTCOME' })
})
