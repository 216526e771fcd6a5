// Reconcilers: a planted orphan is found and mended, or told of, within five minutes.
import { defineApp, defineEvent, defineSubscription, TransientError } from 'eventspine'
import { publishing, scenario, sideEffects, waiting } from 'eventspine/testing'
import { orphanFound, reconciler, schedule } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const minute = 60_000

interface Payment {
  readonly id: string
  readonly cents: number
  readonly capturedAt: Date
}

/** A bank and a shop that should agree. */
function world() {
  const payments: Payment[] = []
  const orders = new Set<string>()
  const captured = defineEvent({
    type: 'payments.captured',
    schema: z.object({ id: z.string(), cents: z.number() }),
  })
  // The fault that is planted: it captures, and nobody writes the order down.
  const bank = defineSubscription({
    name: 'bank',
    on: captured,
    handle: ({ data, time }) => void payments.push({ ...data, capturedAt: new Date(time) }),
  })
  const find = ({ before }: { readonly before: Date }) =>
    payments
      .filter(({ id, capturedAt }) => !orders.has(id) && capturedAt < before)
      .map(({ id, cents }) => ({ id, cents }))
  return { payments, orders, captured, bank, find }
}

describe('a captured payment has an order (I53)', () => {
  test('or is given one within five minutes, once', async () => {
    const { captured, bank, find, orders } = world()
    const effects = sideEffects()
    const complete = reconciler({
      name: 'payments-have-orders',
      find,
      repair: ({ id, cents }) => {
        effects.record('order', { id, cents })
        orders.add(id)
      },
    })
    const app = defineApp({ name: 'shop', subscriptions: [bank], reconcilers: [complete] })
    await scenario(app, { sideEffects: effects })
      .when(publishing(captured, { id: 'pay-1', cents: 500 }), waiting(5 * minute))
      .then((seen) => {
        expect(seen.sideEffects.map(({ details }) => details)).toEqual([{ id: 'pay-1', cents: 500 }])
        expect(seen.deadLetters).toEqual([])
      })
  })

  test('is left alone while it may be under way', async () => {
    const { captured, bank, find } = world()
    const watch = reconciler({ name: 'payments-have-orders', find, graceMs: 10 * minute })
    await scenario(defineApp({ name: 'shop', subscriptions: [bank], reconcilers: [watch] }))
      .when(publishing(captured, { id: 'pay-1', cents: 500 }), waiting(5 * minute))
      .then((seen) => expect(seen.deadLetters).toEqual([]))
  })

  test('or a person is told, once in a while, as long as it lasts, and whoever listens', async () => {
    const { captured, bank, find } = world()
    const told: string[] = []
    const page = defineSubscription({
      name: 'page',
      on: orphanFound,
      handle: ({ data }) => void told.push(`${data.reconciler}: ${data.orphan.id}`),
    })
    const watch = reconciler({
      ...{ name: 'payments-have-orders', cron: '*/5 * * * *', find, graceMs: 0, againMs: 20 * minute },
    })
    await scenario(defineApp({ name: 'shop', subscriptions: [bank, page], reconcilers: [watch] }))
      .when(publishing(captured, { id: 'pay-1', cents: 500 }), waiting(8 * minute))
      .then((seen) => {
        expect(seen.deadLetters).toMatchObject([{ subscription: 'reconcile-payments-have-orders-repair' }])
        expect(seen.deadLetters[0]?.message).toContain('"pay-1" breaks the invariant "payments-have-orders"')
        expect(told).toEqual(['payments-have-orders: pay-1'])
      })
    told.length = 0
    await scenario(defineApp({ name: 'shop', subscriptions: [bank, page], reconcilers: [watch] }))
      .when(waiting(60 * minute))
      .then((seen) => {
        expect(told).toHaveLength(3)
        expect(seen.deadLetters).toHaveLength(3)
      })
  })

  test('a repair that fails is tried again', async () => {
    const { captured, bank, find, orders } = world()
    let tries = 0
    const complete = reconciler({
      name: 'payments-have-orders',
      find,
      repair: ({ id }) => {
        if (++tries < 3) throw new TransientError('the shop is away')
        orders.add(id)
      },
    })
    await scenario(defineApp({ name: 'shop', subscriptions: [bank], reconcilers: [complete] }))
      .when(publishing(captured, { id: 'pay-1', cents: 500 }), waiting(5 * minute))
      .then((seen) => {
        expect([...orders]).toEqual(['pay-1'])
        expect(tries).toBe(3)
        expect(seen.deadLetters).toEqual([])
      })
  })

  test('what cannot be told of does not hide the others', async () => {
    const cycle: { readonly id: string; own?: unknown } = { id: 'cycle' }
    cycle.own = cycle
    const odd = [
      { id: '' },
      { id: 7 },
      { id: {} },
      { id: 'x'.repeat(201) },
      { id: 'a\nb' },
      cycle,
      null,
      { id: 'good' },
      { id: 'good' },
    ]
    const repaired: string[] = []
    const messy = reconciler({
      name: 'messy',
      find: () => odd as never,
      repair: ({ id }) => void repaired.push(id),
    })
    await scenario(defineApp({ name: 'shop', reconcilers: [messy] }))
      .when(waiting(3 * minute))
      .then((seen) => {
        expect(repaired).toEqual(['7', 'good'])
        expect(seen.deadLetters).toEqual([])
      })
  })

  test('more than are told of at a look come with the next', async () => {
    const left = new Set(Array.from({ length: 1_500 }, (_, number) => `pay-${number}`))
    const many = reconciler({
      name: 'many',
      find: () => [...left].map((id) => ({ id })),
      repair: ({ id }) => void left.delete(id),
    })
    await scenario(defineApp({ name: 'shop', reconcilers: [many] }))
      .when(waiting(3 * minute))
      .then(() => expect(left.size).toBe(0))
  })

  test('one that is wrong is refused with what to write', () => {
    const wrong = (parts: object) => () =>
      defineApp({ name: 'shop', reconcilers: [reconciler({ name: 'r', find: () => [], ...parts })] })
    expect(wrong({ graceMs: -1 })).toThrow(/graceMs is -1; write milliseconds from 0/)
    expect(wrong({ cron: 'often' })).toThrow(/reconciler "r": cron "often" is no pattern/)
    expect(wrong({ find: undefined })).toThrow(/write find: async/)
    expect(wrong({ repair: 'it' })).toThrow(/repair must be a function/)
    expect(wrong({ tenant: 'a\0' })).toThrow(/tenant must be a text of 1 to 100 characters/)
    const both = { name: 'reconcile-r', cron: '* * * * *', event: orphanFound, data: () => ({}) as never }
    expect(() =>
      defineApp({
        name: 'shop',
        schedules: [schedule(both)],
        reconcilers: [reconciler({ name: 'r', find: () => [] })],
      }),
    ).toThrow(/schedule "reconcile-r" is defined twice/)
  })
})
