// Two versions of an app run beside each other, and the newer one wants more: what it wants is lost to neither.
import { type App, defineApp, defineEvent, defineSubscription, type Eventspine } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { MemoryStore } from '../../src/store/memory/index.js'
import { Stage } from '../workflow/stage.js'

const schema = z.object({ n: z.number() })
const key = ({ n }: { readonly n: number }) => `k${n}`
const placed = defineEvent({ type: 'orders.placed', schema, key })
const paid = defineEvent({ type: 'orders.paid', schema, key })
type Wanted = typeof placed | typeof paid
const events = [placed, paid]

interface Seen {
  readonly by: string
  readonly type: string
  readonly n: number
}

/** A version of the app: `by` says in `seen` who handled what. */
function version(by: string, seen: Seen[], more: boolean, build?: number): App {
  const ledger = defineSubscription({
    name: 'ledger',
    on: more ? [placed, paid] : [placed],
    handle: ({ type, data }) => void seen.push({ by, type, n: data.n }),
  })
  return defineApp({ name: 'shop', events, subscriptions: [ledger], ...(build !== undefined && { build }) })
}

/** A process that has started. */
async function begun(stage: Stage, ...made: Parameters<Stage['spine']>): Promise<Eventspine> {
  const spine = stage.spine(...made)
  await stage.until(spine.start())
  return spine
}

async function ended(stage: Stage, ...spines: readonly Eventspine[]): Promise<void> {
  for (const spine of spines) await stage.until(spine.stop())
}

const ofType = (seen: readonly Seen[], { type }: { readonly type: string }) =>
  seen.filter((each) => each.type === type)

test('a type that a newer version adds is lost to no older one that still runs (I26)', async () => {
  const stage = new Stage(1)
  const seen: Seen[] = []
  const old = await begun(stage, version('old', seen, false))
  await stage.until(old.publish(placed, { n: 0 }))
  await stage.clock.advance(1_000)
  const young = await begun(stage, version('young', seen, true))
  // At once, while the old one still holds the lease and reads on.
  for (let n = 1; n <= 50; n++) {
    await stage.until(young.publish(placed, { n }))
    await stage.until(young.publish(paid, { n }))
  }
  await stage.clock.advance(60_000)
  expect(ofType(seen, paid).map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
  expect(new Set(ofType(seen, placed).map(({ n }) => n)).size).toBe(51)
  expect(ofType(seen, paid).every(({ by }) => by === 'young')).toBe(true)
  await ended(stage, old, young)
})

test('what a holder has in hand comes to its end before it gives its lease away', async () => {
  const stage = new Stage(2)
  const runs: string[] = []
  const app = (by: string, on: readonly Wanted[]) =>
    defineApp({
      name: 'shop',
      events,
      subscriptions: [
        defineSubscription({
          name: 'slow',
          on,
          handle: async ({ type, data }) => {
            runs.push(`${by} begins ${type} ${data.n}`)
            await stage.clock.sleep(10_000)
            runs.push(`${by} ends ${type} ${data.n}`)
          },
        }),
      ],
    })
  const old = await begun(stage, app('old', [placed]))
  await stage.until(old.publish(placed, { n: 1 }))
  await stage.clock.advance(1_000)
  const young = await begun(stage, app('young', [placed, paid]))
  await stage.clock.advance(2_000)
  await stage.until(young.publish(paid, { n: 2 }))
  await stage.clock.advance(60_000)
  expect(runs).toEqual([
    'old begins orders.placed 1',
    'old ends orders.placed 1',
    'young begins orders.paid 2',
    'young ends orders.paid 2',
  ])
  await ended(stage, old, young)
})

test('what is handed over is drained once, and sooner by a process that stops', async () => {
  const stage = new Stage(10)
  const app = (on: readonly Wanted[]) => {
    const policies = { name: 'slow', on, deadlineMs: 200_000 }
    const slow = defineSubscription({ ...policies, handle: () => stage.clock.sleep(100_000) })
    return defineApp({ name: 'shop', events, subscriptions: [slow] })
  }
  const old = await begun(stage, app([placed]), stage.store, { shutdownMs: 1_000 })
  await stage.until(old.publish(placed, { n: 1 }))
  await stage.clock.advance(1_000)
  const young = await begun(stage, app([placed, paid]))
  await stage.clock.advance(3_000)
  const { timers } = stage.clock
  await stage.clock.advance(10_000)
  expect(stage.clock.timers).toBeLessThanOrEqual(timers + 2)
  const stopsAt = stage.clock.monotonic()
  await ended(stage, old)
  expect(stage.clock.monotonic() - stopsAt).toBeLessThan(10_000)
  await ended(stage, young)
})

test('a version that is rolled back to takes over as soon as the newer one is gone', async () => {
  const stage = new Stage(3)
  const seen: Seen[] = []
  const old = await begun(stage, version('old', seen, false))
  const young = await begun(stage, version('young', seen, true))
  await stage.clock.advance(3_000)
  await stage.until(old.publish(placed, { n: 1 }))
  await stage.until(old.publish(paid, { n: 1 }))
  await stage.clock.advance(10_000)
  expect(seen.map(({ by }) => by)).toEqual(['young', 'young'])
  await stage.until(young.stop())
  await stage.clock.advance(3_000)
  await stage.until(old.publish(placed, { n: 2 }))
  await stage.clock.advance(3_000)
  expect(seen.at(-1)).toEqual({ by: 'old', type: 'orders.placed', n: 2 })
  await stage.until(old.stop())
})

test('an old worker that starts again in the middle takes nothing back where builds are numbered', async () => {
  const stage = new Stage(4)
  const seen: Seen[] = []
  const young = await begun(stage, version('young', seen, true, 2))
  await stage.clock.advance(1_000)
  const old = await begun(stage, version('old', seen, false, 1))
  await stage.clock.advance(5_000)
  await stage.until(young.publish(paid, { n: 1 }))
  await stage.clock.advance(5_000)
  expect(seen).toEqual([{ by: 'young', type: 'orders.paid', n: 1 }])
  await ended(stage, old, young)
})

/** The store as one process has it, whose registering goes as `register` says. */
const registering = (stage: Stage, register: MemoryStore['register']): MemoryStore =>
  Object.assign(Object.create(stage.store) as MemoryStore, { register })

test('an old worker that looks while the new one is still starting takes nothing back (I26)', async () => {
  const stage = new Stage(6)
  const seen: Seen[] = []
  const old = await begun(stage, version('old', seen, false))
  await stage.clock.advance(1_000)
  const slow = registering(stage, async (records) => {
    await stage.store.register(records)
    await stage.clock.sleep(3_000)
  })
  const young = await begun(stage, version('young', seen, true), slow)
  await stage.until(young.publish(paid, { n: 1 }))
  await stage.clock.advance(10_000)
  expect(seen).toEqual([{ by: 'young', type: 'orders.paid', n: 1 }])
  await ended(stage, old, young)
})

test('what an older build took meanwhile, the newer one takes back', async () => {
  const stage = new Stage(7)
  const seen: Seen[] = []
  const old = await begun(stage, version('old', seen, false, 1))
  await stage.clock.advance(1_000)
  let calls = 0
  const forgetful = registering(stage, async (records) => {
    if (++calls > 1) await stage.store.register(records)
  })
  const young = await begun(stage, version('young', seen, true, 2), forgetful)
  await stage.clock.advance(5_000)
  await stage.until(young.publish(paid, { n: 1 }))
  await stage.clock.advance(5_000)
  expect(seen).toEqual([{ by: 'young', type: 'orders.paid', n: 1 }])
  await ended(stage, old, young)
})

test('a newer build that starts again is waited for, and one that stays away is not', async () => {
  const stage = new Stage(8)
  const seen: Seen[] = []
  const first = await begun(stage, version('young', seen, true, 2))
  const old = await begun(stage, version('old', seen, false, 1))
  await stage.clock.advance(1_000)
  await stage.until(first.stop())
  await stage.clock.advance(5_000)
  await stage.until(old.publish(paid, { n: 1 }))
  await stage.clock.advance(1_000)
  const again = await begun(stage, version('young again', seen, true, 2))
  await stage.clock.advance(5_000)
  expect(seen).toEqual([{ by: 'young again', type: 'orders.paid', n: 1 }])
  await stage.until(again.stop())
  await stage.clock.advance(25_000)
  await stage.until(old.publish(placed, { n: 2 }))
  await stage.clock.advance(2_000)
  expect(seen.at(-1)).toEqual({ by: 'old', type: 'orders.placed', n: 2 })
  await stage.until(old.stop())
})

test('one new worker keeps all that no older one may take', async () => {
  const stage = new Stage(9)
  const app = (on: readonly Wanted[]) =>
    defineApp({
      name: 'shop',
      events,
      subscriptions: Array.from({ length: 4 }, (_, index) =>
        defineSubscription({ name: `s-${index}`, on, handle: () => {} }),
      ),
    })
  const old = await begun(stage, app([placed]))
  await stage.clock.advance(1_000)
  const young = await begun(stage, app([placed, paid]))
  await stage.clock.advance(10_000)
  for (let second = 0; second < 20; second++) {
    await stage.clock.advance(1_000)
    const consumers = (await stage.store.workers()).map((each) => each.consumers).sort()
    expect(consumers, `after ${second} s`).toEqual([0, 4])
  }
  await ended(stage, old, young)
})

test('an event that a newer version of a workflow waits for reaches it, whoever else still routes (I52)', async () => {
  const stage = new Stage(5)
  const waitingFor = (event: Wanted, number: number) =>
    workflow({
      ...{ name: 'waits', version: number, waitsFor: [event] },
      run: async (ctx) => (await ctx.waitFor(event, { key: 'k1' }))?.type,
    })
  const [first, second] = [waitingFor(placed, 1), waitingFor(paid, 2)]
  const old = await begun(stage, defineApp({ name: 'shop', events, workflows: [first] }))
  await stage.until(old.workflows.start(first, undefined, { id: 'old' }))
  await stage.clock.advance(1_000)
  const young = await begun(stage, defineApp({ name: 'shop', events, workflows: [first, second] }))
  await stage.until(young.workflows.start(second, undefined, { id: 'young' }))
  await stage.clock.advance(10_000)
  await stage.until(old.publish(paid, { n: 1 }))
  await stage.until(old.publish(placed, { n: 1 }))
  await stage.clock.advance(10_000)
  const ends = ['old', 'young'].map((id) => young.workflows.handle('waits', id).result())
  expect(await stage.until(Promise.all(ends))).toEqual(['orders.placed', 'orders.paid'])
  await ended(stage, old, young)
})

test.each([-1, 1.5, '7'])('build %s is refused with what to write', (build) => {
  expect(() => defineApp({ name: 'shop', events, build: build as number })).toThrow(
    /build is .*; write a whole number that grows with every deployment/,
  )
})
