// Two signals to stop: the second answer comes when the leases are given back, as the first does (I40). And a lease whose
// release fails on its way is released once more.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'

const met = defineEvent({ type: 'tests.met', schema: z.object({}) })
const handlingMs = 5_000
const minuteMs = 60_000

function running() {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: 86_400_000 })
  const greet = defineSubscription({ name: 'greet', on: met, handle: () => clock.sleep(handlingMs) })
  const app = defineApp({ name: 'tests', subscriptions: [greet] })
  const released: number[] = []
  const release: { carriedOut: typeof store.release } = { carriedOut: store.release }
  const counted = {
    ...store,
    release: async (leases: Parameters<typeof store.release>[0]) => {
      await release.carriedOut(leases)
      released.push(leases.length)
    },
  }
  const spine = new Eventspine(
    app,
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    { clock, random, storeOf: () => ({ store: counted, claim: createMemoryClaims(clock) }) },
  )
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await clock.runUntil(() => over, minuteMs)).toBe(true)
  }
  return { clock, store, spine, ended, released, release }
}

describe('a stop', () => {
  it('asked for twice ends once, for both', async () => {
    const { clock, spine, ended, released } = running()
    await ended(spine.start())
    await ended(spine.publish(met, {}))
    await clock.advance(100)
    void spine.stop()
    await clock.advance(100)
    await ended(spine.stop())
    expect(released).toEqual([1])
  })

  it('gives a lease back whose release fails after everything else has ended', async () => {
    const { clock, store, spine, ended, released, release } = running()
    await ended(spine.start())
    let asked = 0
    release.carriedOut = async (leases) => {
      await clock.sleep(1_000)
      if (++asked === 1) throw new Error('The connection is gone')
      await store.release(leases)
    }
    await ended(spine.stop())
    expect(released).toEqual([1])
  })
})
