// What is granted is held, whatever fails beside it: a lease that nobody knows of stops its subscription until it runs
// out. The long simulation found one that did.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'

const placed = defineEvent({ type: 'tests.placed', schema: z.object({}) })
const hourMs = 3_600_000
const handledMsMax = 5_000

it.each([0, 40_000])(
  'holds what a dead neighbour left, also when its row cannot be removed, silent for %i ms',
  async (silentMs) => {
    const clock = new VirtualClock()
    const random = seededRandom(1)
    const store = createMemoryStore({ clock, random, idempotencyWindowMs: hourMs })
    let refused = 0
    const removeWorker: typeof store.removeWorker = async (id) => {
      if (id === 'ghost' && refused++ === 0) throw new Error('the connection broke')
      return store.removeWorker(id)
    }
    let handled = 0
    const spineOf = () =>
      new Eventspine(
        defineApp({
          name: 'tests',
          subscriptions: [defineSubscription({ name: 'note', on: placed, handle: () => void handled++ })],
        }),
        { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
        {
          ...{ clock, random },
          storeOf: () => ({ store: { ...store, removeWorker }, claim: createMemoryClaims(clock) }),
        },
      )
    const ended = async (work: Promise<unknown>) => {
      let over = false
      void work.finally(() => {
        over = true
      })
      expect(await clock.runUntil(() => over, hourMs)).toBe(true)
    }
    const first = spineOf()
    await ended(first.start())
    const [own] = await store.workers()
    await ended(first.stop())
    if (own === undefined) throw new Error('The worker had no row')
    // On this machine, under a number that no process has.
    await store.heartbeat(
      { ...own, id: 'ghost', identity: own.identity.replace(/\|\d+\|\d+$/, '|99999999|1') },
      {},
    )
    const leases = await store.acquire({
      worker: 'ghost',
      leaseMs: { note: hourMs },
      consumersMax: 1,
      deadWorkers: [],
    })
    expect(leases).toHaveLength(1)
    // Its machine was busy with starting the next one.
    await clock.advance(silentMs)

    const second = spineOf()
    await ended(second.start())
    await ended(second.publish(placed, {}))
    expect(await clock.runUntil(() => handled === 1, handledMsMax)).toBe(true)
    expect(refused).toBeGreaterThan(0)
    await ended(second.stop())
  },
)
