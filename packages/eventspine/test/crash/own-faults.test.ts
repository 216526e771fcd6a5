// A fault of the engine itself is not a store that is away: it is said, and what was under way begins again.
import { defineApp, defineEvent, defineSubscription, type Subscription } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { jsonLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'
import type { Store } from '../../src/store/store.js'

const numbered = defineEvent({ type: 'tests.numbered', schema: z.object({ n: z.number() }) })
const dayMs = 86_400_000
const settlingMs = 120_000
const tickedMs = 1_000
const events = 5

const chart = { name: 'chart', on: numbered, start: 'beginning' } as const
const plain = defineSubscription({ ...chart, handle: () => {} })
const transactional = defineSubscription({ ...chart, transact: async () => {} })

/** Does as `method` of the store, but throws `error` instead of its first answer. */
function failingOnce<Method extends 'begin' | 'ticksAfter'>(
  store: Store,
  method: Method,
  error: Error,
): Pick<Store, Method> {
  let failed = false
  const failing = (...request: unknown[]) => {
    if (failed) return (store[method] as (...request: unknown[]) => unknown)(...request)
    failed = true
    return Promise.reject(error)
  }
  return { [method]: failing } as unknown as Pick<Store, Method>
}

it.each([
  ['a chunk of a transactional handler', transactional, 'begin'],
  ['reading the log', plain, 'ticksAfter'],
] as const)('says a fault of its own in %s, and goes on', async (_, subscription, method) => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const memory = createMemoryStore({ clock, random, idempotencyWindowMs: dayMs })
  const store = { ...memory, ...failingOnce(memory, method, new TypeError('undefined is no lease')) }
  const lines: string[] = []
  const logger = jsonLogger(
    'error',
    () => clock.now(),
    (line) => lines.push(line),
  )
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await clock.runUntil(() => over, dayMs)).toBe(true)
  }
  const spineOf = (subscriptions: Subscription[]) =>
    new Eventspine(
      defineApp({ name: 'tests', events: [numbered], subscriptions }),
      { databaseUrl: 'memory:', stalledMs: 0, logger },
      { clock, random, storeOf: () => ({ store, claim: createMemoryClaims(clock) }) },
    )
  // The log has its ticks before the subscription comes: it has to read them.
  const publisher = spineOf([])
  await ended(publisher.start())
  const data = Array.from({ length: events }, (_, n) => ({ event: numbered, data: { n } }))
  await ended(publisher.publishMany(data))
  await clock.advance(tickedMs)
  await ended(publisher.stop())
  const spine = spineOf([subscription])
  await ended(spine.start())
  const completed = async () => (await memory.subscriptions())[0]?.completed
  expect(await clock.runUntil(async () => (await completed()) === events, settlingMs)).toBe(true)
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'error', error: { name: 'TypeError', message: 'undefined is no lease' } },
  ])
  await ended(spine.stop())
})
