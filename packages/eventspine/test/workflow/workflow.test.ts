// Workflows on the testing kit: the real engine over the store in memory, in virtual time.
import { defineApp, defineEvent, defineSubscription, PermanentError } from 'eventspine'
import {
  approving,
  publishing,
  scenario,
  sideEffects,
  signalling,
  starting,
  waiting,
} from 'eventspine/testing'
import { StepError, workflow, workflowOverdue } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { doing } from './happenings.js'
import { shop } from './orders.js'
import { Stage } from './stage.js'

const day = 86_400_000
const only = <Item>(items: readonly Item[]): Item => {
  expect(items).toHaveLength(1)
  return items[0] as Item
}

describe('steps', () => {
  test('run in order, once, and what they answer is the answer', async () => {
    const { checkout, effects } = shop()
    const app = defineApp({ name: 'shop', workflows: [checkout] })
    await scenario(app, { sideEffects: effects })
      .when(starting(checkout, { order: 'a' }, { id: 'a' }))
      .then((seen) => {
        expect(only(seen.workflows)).toMatchObject({
          state: 'completed',
          output: ['reserve of a', 'charge of a', 'ship of a'],
        })
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['reserve', 'charge', 'ship'])
      })
  })

  test('a passing fault is tried again and nothing else is', async () => {
    const { checkout, effects } = shop()
    await scenario(defineApp({ name: 'shop', workflows: [checkout] }), { sideEffects: effects })
      .when(starting(checkout, { order: 'a', fails: 'charge', times: 3 }))
      .then((seen) => {
        expect(only(seen.workflows).state).toBe('completed')
        const names = seen.sideEffects.map(({ name }) => name)
        expect(names).toEqual(['reserve', 'charge', 'charge', 'charge', 'charge', 'ship'])
      })
  })

  test('a step that is given up can be caught, and says which', async () => {
    const caught = workflow({
      name: 'caught',
      run: async (ctx) => {
        try {
          await ctx.step('refuse', () => {
            throw new PermanentError('never')
          })
        } catch (error) {
          return error instanceof StepError ? [error.step, error.category, error.message] : error
        }
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [caught] }))
      .when(starting(caught, undefined))
      .then((seen) =>
        expect(only(seen.workflows).output).toEqual(['refuse', 'permanent', 'Step "refuse" failed: never']),
      )
  })

  test.each([
    ['a function', () => () => 1],
    [
      'a cycle',
      () => {
        const own: { own?: object } = {}
        own.own = own
        return own
      },
    ],
    ['too much', () => 'x'.repeat(256 * 1024)],
  ])('an answer that is %s is refused at its step', async (_, answer) => {
    const wrong = workflow({ name: 'wrong', run: (ctx) => ctx.step('make it', answer as () => unknown) })
    await scenario(defineApp({ name: 'a', workflows: [wrong] }))
      .when(starting(wrong, undefined))
      .then((seen) => {
        const { state, failure } = only(seen.workflows)
        expect(state).toBe('failed')
        expect(failure).toMatchObject({ category: 'validation' })
        expect(failure?.message).toContain('make it')
      })
  })

  test('the same id twice is one instance', async () => {
    const { checkout, effects } = shop()
    const start = starting(checkout, { order: 'a' }, { id: 'a' })
    await scenario(defineApp({ name: 'shop', workflows: [checkout] }), { sideEffects: effects })
      .when(start, start, start)
      .then((seen) => {
        expect(only(seen.workflows).state).toBe('completed')
        expect(seen.sideEffects).toHaveLength(3)
      })
  })

  test('an event starts it, under the id that it gives', async () => {
    const placed = defineEvent({ type: 'shop.placed', schema: z.object({ order: z.string() }) })
    const greet = workflow({
      name: 'greet',
      on: {
        event: placed,
        id: ({ data }) => data.order,
        input: ({ data }) => ({ name: data.order }),
      },
      input: z.object({ name: z.string() }),
      run: async (ctx, { name }) => ctx.step('greet', () => `hello ${name}`),
    })
    await scenario(defineApp({ name: 'shop', workflows: [greet] }))
      .when(publishing(placed, { order: 'a' }), publishing(placed, { order: 'a' }))
      .then((seen) =>
        expect(only(seen.workflows)).toMatchObject({ id: 'a', state: 'completed', output: 'hello a' }),
      )
  })
})

test('a call is checked as the event that starts it would be, before anything is stored', async () => {
  const placed = defineEvent({ type: 'shop.placed', schema: z.object({ order: z.string() }) })
  const named = workflow({
    name: 'named',
    on: { event: placed, id: ({ data }) => data.order },
    run: async (ctx, { order }) => await ctx.step('greet', () => order),
  })
  const parent = workflow({ name: 'parent', run: (ctx) => ctx.child(named, { order: 5 } as never) })
  await scenario(defineApp({ name: 'shop', workflows: [named, parent] }))
    .when(
      doing(async (spine) => {
        await expect(spine.workflows.start(named, { order: 5 } as never)).rejects.toMatchObject({
          ...{ code: 'EVENT_INVALID', field: '/input' },
        })
      }),
      starting(parent, undefined),
    )
    .then((seen) => expect(only(seen.workflows)).toMatchObject({ workflow: 'parent', state: 'failed' }))
})

test.each([
  ['beginning', 1],
  ['now', 0],
] as const)('it is started by events since %s', async (start, instances) => {
  const placed = defineEvent({ type: 'shop.placed', schema: z.object({ order: z.string() }) })
  const named = workflow({
    name: 'named',
    on: { event: placed, id: ({ data }) => data.order, start },
    run: async (_, { order }) => order,
  })
  const stage = new Stage(1)
  const app = defineApp({ name: 'shop', workflows: [named] })
  const publisher = stage.spine(app, stage.store, { work: false })
  await stage.until(publisher.start())
  await stage.until(publisher.publish(placed, { order: 'before' }))
  const worker = stage.spine(app)
  await stage.until(worker.start())
  await stage.until(publisher.publish(placed, { order: 'since' }))
  const all = async () => (await publisher.workflows.list()).items.map(({ id }) => id)
  expect(await stage.clock.runUntil(async () => (await all()).includes('since'), day)).toBe(true)
  expect((await all()).filter((id) => id === 'before')).toHaveLength(instances)
  await stage.until(worker.stop())
})

test('where it starts is one of three', () => {
  const placed = defineEvent({ type: 'shop.placed', schema: z.object({ order: z.string() }) })
  const on = { event: placed, id: () => 'a' }
  const named = (given: object) =>
    workflow({ name: 'named', on: { ...on, ...given }, run: async () => undefined })
  expect(() => defineApp({ name: 'a', workflows: [named({ start: 'begining' })] })).toThrow(
    'on.start is "beginning", "now" or a valid Date',
  )
  expect(() => named({ inputs: () => 1 })).toThrow('"inputs" is no option; did you mean "input"?')
})

describe('time', () => {
  test('thirty days take no time, and are thirty days', async () => {
    const patient = workflow({
      name: 'patient',
      deadlineMs: 60 * day,
      run: async (ctx) => {
        const began = ctx.now()
        await ctx.sleep(30 * day)
        return ctx.step('measure', () => ctx.now().getTime() - began.getTime())
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [patient] }))
      .when(starting(patient, undefined))
      .then((seen) => {
        const slept = only(seen.workflows).output as number
        expect(slept).toBeGreaterThanOrEqual(30 * day)
        expect(slept).toBeLessThan(30 * day + 5_000)
      })
  })

  test('now, random and uuid are the same when the code runs again', async () => {
    const drawn: unknown[] = []
    const draws = workflow({
      name: 'draws',
      run: async (ctx) => {
        const first = [ctx.now().getTime(), ctx.random(), ctx.uuid()]
        drawn.push(first)
        await ctx.sleep(day)
        return first
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [draws] }))
      .when(starting(draws, undefined))
      .then((seen) => {
        expect(drawn.length).toBeGreaterThan(1)
        for (const each of drawn) expect(each).toEqual(only(seen.workflows).output)
      })
  })

  test('a passed deadline is said, and cancels where it is asked to', async () => {
    const effects = sideEffects()
    const stuck = workflow({
      name: 'stuck',
      deadlineMs: day,
      overdue: 'cancel',
      run: async (ctx) => {
        await ctx.step('take', () => effects.record('take'), { undo: () => effects.record('give back') })
        await ctx.signal('never')
      },
    })
    const page = defineSubscription({
      name: 'page',
      on: workflowOverdue,
      priority: 'alarm',
      handle: ({ data }) => effects.record('page', data),
    })
    const app = defineApp({ name: 'a', workflows: [stuck], subscriptions: [page] })
    await scenario(app, { sideEffects: effects })
      .when(starting(stuck, undefined, { id: 's' }), waiting(2 * day))
      .then((seen) => {
        const { state, history } = only(seen.workflows)
        expect(state).toBe('compensated')
        expect(history.map(({ kind }) => kind)).toContain('deadline-passed')
        expect(seen.sideEffects.map(({ name }) => name).sort()).toEqual(['give back', 'page', 'take'])
        expect(seen.sideEffects).toContainEqual({ name: 'page', details: { workflow: 'stuck', id: 's' } })
      })
  })
})

describe('signals', () => {
  const counter = workflow({
    name: 'counter',
    run: async (ctx) => {
      const seen: unknown[] = []
      await ctx.sleep(day)
      while (seen.length < 3) seen.push(await ctx.signal('number'))
      return seen
    },
  })

  test('are kept before they are asked for, and come in order', async () => {
    await scenario(defineApp({ name: 'a', workflows: [counter] }))
      .when(
        starting(counter, undefined, { id: 'c' }),
        signalling(counter, 'c', 'number', 1),
        signalling(counter, 'c', 'other', 9),
        signalling(counter, 'c', 'number', 2),
        waiting(2 * day),
        signalling(counter, 'c', 'number', 3),
      )
      .then((seen) => expect(only(seen.workflows).output).toEqual([1, 2, 3]))
  })

  test('are refused after the end, and where there is no instance', async () => {
    const app = defineApp({ name: 'a', workflows: [counter] })
    const numbers = [1, 2, 3].map((each) => signalling(counter, 'c', 'number', each))
    const start = starting(counter, undefined, { id: 'c' })
    await expect(
      scenario(app).when(start, ...numbers, waiting(2 * day), signalling(counter, 'c', 'number', 4)),
    ).rejects.toMatchObject({ code: 'WORKFLOW_ENDED' })
    await expect(scenario(app).when(signalling(counter, 'x', 'number', 4))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  test('reach an instance whose id an event gave, as long as a key may be', async () => {
    const named = defineEvent({ type: 'a.named', schema: z.object({ id: z.string() }) })
    const waits = workflow({
      name: 'waits',
      on: { event: named, id: ({ data }) => data.id },
      run: (ctx) => ctx.signal('go'),
    })
    const id = 'x'.repeat(500)
    await scenario(defineApp({ name: 'a', workflows: [waits] }))
      .when(publishing(named, { id }), waiting(1_000), signalling(waits, id, 'go', 'well'))
      .then((seen) => expect(only(seen.workflows).output).toBe('well'))
  })

  test('a wait ends when nobody came', async () => {
    const waits = workflow({
      name: 'waits',
      run: async (ctx) => (await ctx.signal('never', { timeoutMs: day })) ?? 'nobody came',
    })
    await scenario(defineApp({ name: 'a', workflows: [waits] }))
      .when(starting(waits, undefined))
      .then((seen) => expect(only(seen.workflows).output).toBe('nobody came'))
  })

  test('a person approves, and who, when and why is kept', async () => {
    const asks = workflow({
      name: 'asks',
      run: async (ctx) => ctx.approval('refund', { to: 'finance', text: 'Refund 40 €?' }),
    })
    await scenario(defineApp({ name: 'a', workflows: [asks] }))
      .when(
        starting(asks, undefined, { id: 'r' }),
        waiting(day),
        // Another road leads nowhere.
        signalling(asks, 'r', 'refund', { approved: false }),
        approving(asks, 'r', 'refund', { approved: true, by: 'ida', reason: 'broken' }),
      )
      .then((seen) => {
        const { output, history } = only(seen.workflows)
        expect(output).toMatchObject({ approved: true, by: 'ida', reason: 'broken' })
        expect(history.find(({ kind }) => kind === 'asked')).toMatchObject({ name: 'refund' })
      })
  })
})
