// Types flow from an event's definition to its handler with no annotation. Most of this file is judged by the compiler:
// each `@ts-expect-error` fails the type check when the line below it is accepted.
import {
  defineApp,
  defineEvent,
  defineSubscription,
  type Event,
  type EventOf,
  type Eventspine,
  type HandlerContext,
  type InputOf,
  type Transaction,
  type TransactionContext,
} from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const placed = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ n: z.int(), at: z.coerce.date<string | Date>(), note: z.string().default('') }),
  key: (data) => {
    expectTypeOf(data).toEqualTypeOf<{ n: number; at: Date; note: string }>()
    return String(data.n)
  },
})
const shipped = defineEvent({
  type: 'orders.order-shipped',
  schema: z.object({ parcel: z.string(), lines: z.array(z.object({ sku: z.string() })) }),
})

it('gives a handler the output type of the one event that it takes', () => {
  const { on } = defineSubscription({
    name: 'reserve',
    on: placed,
    handle: (event, context) => {
      expectTypeOf(event.type).toEqualTypeOf<'orders.order-placed'>()
      expectTypeOf(event.data).toEqualTypeOf<{ n: number; at: Date; note: string }>()
      expectTypeOf(context).toEqualTypeOf<HandlerContext>()
      // @ts-expect-error an event is a fact
      event.data = { n: 1, at: new Date(), note: '' }
      // @ts-expect-error no such field
      void event.data.missing
    },
  })
  expect(on).toEqual([placed])
})

it('tells several events apart by their type', () => {
  const { on } = defineSubscription({
    name: 'reserve',
    on: [placed, shipped],
    handle: (event) => {
      // @ts-expect-error not before the type is known
      void event.data.parcel
      if (event.type === 'orders.order-placed') expectTypeOf(event.data.at).toEqualTypeOf<Date>()
      else expectTypeOf(event.data.parcel).toEqualTypeOf<string>()
    },
  })
  expect(on).toEqual([placed, shipped])
})

it('knows nothing of the data behind a pattern', () => {
  const { on } = defineSubscription({
    name: 'chart',
    on: 'orders.*',
    handle: (event) => {
      expectTypeOf(event).toEqualTypeOf<Event>()
      expectTypeOf(event.data).toBeUnknown()
    },
  })
  expect(on).toEqual(['orders.*'])
  expectTypeOf<EventOf<readonly [typeof placed, 'orders.*']>['data']>().toBeUnknown()
})

it('gives tx to transact alone, and takes one of both', () => {
  defineSubscription({
    name: 'ledger',
    on: placed,
    transact: async (event, context) => {
      expectTypeOf(event.data.n).toBeNumber()
      expectTypeOf(context.tx).toEqualTypeOf<Transaction>()
      const { rows } = await context.tx.query<{ n: number }>('SELECT 1 AS n')
      expectTypeOf(rows).toEqualTypeOf<{ n: number }[]>()
    },
  })
  defineSubscription({
    name: 'mail',
    on: placed,
    handle: (_event, context) => {
      // @ts-expect-error a plain handler may run twice, and has no transaction
      void context.tx
    },
  })
  defineSubscription({
    name: 'chart',
    on: [placed, shipped],
    transactMany: async (deliveries, { tx, signal }) => {
      expectTypeOf(tx).toEqualTypeOf<Transaction>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      for (const { event, context } of deliveries) {
        if (event.type === 'orders.order-placed') expectTypeOf(event.data.at).toEqualTypeOf<Date>()
        expectTypeOf(context).toEqualTypeOf<TransactionContext>()
      }
      // @ts-expect-error what is published has one cause, which its delivery knows
      void tx.publish
    },
  })
  // @ts-expect-error one of all, not two
  const two = defineSubscription({ name: 'two', on: placed, transact: () => {}, transactMany: () => {} })
  // @ts-expect-error one of both, not both
  const both = defineSubscription({ name: 'both', on: placed, handle: () => {}, transact: () => {} })
  // @ts-expect-error and not none
  const none = defineSubscription({ name: 'none', on: placed })
  // @ts-expect-error a typing error in an option
  const typing = defineSubscription({ name: 'typing', on: placed, handle: () => {}, concurency: 3 })
  for (const wrong of [two, both, none, typing])
    expect(() => defineApp({ name: 'orders', subscriptions: [wrong] })).toThrow(/has a fault/)
})

it('takes the input type where events are published', () => {
  type Input = InputOf<typeof placed>
  expectTypeOf<Input>().toEqualTypeOf<{ n: number; at: string | Date; note?: string | undefined }>()
  // Never called: only its types are looked at.
  const samples = (spine: Eventspine, tx: object, context: HandlerContext) => {
    void spine.publish(placed, { n: 1, at: '2026-01-01' })
    void spine.publish(placed, { n: 1, at: new Date() }, { id: 'o-1', time: new Date() })
    void spine.publish(tx, placed, { n: 1, at: new Date(), note: 'x' }, { tenant: 'acme' })
    void context.publish(shipped, { parcel: 'p', lines: [] })
    const fixed = { parcel: 'p', lines: [{ sku: 'a' }] } as const
    // @ts-expect-error zod's lists are mutable, and so is its input: readonly data needs z.array(…).readonly()
    void spine.publish(shipped, fixed)
    const single = { n: 1, at: '2026-01-01' } as const
    void spine.publish(placed, single)
    // @ts-expect-error the wrong type
    void spine.publish(placed, { n: 'one', at: '2026-01-01' })
    // @ts-expect-error a field is missing
    void spine.publish(placed, { n: 1 })
    // @ts-expect-error data of another event
    void spine.publish(placed, { parcel: 'p', lines: [] })
    // @ts-expect-error the wrong type, in a handler
    void context.publish(shipped, { parcel: 1, lines: [] })
    // @ts-expect-error no such option
    void spine.publish(placed, { n: 1, at: '' }, { key: 7 })
    // @ts-expect-error an option with a typing error
    void spine.publish(placed, { n: 1, at: '' }, { tennant: 'acme' })
    // @ts-expect-error the tenant of a handler's events is its own event's
    void context.publish(shipped, { parcel: 'p', lines: [] }, { tenant: 'other' })
    // @ts-expect-error in a transaction too
    void spine.publish(tx, placed, { n: 'one', at: '' })
  }
  expect(samples).toBeTypeOf('function')
})

it('takes readonly data where the schema says so', () => {
  const sealed = defineEvent({
    type: 'orders.sealed',
    schema: z.object({ lines: z.array(z.string()).readonly() }).readonly(),
  })
  const samples = (spine: Eventspine) => spine.publish(sealed, { lines: ['a'] } as const)
  expect(samples).toBeTypeOf('function')
  expectTypeOf<EventOf<typeof sealed>['data']>().toEqualTypeOf<Readonly<{ lines: readonly string[] }>>()
})

it('gives a workflow the data of the event that starts it, or what its input or schema says', () => {
  const started = workflow({
    name: 'started',
    on: { event: placed, id: ({ data }) => String(data.n) },
    run: async (ctx, order) => {
      expectTypeOf(order).toEqualTypeOf<{ n: number; at: Date; note: string }>()
      return ctx.step('n', () => order.n)
    },
  })
  expectTypeOf(started.run).returns.resolves.toEqualTypeOf<number>()
  workflow({
    name: 'taken',
    on: { event: placed, id: () => '1', input: ({ data }) => data.note },
    run: async (_, note) => expectTypeOf(note).toEqualTypeOf<string>(),
  })
  workflow({
    name: 'called',
    input: z.object({ n: z.int() }),
    run: async (_, input) => expectTypeOf(input).toEqualTypeOf<{ n: number }>(),
  })
  expect(started.name).toBe('started')
})
