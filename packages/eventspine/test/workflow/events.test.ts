// Workflows that wait for events of the log: before their call, after it, among others, and not at all.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { publishing, scenario, starting, waiting } from 'eventspine/testing'
import { workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Stage } from './stage.js'

const day = 86_400_000
const only = <Item>(items: readonly Item[]): Item => {
  expect(items).toHaveLength(1)
  return items[0] as Item
}

const placed = defineEvent({
  type: 'orders.placed',
  schema: z.object({ order: z.string() }),
  key: ({ order }) => order,
})
const paid = defineEvent({
  type: 'orders.paid',
  schema: z.object({ order: z.string(), cents: z.number() }),
  key: ({ order }) => order,
})

const awaiting = workflow({
  name: 'awaiting',
  on: { event: placed, id: ({ data }) => data.order },
  waitsFor: [paid],
  run: async (ctx, { order }: { readonly order: string }) => {
    const event = await ctx.waitFor(paid, { key: order }, { timeoutMs: 3 * day })
    return event === undefined ? 'not paid' : { cents: event.data.cents, type: event.type }
  },
})
const app = defineApp({ name: 'shop', workflows: [awaiting] })

describe('waiting for an event', () => {
  test('goes on with the one that comes, under its key alone', async () => {
    await scenario(app)
      .when(
        publishing(placed, { order: 'a' }),
        publishing(placed, { order: 'b' }),
        waiting(day),
        publishing(paid, { order: 'b', cents: 5 }),
        publishing(paid, { order: 'b', cents: 6 }),
      )
      .then((seen) => {
        const outputs = Object.fromEntries(seen.workflows.map(({ id, output }) => [id, output]))
        expect(outputs).toEqual({ a: 'not paid', b: { cents: 5, type: 'orders.paid' } })
        expect(seen.deadLetters).toEqual([])
      })
  })

  test('takes one that was there before it asked, and none from before it was started', async () => {
    const late = workflow({
      name: 'late',
      on: { event: placed, id: ({ data }) => data.order },
      waitsFor: [paid],
      run: async (ctx, { order }: { readonly order: string }) => {
        await ctx.sleep(day)
        return (await ctx.waitFor(paid, { key: order }, { timeoutMs: day }))?.data.cents
      },
    })
    await scenario(defineApp({ name: 'shop', workflows: [late] }))
      .given(publishing(paid, { order: 'a', cents: 1 }))
      .when(publishing(placed, { order: 'a' }), publishing(paid, { order: 'a', cents: 2 }))
      .then((seen) => expect(only(seen.workflows).output).toBe(2))
  })

  test('answers one call of an instance, in the order in which they came', async () => {
    const twice = workflow({
      name: 'twice',
      waitsFor: [paid],
      run: async (ctx) => {
        const [first, second] = await ctx.all([
          (own) => own.waitFor(paid, { key: 'a' }),
          (own) => own.waitFor(paid, { key: 'a' }),
        ])
        const third = await ctx.waitFor(paid, { key: 'a' }, { timeoutMs: day })
        return [first?.data.cents, second?.data.cents, third ?? null]
      },
    })
    await scenario(defineApp({ name: 'shop', workflows: [twice] }))
      .when(
        starting(twice, undefined),
        publishing(paid, { order: 'a', cents: 1 }),
        publishing(paid, { order: 'a', cents: 2 }),
      )
      .then((seen) => expect(only(seen.workflows).output).toEqual([1, 2, null]))
  })

  test('passes over those that do not fit', async () => {
    const picky = workflow({
      name: 'picky',
      waitsFor: [paid],
      run: async (ctx) => {
        const large = await ctx.waitFor(paid, { key: 'a', where: ({ data }) => data.cents > 100 })
        const small = await ctx.waitFor(paid, { key: 'a', where: ({ data }) => data.cents < 100 })
        return [large?.data.cents, small?.data.cents]
      },
    })
    await scenario(defineApp({ name: 'shop', workflows: [picky] }))
      .when(
        starting(picky, undefined),
        waiting(day),
        publishing(paid, { order: 'a', cents: 5 }),
        waiting(day),
        publishing(paid, { order: 'a', cents: 500 }),
      )
      .then((seen) => expect(only(seen.workflows).output).toEqual([500, 5]))
  })

  test('a branch that lost its race takes nothing', async () => {
    const racing = workflow({
      name: 'racing',
      waitsFor: [paid],
      run: async (ctx) => {
        const first = await ctx.race<unknown>([
          async (own) => (await own.waitFor(paid, { key: 'a' }))?.data.cents,
          async (own) => {
            await own.sleep(day)
            return 'slept'
          },
        ])
        const then = await ctx.waitFor(paid, { key: 'a' })
        return [first, then?.data.cents]
      },
    })
    await scenario(defineApp({ name: 'shop', workflows: [racing] }))
      .when(starting(racing, undefined), waiting(2 * day), publishing(paid, { order: 'a', cents: 7 }))
      .then((seen) => expect(only(seen.workflows).output).toEqual(['slept', 7]))
  })

  test('stands still while nothing comes, and does not hinder other subscribers', async () => {
    const heard: number[] = []
    const books = defineSubscription({
      name: 'books',
      on: paid,
      handle: ({ data }) => void heard.push(data.cents),
    })
    const patient = workflow({
      name: 'patient',
      waitsFor: [paid],
      run: (ctx) => ctx.waitFor(paid, { key: 'mine' }),
    })
    await scenario(defineApp({ name: 'shop', workflows: [patient], subscriptions: [books] }))
      .when(starting(patient, undefined), publishing(paid, { order: 'other', cents: 3 }))
      .then((seen) => {
        expect(only(seen.workflows)).toMatchObject({ state: 'running', attention: null })
        expect(heard).toEqual([3])
      })
  })

  test('a filter that throws waits for a person', async () => {
    const broken = workflow({
      name: 'broken',
      waitsFor: [paid],
      run: (ctx) =>
        ctx.waitFor(paid, {
          key: 'a',
          where: () => {
            throw new Error('no such field')
          },
        }),
    })
    await scenario(defineApp({ name: 'shop', workflows: [broken] }))
      .when(starting(broken, undefined), publishing(paid, { order: 'a', cents: 1 }))
      .then((seen) => {
        expect(only(seen.workflows)).toMatchObject({ state: 'running' })
        expect(only(seen.workflows).attention?.message).toContain('no such field')
      })
  })

  test('a filter that answers a promise waits for other code: a promise is true, whatever it comes to', async () => {
    const broken = workflow({
      name: 'broken',
      waitsFor: [paid],
      run: (ctx) => ctx.waitFor(paid, { key: 'a', where: (async () => false) as never }),
    })
    await scenario(defineApp({ name: 'shop', workflows: [broken] }))
      .when(starting(broken, undefined), publishing(paid, { order: 'a', cents: 1 }))
      .then((seen) => {
        expect(only(seen.workflows)).toMatchObject({ state: 'running' })
        expect(only(seen.workflows).attention?.message).toContain('answers a promise')
      })
  })

  test('one that is newer than the process waits for a process that knows it', async () => {
    const next = defineEvent({
      type: 'orders.paid',
      version: 2,
      schema: z.object({ order: z.string(), euros: z.number() }),
      key: ({ order }) => order,
      upcast: { 1: ({ order, cents }) => ({ order, euros: cents / 100 }) },
    })
    const waits = (event: typeof paid | typeof next) =>
      workflow({
        name: 'waits',
        waitsFor: [event],
        run: async (ctx) => (await ctx.waitFor(event, { key: 'a' }))?.data,
      })
    const [older, newer] = [waits(paid), waits(next)]
    const stage = new Stage(1)
    const before = stage.spine(defineApp({ name: 'shop', workflows: [older] }))
    const after = defineApp({ name: 'shop', events: [next], workflows: [newer] })
    const publisher = stage.spine(after, stage.store, { work: false })
    await stage.until(before.start())
    await stage.until(publisher.start())
    await stage.until(before.workflows.start(older, undefined, { id: 'w' }))
    await stage.clock.advance(1_000)
    await stage.until(publisher.publish(next, { order: 'a', euros: 3 }))
    await stage.clock.advance(300_000)
    const shown = await stage.until(before.workflows.show(older, 'w'))
    expect(shown).toMatchObject({ state: 'running', attention: null })
    await stage.until(before.stop())
    const worker = stage.spine(after)
    await stage.until(worker.start())
    expect(await stage.until(worker.workflows.handle(newer, 'w').result({ timeoutMs: 120_000 }))).toEqual({
      order: 'a',
      euros: 3,
    })
    await stage.until(worker.stop())
    await stage.until(publisher.stop())
  })

  test('what is not listed, or has no key, is refused', async () => {
    const unlisted = workflow({ name: 'unlisted', run: (ctx) => ctx.waitFor(paid, { key: 'a' }) })
    await scenario(defineApp({ name: 'shop', workflows: [unlisted] }))
      .when(starting(unlisted, undefined))
      .then((seen) => expect(only(seen.workflows).attention?.message).toContain('waitsFor: [orders.paid]'))
    const keyless = defineEvent({ type: 'orders.seen', schema: z.object({}) })
    const wrong = workflow({ name: 'wrong', waitsFor: [keyless], run: async () => {} })
    expect(() => defineApp({ name: 'shop', workflows: [wrong] })).toThrow(
      /waits for "orders.seen", which has no key/,
    )
  })
})
