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
    // Two take what it came of.
    ['event:billing.paid', 'event:billing.counted'],
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
