// Policies of subscriptions under attack: nothing that is held back is lost, spends attempts or passes its limits.
import { setTimeout as delay } from 'node:timers/promises'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  type Eventspine,
  retries,
  TransientError,
} from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, freshSchema, quiet, running, sql, until } from '../support.js'

const fast = retries.standard({ timeScale: 0.005 })
const told = defineEvent({
  type: 'tests.told',
  schema: z.object({ n: z.number(), text: z.string().optional() }),
  key: ({ n }) => `k${n % 3}`,
})

const up = (count: number) => Array.from({ length: count }, (_, n) => n)
const publishAll = (spine: Eventspine, count: number, tenant = 'default') =>
  spine.publishMany(up(count).map((n) => ({ event: told, data: { n }, options: { tenant } })))

/** Polls the doctor until stopped: the balance must hold at every moment (I18). */
function watchBalance(spine: Eventspine) {
  let watching = true
  let polls = 0
  const done = (async () => {
    while (watching) {
      const { subscriptions } = await spine.operator().doctor()
      for (const each of subscriptions) expect(each).toMatchObject({ name: each.name, balanced: true })
      polls++
    }
  })()
  done.catch(() => {})
  const stop = async () => {
    watching = false
    await done
    return polls
  }
  afterTest(stop)
  return stop
}

it('holds the work of an open breaker without spending attempts, probes, closes and drains (I62)', async () => {
  let down = true
  const attempts: number[] = []
  const other: number[] = []
  const starts: number[] = []
  const breaker = { failures: 3, cooldownMs: 300, probes: 2, rampMs: 200 }
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: told,
        retry: fast,
        concurrency: 4,
        breaker: { name: 'gateway', ...breaker },
        handle: async (_, context) => {
          starts.push(performance.now())
          await delay(20)
          if (down) throw new TransientError('gateway is down')
          attempts.push(context.attempt)
        },
      }),
      defineSubscription({ name: 'other', on: told, handle: (event) => void other.push(event.data.n) }),
    ],
  })
  const spine = await running(app, freshSchema())
  const balanced = watchBalance(spine)
  const beganAt = performance.now()
  await publishAll(spine, 60)
  await until(async () => (await spine.operator().breakers()).some(({ state }) => state === 'open'))
  await until(() => other.length === 60)
  const [before, beforeAt] = [starts.length, performance.now()]
  // On a busy machine all this takes several times as long, and probes go on.
  const rounds = Math.ceil((beforeAt - beganAt) / 1_500)
  await delay(1_500)
  // A probe now and then, and what ran when it opened: nothing else.
  const probed = starts.length - before
  expect(probed).toBeLessThanOrEqual(
    Math.max(8, 3 + Math.floor((performance.now() - beforeAt) / breaker.cooldownMs)),
  )
  // Until the worker heard that it is open they follow one another, some rounds of four. Then each waits for a cooldown, however
  // busy the machine.
  const close = starts.filter((at, n) => n > 0 && at - (starts[n - 1] as number) < breaker.cooldownMs - 10)
  expect(close.length).toBeLessThan(12 + 8 * rounds)
  down = false
  await quiet(spine)
  expect(attempts).toHaveLength(60)
  // Attempts were spent by what ran when it opened, a few rounds of four, and by the probes: by nothing else.
  expect(before).toBeLessThanOrEqual(12 + 8 * rounds)
  expect(attempts.filter((attempt) => attempt === 1).length).toBeGreaterThanOrEqual(60 - before - probed)
  expect((await spine.operator().deadLetters()).items).toEqual([])
  expect((await spine.operator().breakers()).map(({ state }) => state)).toEqual(['closed'])
  expect(await balanced()).toBeGreaterThan(5)
})

it.each(['handle', 'transact'] as const)(
  'lets the other tenants pass one whose breaker is open (%s)',
  async (kind) => {
    let down = true
    const done: string[] = []
    const policies = {
      name: 'charge',
      on: told,
      retry: fast,
      breaker: { name: 'gateway', failures: 2, cooldownMs: 300, probes: 1, rampMs: 100, scope: 'tenant' },
    } as const
    const run = (tenant: string) => {
      if (tenant === 'acme' && down) throw new TransientError('acme is down')
      done.push(tenant)
    }
    const subscription =
      kind === 'handle'
        ? defineSubscription({ ...policies, handle: (event) => run(event.tenant) })
        : defineSubscription({ ...policies, transact: (event) => run(event.tenant) })
    const spine = await running(defineApp({ name: 'tests', subscriptions: [subscription] }), freshSchema())
    const balanced = watchBalance(spine)
    await publishAll(spine, 20, 'acme')
    await until(async () => (await spine.operator().breakers()).some(({ state }) => state === 'open'))
    await publishAll(spine, 20, 'globex')
    await until(() => done.filter((tenant) => tenant === 'globex').length >= 20)
    expect(done).not.toContain('acme')
    down = false
    await quiet(spine)
    expect(new Set(done)).toEqual(new Set(['acme', 'globex']))
    expect((await spine.operator().deadLetters()).items).toEqual([])
    expect((await spine.operator().doctor()).subscriptions[0]).toMatchObject({ completed: 40, dead: 0 })
    await balanced()
  },
)

it('goes on after a probe whose key was not free (ordered, with a breaker)', async () => {
  let down = true
  const done: number[] = []
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: told,
        ordered: true,
        retry: fast,
        breaker: { name: 'gateway', failures: 2, cooldownMs: 200, probes: 2, rampMs: 100 },
        handle: ({ data }) => {
          if (down) throw new TransientError('down')
          done.push(data.n)
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  await publishAll(spine, 30)
  await until(async () => (await spine.operator().breakers()).some(({ state }) => state === 'open'))
  await delay(500)
  down = false
  await quiet(spine)
  for (const key of [0, 1, 2])
    expect(done.filter((n) => n % 3 === key)).toEqual(up(30).filter((n) => n % 3 === key))
})

it('never passes concurrency, per key either, nor the rate', async () => {
  const handlers = new Map<string, number>()
  const most = { all: 0, key: 0 }
  const starts: number[] = []
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'limited',
        on: told,
        concurrency: { max: 5, perKey: 2 },
        handle: async ({ key = '' }) => {
          for (const name of ['all', key]) handlers.set(name, (handlers.get(name) ?? 0) + 1)
          most.all = Math.max(most.all, handlers.get('all') ?? 0)
          most.key = Math.max(most.key, handlers.get(key) ?? 0)
          await delay(3)
          for (const name of ['all', key]) handlers.set(name, (handlers.get(name) ?? 0) - 1)
        },
      }),
      defineSubscription({
        name: 'slow',
        on: told,
        rate: { max: 20, perMs: 400 },
        handle: () => void starts.push(performance.now()),
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  await publishAll(spine, 60)
  await quiet(spine)
  expect(most).toEqual({ all: 5, key: 2 })
  expect(starts).toHaveLength(60)
  // A bucket of 20 that fills at 20 per 400 ms gives out at most 40 in any 400 ms.
  for (const start of starts)
    expect(starts.filter((each) => each >= start && each < start + 400).length).toBeLessThanOrEqual(41)
})

it('puts a slow head of line aside: the others are recorded, the cursor moves, the balance holds (I18, I22)', async () => {
  const done: number[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'mixed',
        on: told,
        handle: async ({ data }) => {
          if (data.n === 0) await held
          done.push(data.n)
        },
      }),
      defineSubscription({ name: 'hangs', on: told, handle: () => held }),
    ],
  })
  const spine = await running(app, freshSchema())
  const balanced = watchBalance(spine)
  const mixed = async () => (await spine.operator().subscriptions()).find(({ name }) => name === 'mixed')
  await publishAll(spine, 50)
  await until(async () => (await mixed())?.completed === 49)
  expect(await mixed()).toMatchObject({ matched: 50, completed: 49, retrying: 1, lagEvents: 0 })
  const [event] = (await spine.operator().events({ order: 'oldest', limit: 1 })).items
  const parked = (await spine.operator().event(event?.id ?? ''))?.deliveries.find(
    ({ subscription }) => subscription === 'mixed',
  )
  expect(parked).toMatchObject({ state: 'running', attempt: 1 })
  release()
  await quiet(spine)
  expect(done.at(-1)).toBe(0)
  expect(done).toHaveLength(50)
  expect(await mixed()).toMatchObject({ completed: 50, retrying: 0 })
  expect(await balanced()).toBeGreaterThan(3)
})

it('delivers what a filter cannot judge because its body is gone to the dead letters, and goes on', async () => {
  const schema = freshSchema()
  const seen: number[] = []
  const filtered = defineSubscription({
    name: 'filtered',
    on: told,
    retry: retries.standard({ attemptsMax: 2, timeScale: 0.001 }),
    filter: { data: { n: [{ numeric: ['<', 2] }] } },
    handle: ({ data }) => void seen.push(data.n),
  })
  const spine = await running(defineApp({ name: 'tests', subscriptions: [filtered] }), schema)
  const operator = spine.operator()
  await operator.pause('filtered', 'ada')
  await spine.publish(told, { n: 0, text: 'x'.repeat(100_000) })
  await spine.publish(told, { n: 1, text: 'y'.repeat(100_000) })
  await spine.publish(told, { n: 2, text: 'z'.repeat(100_000) })
  await sql(`DELETE FROM ${schema}.claim WHERE body LIKE '%xxx%'`)
  await operator.resume('filtered', 'ada')
  await quiet(spine)
  expect(seen).toEqual([1])
  expect((await operator.deadLetters()).items).toMatchObject([{ failure: { code: 'NOT_FOUND' } }])
  expect((await operator.doctor()).subscriptions[0]).toMatchObject({ matched: 2, completed: 1, dead: 1 })
})
