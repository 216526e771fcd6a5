// Versions, patterns and starting points: each event reaches who asked for it, in the form that they know.
import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, defineEvent, defineSubscription, retries } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, until } from '../support.js'

const type = 'shop.priced'
const v1 = defineEvent({ type, schema: z.object({ cents: z.number() }) })
const v2 = defineEvent({
  type,
  version: 2,
  schema: z.object({ amount: z.number() }),
  upcast: { 1: (old: { cents: number }) => ({ amount: old.cents / 100 }) },
})
const v3 = defineEvent({
  type,
  version: 3,
  schema: z.object({ amount: z.number(), currency: z.string() }),
  upcast: { ...v2.upcast, 2: (old: { amount: number }) => ({ ...old, currency: 'EUR' }) },
})
const told = defineEvent({ type: 'tests.told', schema: z.object({ n: z.number() }) })

it('brings old versions up to the newest, and says clearly when an event is newer than the app', async () => {
  const schema = freshSchema()
  const seen: unknown[] = []
  const price = defineSubscription({
    name: 'price',
    on: v3,
    start: 'beginning',
    handle: ({ data }) => void seen.push(data),
  })
  const old = await running(defineApp({ name: 'shop', events: [v1, v2] }), schema)
  await old.ingest({ type, version: 1, data: { cents: 250 } })
  await old.ingest({ type, version: 2, data: { amount: 3 } })
  const spine = await running(defineApp({ name: 'shop', subscriptions: [price] }), schema)
  await spine.publish(v3, { amount: 4, currency: 'USD' })
  await quiet(spine)
  expect(seen).toEqual([
    { amount: 2.5, currency: 'EUR' },
    { amount: 3, currency: 'EUR' },
    { amount: 4, currency: 'USD' },
  ])
  await spine.stop()

  const waits = defineSubscription({ name: 'waits', on: v1, start: 'beginning', handle: () => {} })
  const behind = defineSubscription({
    name: 'behind',
    on: v1,
    start: 'beginning',
    retry: retries.none(),
    handle: () => {},
  })
  const older = await running(defineApp({ name: 'shop', subscriptions: [behind, waits] }), schema)
  // It waits for a worker that knows the version, also where nothing is ever retried: a rolling deployment loses nothing.
  await until(async () => {
    const views = await older.operator().subscriptions()
    return ['waits', 'behind'].every((name) =>
      views.some((each) => each.name === name && each.retrying === 2 && each.lagEvents === 0),
    )
  })
  expect((await older.operator().deadLetters()).items).toEqual([])
  const { items } = await older.operator().events({ order: 'oldest' })
  const details = await older.operator().event(items[1]?.id as string)
  const waiting = details?.deliveries.find(({ subscription }) => subscription === 'behind')
  expect(waiting).toMatchObject({ state: 'retry', failure: { category: 'unknown' } })
  expect(waiting?.failure?.message).toMatch(/newer than version 1.*deploy its definition/)
})

it('gives a pattern everything that it matches, and a filter what it lets through', async () => {
  const all: string[] = []
  const big: number[] = []
  const partners: number[] = []
  const app = defineApp({
    name: 'shop',
    events: [v1, told],
    subscriptions: [
      defineSubscription({ name: 'all', on: '*', handle: (event) => void all.push(event.type) }),
      defineSubscription({
        name: 'big',
        on: 'tests.*',
        filter: { data: { n: [{ numeric: ['>=', 5] }] }, tenant: ['acme'] },
        handle: (event) => void big.push((event.data as { n: number }).n),
      }),
      defineSubscription({
        ...{ name: 'partners', on: told, filter: { extensions: { partner: [{ prefix: 'north' }] } } },
        handle: ({ data }) => void partners.push(data.n),
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  for (let n = 0; n < 10; n++) {
    const extensions = { partner: n === 3 ? 'north-sea' : 'south' }
    await spine.publish(told, { n }, { tenant: n % 2 === 0 ? 'acme' : 'globex', extensions })
  }
  await spine.publish(v1, { cents: 1 })
  await quiet(spine)
  expect(all).toHaveLength(11)
  expect(big.sort()).toEqual([6, 8])
  expect(partners).toEqual([3])
  const { subscriptions } = await spine.operator().doctor()
  expect(subscriptions.map(({ name, matched }) => [name, matched])).toEqual([
    ['all', 11],
    ['big', 2],
    ['partners', 1],
  ])
})

it('begins now, at a moment, or at the beginning (I13)', async () => {
  const schema = freshSchema()
  const first = await running(defineApp({ name: 'shop', events: [told] }), schema)
  for (let n = 0; n < 3; n++) await first.publish(told, { n })
  await delay(30)
  const middle = new Date()
  await delay(30)
  for (let n = 3; n < 6; n++) await first.publish(told, { n })
  await first.stop()
  const seen: Record<string, number[]> = { now: [], middle: [], beginning: [] }
  const starts = { now: 'now', middle, beginning: 'beginning' } as const
  const subscriptions = Object.entries(starts).map(([name, start]) =>
    defineSubscription({ name, on: told, start, handle: ({ data }) => void seen[name]?.push(data.n) }),
  )
  const spine = await running(defineApp({ name: 'shop', subscriptions }), schema)
  await spine.publish(told, { n: 6 })
  await quiet(spine)
  expect(seen['now']).toEqual([6])
  expect(seen['middle']?.sort()).toEqual([3, 4, 5, 6])
  expect(seen['beginning']?.sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
})

it('hides the claim check from handlers: a large body arrives whole, also one that a handler published', async () => {
  const text = 'é'.repeat(50_000)
  const large = defineEvent({ type: 'tests.large', schema: z.object({ text: z.string() }) })
  const seen: unknown[] = []
  const app = defineApp({
    name: 'shop',
    subscriptions: [
      defineSubscription({
        name: 'echo',
        on: told,
        handle: async (_, context) => void (await context.publish(large, { text })),
      }),
      defineSubscription({ name: 'read', on: large, handle: ({ data }) => void seen.push(data) }),
    ],
  })
  const spine = await running(app, freshSchema())
  await spine.publish(large, { text })
  await spine.publish(told, { n: 1 })
  await quiet(spine)
  expect(seen).toEqual([{ text }, { text }])
  const { items } = await spine.operator().events({ type: 'tests.large' })
  expect(items.map(({ data }) => data)).toEqual([{ text }, { text }])
})
