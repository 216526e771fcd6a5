// The map: what is defined, what was seen, and what is both.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { schedule, workflow } from 'eventspine/workflow'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, until } from './support.js'

const schema = z.object({ order: z.string() })
const told = (type: string, version = 1) => defineEvent({ type, version, schema })
const placedV1 = told('orders.placed')
const placed = defineEvent({
  type: 'orders.placed',
  version: 2,
  schema,
  upcast: { 1: (old: { order: string }) => old },
})
const paid = told('billing.paid')
const counted = told('billing.counted')
const shipped = told('shipping.shipped')
const unused = told('orders.unused')

const app = defineApp({
  name: 'orders',
  events: [placedV1, placed, paid, counted, shipped, unused],
  subscriptions: [
    defineSubscription({ name: 'pay', on: placed, handle: ({ data }, { publish }) => publish(paid, data) }),
    defineSubscription({
      name: 'count',
      on: 'billing.paid',
      handle: ({ data }, { publish }) => publish(counted, data as { order: string }),
    }),
    defineSubscription({ name: 'file', on: 'billing.*', handle: () => {} }),
    defineSubscription({ name: 'never', on: unused, handle: () => {} }),
  ],
  workflows: [
    workflow({
      name: 'ship',
      on: { event: paid, id: ({ data }) => data.order },
      run: (ctx, data: { order: string }) => ctx.publish(shipped, data),
    }),
  ],
  schedules: [schedule({ name: 'yearly', cron: '0 0 1 1 *', event: unused, data: () => ({ order: 'x' }) })],
})

it('has nodes and edges from the definitions, and marks what the log shows', async () => {
  const spine = await running(app, freshSchema())
  await spine.publish(placed, { order: 'o-1' }, { source: '/shop' })
  await until(async () => (await spine.operator().events({ type: shipped.type })).items.length === 1)
  await quiet(spine)
  const { nodes, edges, sample } = await spine.operator().map()
  const node = (id: string) => nodes.find((each) => each.id === id)
  const edge = (from: string, to: string) => edges.find((each) => each.from === from && each.to === to)
  expect(nodes.map(({ id }) => id).sort()).toEqual([
    ...['event:billing.counted', 'event:billing.paid', 'event:orders.placed', 'event:orders.unused'],
    ...[
      'event:shipping.shipped',
      'schedule:yearly',
      'source:/shop',
      'subscription:count',
      'subscription:file',
    ],
    ...['subscription:never', 'subscription:pay', 'workflow:ship'],
  ])
  expect(node('event:orders.placed')).toMatchObject({
    ...{
      kind: 'event',
      name: 'orders.placed',
      context: 'orders',
      versions: [1, 2],
      declared: true,
      seen: true,
    },
  })
  expect(node('source:/shop')).toMatchObject({ declared: false, seen: true })
  expect(node('event:orders.unused')).toMatchObject({ declared: true, seen: false })
  // Declared and seen.
  expect(edge('event:orders.placed', 'subscription:pay')).toMatchObject({
    ...{ declared: true, seen: true, dead: 0, lagSeconds: expect.any(Number) },
  })
  expect(edge('event:billing.paid', 'workflow:ship')).toMatchObject({ declared: true, seen: true })
  // Declared, and not seen.
  expect(edge('event:orders.unused', 'subscription:never')).toMatchObject({
    declared: true,
    seen: false,
    perSecond: 0,
  })
  expect(edge('schedule:yearly', 'event:orders.unused')).toMatchObject({ declared: true, seen: false })
  // Seen, where nobody declares anything.
  for (const [from, to] of [
    ['source:/shop', 'event:orders.placed'],
    ['subscription:pay', 'event:billing.paid'],
    ['workflow:ship', 'event:shipping.shipped'],
    // Two take what it came of, and one of them published it.
    ['subscription:count', 'event:billing.counted'],
  ] as const) {
    expect(edge(from, to)).toMatchObject({ declared: null, seen: true, lagSeconds: null, dead: null })
    expect(edge(from, to)?.perSecond).toBeGreaterThan(0)
  }
  expect(edges.every(({ from, to }) => node(from) !== undefined && node(to) !== undefined)).toBe(true)
  // With what moves the workflow.
  expect(sample.events).toBeGreaterThanOrEqual(4)
  expect(sample.fromMs).toBeLessThanOrEqual(sample.toMs)
})

it('is drawn from an empty log, too', async () => {
  const spine = await running(app, freshSchema(), { work: false })
  const { nodes, edges, sample } = await spine.operator().map()
  expect(sample).toMatchObject({ events: 0, fromMs: null })
  expect([...nodes, ...edges].some(({ seen }) => seen)).toBe(false)
  expect(edges.length).toBeGreaterThan(5)
})

// A ward beside the shop: it takes what the shop tells, and writes more than anybody looks at.
const reading = defineEvent({ type: 'ward.reading', schema: z.object({ bed: z.number() }) })
const alarm = defineEvent({ type: 'ward.alarm', schema: z.object({ bed: z.number() }) })
const ward = defineApp({
  name: 'ward',
  events: [alarm, placedV1, placed],
  subscriptions: [
    defineSubscription({
      name: 'qualify',
      on: reading,
      handle: ({ data }, { publish }) => (data.bed === 0 ? publish(alarm, data) : undefined),
    }),
    defineSubscription({ name: 'watch', on: 'orders.*', handle: () => {} }),
    // Of a part of the shop it has the name only.
    defineSubscription({ name: 'workflow-ship-watch', on: paid, handle: () => {} }),
  ],
  workflows: [
    workflow({
      name: 'visit',
      on: { event: alarm, id: ({ data }) => `v-${data.bed}` },
      run: async () => undefined,
    }),
  ],
  schedules: [schedule({ name: 'round', cron: '0 0 1 1 *', event: alarm, data: () => ({ bed: 1 }) })],
})

it('has what other apps define on the same log, under their names', async () => {
  const schema = freshSchema()
  const own = await running(app, schema)
  await running(ward, schema)
  const { nodes, edges } = await own.operator().map()
  const node = (id: string) => nodes.find((each) => each.id === id)
  const ways = edges.map(({ from, to, declared }) => `${from} ${to} ${declared}`)
  for (const id of [
    'subscription:qualify',
    'subscription:watch',
    'subscription:workflow-ship-watch',
    'workflow:visit',
    'schedule:round',
  ])
    expect(node(id)).toMatchObject({ app: 'ward', declared: true })
  expect(node('event:ward.alarm')).toMatchObject({ app: null, declared: true, context: 'ward' })
  expect(node('subscription:pay')).toMatchObject({ app: 'orders' })
  expect(nodes.filter(({ id }) => /^subscription:(schedule-|workflow-visit)/.test(id))).toEqual([])
  expect(ways).toContain('event:ward.reading subscription:qualify true')
  expect(ways).toContain('event:orders.placed subscription:watch true')
  expect(ways).toContain('event:ward.alarm workflow:visit true')
  // The other way round alike.
  const theirs = await running(ward, schema, { work: false })
  expect((await theirs.operator().map()).nodes).toContainEqual(
    expect.objectContaining({ id: 'workflow:ship', app: 'orders', declared: true }),
  )
})

it('sees what is rare, however much another app writes', async () => {
  const schema = freshSchema()
  const own = await running(app, schema)
  const other = await running(ward, schema)
  await own.publish(placed, { order: 'o-1' }, { source: '/shop' })
  await other.publish(reading, { bed: 0 })
  await until(async () => (await own.operator().events({ type: shipped.type })).items.length === 1)
  await until(async () => (await own.operator().events({ type: alarm.type })).items.length === 1)
  for (let batch = 0; batch < 3; batch++)
    await other.publishMany(Array.from({ length: 500 }, () => ({ event: reading, data: { bed: 1 } })))
  const { edges, sample } = await own.operator().map()
  const edge = (from: string, to: string) => edges.find((each) => each.from === from && each.to === to)
  expect(sample).toMatchObject({ events: 1_000, typeEventsMax: 20, typesLeft: 0 })
  for (const [from, to] of [
    ['event:orders.placed', 'subscription:pay'],
    ['source:/shop', 'event:orders.placed'],
    ['subscription:pay', 'event:billing.paid'],
    ['workflow:ship', 'event:shipping.shipped'],
    // Its cause is one of those that nobody looks at any more.
    ['subscription:qualify', 'event:ward.alarm'],
  ] as const) {
    expect([from, to, edge(from, to)?.seen]).toEqual([from, to, true])
    expect(edge(from, to)?.perSecond).toBeGreaterThan(0)
  }
  expect(edge('event:orders.unused', 'subscription:never')).toMatchObject({ seen: false, perSecond: 0 })
})

const calling = defineApp({
  name: 'calling',
  events: [placed, paid],
  subscriptions: [
    defineSubscription({
      name: 'charge',
      on: placed,
      breaker: { name: 'payments', failures: 5, cooldownMs: 1_000 },
      handle: () => {},
    }),
    defineSubscription({ name: 'both', on: ['orders.placed', 'billing.paid'], handle: () => {} }),
  ],
})

it('says what holds a part back, and which subscriptions a way leads to', async () => {
  const spine = await running(calling, freshSchema())
  const standing = async () => {
    const { nodes } = await spine.operator().map()
    return nodes
      .filter(({ kind }) => kind === 'subscription')
      .map(({ name, paused, openBreakers }) => ({ name, paused, openBreakers }))
  }
  const well = { paused: [], openBreakers: [] }
  expect(await standing()).toEqual([
    { name: 'charge', ...well },
    { name: 'both', ...well },
  ])
  await spine.operator().pause('both', 'ada')
  await spine.operator().setBreaker({ name: 'payments', tenant: 'acme' }, 'open', 'ada')
  expect(await standing()).toEqual([
    { name: 'charge', paused: [], openBreakers: ['payments'] },
    { name: 'both', paused: ['both'], openBreakers: [] },
  ])
  await spine.operator().setBreaker({ name: 'payments', tenant: 'acme' }, 'closed', 'ada')
  expect((await standing())[0]).toEqual({ name: 'charge', ...well })
  const { edges } = await spine.operator().map()
  expect(edges.map(({ from, subscriptions }) => [from, ...subscriptions])).toEqual([
    ['event:orders.placed', 'charge'],
    ['event:orders.placed', 'both'],
    ['event:billing.paid', 'both'],
  ])
})
