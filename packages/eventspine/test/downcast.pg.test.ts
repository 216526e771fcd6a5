// A subscription that reads an older version than the newest of its app: whatever is stored comes as it knows it.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running } from './support.js'

const type = 'orders.placed'
const v1 = defineEvent({ type, schema: z.object({ cents: z.int() }) })
const v2 = defineEvent({
  ...{ type, version: 2, schema: z.object({ amount: z.number() }) },
  upcast: { 1: ({ cents }: { cents: number }) => ({ amount: cents / 100 }) },
})
const v3 = defineEvent({
  ...{ type, version: 3, schema: z.object({ amount: z.number(), currency: z.string() }) },
  upcast: {
    1: ({ cents }: { cents: number }) => ({ amount: cents / 100 }),
    2: ({ amount }: { amount: number }) => ({ amount, currency: 'EUR' }),
  },
  downcast: {
    3: ({ amount }: { amount: number }) => ({ amount }),
    2: ({ amount }: { amount: number }) => ({ cents: Math.round(amount * 100) }),
  },
})

it('gives each subscription the version that it names', async () => {
  const seen: Record<string, unknown[]> = { oldest: [], middle: [], newest: [] }
  const taking = (name: string, on: typeof v1 | typeof v2 | typeof v3) =>
    defineSubscription({ name, on, handle: ({ data }) => void seen[name]?.push(data) })
  const app = defineApp({
    name: 'shop',
    events: [v1, v2, v3],
    subscriptions: [taking('oldest', v1), taking('middle', v2), taking('newest', v3)],
  })
  const spine = await running(app, freshSchema())
  await spine.ingest({ type, version: 1, data: { cents: 250 } })
  await spine.ingest({ type, version: 2, data: { amount: 3 } })
  await spine.publish(v3, { amount: 4, currency: 'USD' })
  await quiet(spine)
  expect(seen).toEqual({
    oldest: [{ cents: 250 }, { cents: 300 }, { cents: 400 }],
    middle: [{ amount: 2.5 }, { amount: 3 }, { amount: 4 }],
    newest: [
      { amount: 2.5, currency: 'EUR' },
      { amount: 3, currency: 'EUR' },
      { amount: 4, currency: 'USD' },
    ],
  })
})

it('makes a dead letter of what the older schema refuses, which says so', async () => {
  const small = defineEvent({ type, schema: z.object({ cents: z.int().max(1_000) }) })
  const app = defineApp({
    name: 'shop',
    events: [v3],
    subscriptions: [defineSubscription({ name: 'oldest', on: small, handle: () => {} })],
  })
  const spine = await running(app, freshSchema())
  await spine.publish(v3, { amount: 11, currency: 'USD' })
  await quiet(spine)
  const { items } = await spine.operator().deadLetters()
  expect(items[0]?.failure).toMatchObject({
    category: 'validation',
    message: expect.stringMatching(/version 3, downcast to version 1, does not fit/),
  })
})

it('refuses an app that has no way down', () => {
  const subscriptions = [defineSubscription({ name: 'oldest', on: v1, handle: () => {} })]
  expect(() => defineApp({ name: 'shop', events: [v2], subscriptions })).toThrow(
    /reads version 1 of "orders.placed", and the app defines version 2.*add downcast: \{ 2: \(v2\) => v1 \} to version 2/,
  )
  const lost = defineEvent({
    type,
    version: 3,
    schema: z.object({}),
    downcast: { 2: () => ({}), 4: () => ({}) },
  })
  expect(() => defineApp({ name: 'shop', events: [lost] })).toThrow(
    /downcast 2 is never reached; add 3[\s\S]*downcast 4 leads nowhere/,
  )
})
