// The probe of an open breaker is one for all workers, and taken for a minute: whoever is granted it has to run.
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
const cooldownMs = 1_000
const dayMs = 86_400_000
/** Longer than a consumer may start handlers without letting others run. */
const stallMs = 15

/** A process that is kept from running now and then, as on a machine with too much to do. */
class StallingClock extends VirtualClock {
  #stalledMs = 0

  stall(): void {
    this.#stalledMs += stallMs
  }

  override monotonic(): number {
    return super.monotonic() + this.#stalledMs
  }
}

it('runs the probe that was granted to it though its turn is over meanwhile (I62)', async () => {
  const clock = new StallingClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: dayMs })
  const breakerProbe: typeof store.breakerProbe = async (...request) => {
    const granted = await store.breakerProbe(...request)
    if (granted) clock.stall()
    return granted
  }
  let down = true
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: charged,
        breaker: { name: 'bank', failures: 1, cooldownMs, probes: 1 },
        handle: () => {
          if (down) throw new TransientError('the bank is away')
        },
      }),
    ],
  })
  const storeOf = () => ({ store: { ...store, breakerProbe }, claim: createMemoryClaims(clock) })
  const settings = { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger }
  const spine = new Eventspine(app, settings, { clock, random, storeOf })
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await clock.runUntil(() => over, dayMs)).toBe(true)
  }
  const state = async () => (await store.breakers())[0]?.state
  await ended(spine.start())
  await ended(spine.publish(charged, { n: 1 }))
  expect(await clock.runUntil(async () => (await state()) === 'open', dayMs)).toBe(true)
  down = false
  expect(await clock.runUntil(async () => (await state()) === 'closed', 20 * cooldownMs)).toBe(true)
  await ended(spine.stop())
})
