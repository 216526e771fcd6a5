// A breaker for each key: what waits for one that is down holds up nobody else, and takes nobody's retries.
import { defineApp, defineEvent, defineSubscription, retries, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'

const called = defineEvent({
  type: 'tests.called',
  schema: z.object({ partner: z.string(), n: z.number() }),
  key: ({ partner }) => partner,
})
const dayMs = 86_400_000
const waiting = 400
const cooldownMs = 2_000

function running() {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: dayMs })
  const state = { down: true, called: [] as string[], stumbled: false, hangs: false, hanging: 0 }
  const call = defineSubscription({
    name: 'call',
    on: called,
    retry: retries.standard({ attemptsMax: 1_000 }),
    concurrency: { max: 100, perKey: 10 },
    breaker: { name: 'partners', failures: waiting, cooldownMs, probes: 1, rampMs: 1, scope: 'key' },
    handle: async ({ data: { partner, n } }, { signal }) => {
      if (partner === 'down' && state.hangs) {
        state.hanging++
        await new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            state.hanging--
            reject(new TransientError('no answer'))
          }),
        )
      }
      if (partner === 'down' && state.down) throw new TransientError('away')
      if (partner === 'stumbling' && !state.stumbled) {
        state.stumbled = true
        throw new TransientError('once')
      }
      state.called.push(`${partner} ${n}`)
    },
  })
  const spine = new Eventspine(
    defineApp({ name: 'tests', subscriptions: [call] }),
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    { clock, random, storeOf: () => ({ store, claim: createMemoryClaims(clock) }) },
  )
  const within = (ms: number, condition: () => boolean | Promise<boolean>) => clock.runUntil(condition, ms)
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await within(dayMs, () => over)).toBe(true)
  }
  const publish = (partner: string, count: number) =>
    ended(
      spine.publishMany(Array.from({ length: count }, (_, n) => ({ event: called, data: { partner, n } }))),
    )
  const openKeys = async () =>
    (await store.breakers()).flatMap(({ key, state: is }) => (is === 'closed' ? [] : [key]))
  return { store, spine, state, within, ended, publish, openKeys }
}

it('holds its own key, and lets the others and their retries pass', async () => {
  const { store, spine, state, within, ended, publish, openKeys } = running()
  await ended(spine.start())
  await publish('down', waiting)
  expect(await within(120_000, async () => (await openKeys()).length > 0)).toBe(true)
  expect(await openKeys()).toEqual(['down'])
  // All of them have failed before: each look at them is a retry, and takes from the budget unless it is given back.
  expect(await within(30_000, () => false)).toBe(false)
  await publish('fine', 20)
  expect(await within(1_000, () => state.called.length === 20)).toBe(true)
  await publish('stumbling', 1)
  expect(await within(5_000, () => state.called.includes('stumbling 0'))).toBe(true)
  expect(state.called.filter((call) => call.startsWith('down'))).toEqual([])
  state.down = false
  const through = async () => (await store.subscriptions())[0]?.completed === waiting + 21
  expect(await within(600_000, through)).toBe(true)
  expect(await openKeys()).toEqual([])
  await ended(spine.stop())
})

it('holds up nobody else while its probe does not answer', async () => {
  const { spine, state, within, ended, publish, openKeys } = running()
  await ended(spine.start())
  await publish('down', waiting)
  expect(await within(120_000, async () => (await openKeys()).length > 0)).toBe(true)
  // Its cooldown ends, and whoever tries it gets no answer, for as long as a handler may take.
  state.hangs = true
  expect(await within(60_000, () => state.hanging > 0)).toBe(true)
  await publish('down', 50)
  for (let round = 0; round < 10; round++) {
    const before = state.called.length
    await publish('fine', 5)
    await publish('down', 5)
    expect(await within(200, () => state.called.length === before + 5)).toBe(true)
    // One at a time tries it.
    expect(state.hanging).toBe(1)
  }
  await ended(spine.stop())
})
