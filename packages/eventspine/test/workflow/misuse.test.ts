// What the context is asked that it cannot do: told at once, in words that say what to write, and mended by other code.
import { defineApp, defineEvent, PermanentError, retries } from 'eventspine'
import { cancelling, type Happening, scenario, sideEffects, starting, waiting } from 'eventspine/testing'
import { type AnyWorkflow, type WorkflowContext, workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { doing } from './happenings.js'

async function attentionOf(run: (ctx: WorkflowContext) => unknown): Promise<string | undefined> {
  const misused = workflow({ name: 'misused', run: async (ctx) => void (await run(ctx)) })
  let message: string | undefined
  await scenario(defineApp({ name: 'a', workflows: [misused as AnyWorkflow] }))
    .when(starting(misused, undefined))
    .then((seen) => {
      expect(seen.workflows).toHaveLength(1)
      expect(seen.workflows[0]).toMatchObject({ state: 'running' })
      message = seen.workflows[0]?.attention?.message
    })
  return message
}

describe('a call of the context inside of a step', () => {
  const calls: [string, (ctx: WorkflowContext) => unknown][] = [
    ['step', (ctx) => ctx.step('inner', () => 1)],
    ['sleep', (ctx) => ctx.sleep(1)],
    ['sleepUntil', (ctx) => ctx.sleepUntil(new Date(0))],
    ['signal', (ctx) => ctx.signal('go')],
    ['approval', (ctx) => ctx.approval('pay')],
    ['all', (ctx) => ctx.all([(own) => own.step('inner', () => 1)])],
    ['race', (ctx) => ctx.race([(own) => own.step('inner', () => 1)])],
    ['map', (ctx) => ctx.map([1], (_, own) => own.step('inner', () => 1))],
    ['random', (ctx) => ctx.random()],
    ['uuid', (ctx) => ctx.uuid()],
  ]

  test.each(calls)('ctx.%s halts the instance before it is recorded', async (name, call) => {
    const message = await attentionOf((ctx) =>
      ctx.step('outer', async () => {
        await Promise.resolve()
        return call(ctx)
      }),
    )
    expect(message).toContain(`ctx.${name} is called inside of step "outer"`)
  })

  test('is noticed behind awaited work, and in an undo', async () => {
    const undone = workflow({
      name: 'undone',
      run: async (ctx) => {
        await ctx.step('outer', () => 1, {
          undo: async () => {
            await new Promise((resolve) => setImmediate(resolve))
            return ctx.sleep(1)
          },
        })
        await ctx.signal('never')
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [undone] }))
      .when(starting(undone, undefined, { id: 'u' }), waiting(1_000), cancelling(undone, 'u'))
      .then((seen) =>
        expect(seen.workflows[0]?.attention?.message).toContain('inside of the undo of step "outer"'),
      )
  })

  test('is not one: code that goes on because of a step, another instance, what the step is given', async () => {
    const effects = sideEffects()
    const other = workflow({ name: 'other', run: (ctx) => ctx.step('other', () => effects.record('other')) })
    let spine: Parameters<Happening['happen']>[0] | undefined
    const own = workflow({
      name: 'own',
      run: async (ctx) => {
        let open = () => {}
        const opened = new Promise<void>((resolve) => {
          open = resolve
        })
        const both = await ctx.all([
          (branch) =>
            branch.step('opens', async () => {
              open()
              await spine?.workflows.start(other, undefined)
              return 'open'
            }),
          async (branch) => {
            await opened
            return branch.step('behind', ({ log, idempotencyKey }) => {
              log.info(ctx.id)
              return idempotencyKey.length > 0
            })
          },
        ])
        return [both, ctx.uuid().length]
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [own, other] }), { sideEffects: effects })
      .when(
        doing(async (given) => {
          spine = given
        }),
        starting(own, undefined),
      )
      .then((seen) => {
        expect(seen.workflows.map(({ state }) => state)).toEqual(['completed', 'completed'])
        const found = seen.workflows.find(({ workflow: name }) => name === 'own')
        expect(found?.output).toEqual([['open', true], 36])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['other'])
      })
  })

  test.each<[string, (ctx: WorkflowContext) => unknown]>([
    ['ctx.sleep takes milliseconds', (ctx) => ctx.sleep('600000' as never)],
    ['timeoutMs is the text "3000"', (ctx) => ctx.signal('go', { timeoutMs: '3000' as never })],
    ['timeoutMs is the text "3000"', (ctx) => ctx.approval('pay', { timeoutMs: '3000' as never })],
    [
      'deadlineMs of step "s" is the text "1000"',
      (ctx) => ctx.step('s', () => 1, { deadlineMs: '1000' as never }),
    ],
    ['text of approval "pay" must be', (ctx) => ctx.approval('pay', { text: 'x'.repeat(10_001) })],
  ])('%s', async (said, call) => {
    expect(await attentionOf(call)).toContain(said)
  })

  test('a context of another instance is refused to whoever calls it, and its own goes on', async () => {
    let kept: WorkflowContext | undefined
    const owner = workflow({
      name: 'owner',
      run: async (ctx) => {
        kept = ctx
        await ctx.signal('go')
        return await ctx.step('own', () => 'done')
      },
    })
    const thief = workflow({ name: 'thief', run: async () => await kept?.step('pay', () => 'paid') })
    await scenario(defineApp({ name: 'a', workflows: [owner, thief] }))
      .when(
        starting(owner, undefined, { id: 'o' }),
        starting(thief, undefined, { id: 't' }),
        doing(async (spine) => {
          const { attention } = (await spine.workflows.show(thief, 't')) ?? {}
          expect(attention?.message).toContain('ctx.step is called on the context of another instance')
          await spine.workflows.signal(owner, 'o', 'go')
        }),
      )
      .then((seen) => {
        const found = seen.workflows.find(({ workflow: name }) => name === 'owner')
        expect(found).toMatchObject({ state: 'completed', output: 'done' })
        expect(found?.history.some(({ name }) => name === 'pay')).toBe(false)
      })
  })

  test('goes on with other code, from the step on', async () => {
    let mended = false
    const grows = workflow({
      name: 'grows',
      run: async (ctx) => {
        await ctx.step('before', () => 1)
        await ctx.step('outer', async () => {
          if (!mended) await ctx.sleep(1)
        })
        return 'through'
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [grows] }))
      .when(
        starting(grows, undefined, { id: 'g' }),
        waiting(5_000),
        doing(async (spine) => {
          expect((await spine.workflows.show(grows, 'g'))?.attention?.message).toContain('inside of step')
          mended = true
          await spine.workflows.retry(grows, 'g', 'ada')
        }),
        waiting(5_000),
      )
      .then((seen) => expect(seen.workflows).toMatchObject([{ state: 'completed', output: 'through' }]))
  })
})

describe('a wrong argument', () => {
  const cases: [string, (ctx: WorkflowContext) => unknown][] = [
    [
      'ctx.step has no option "deadline"; there are retry,',
      (ctx) => ctx.step('a', () => 1, { deadline: 5 } as object),
    ],
    ['deadlineMs of step "a" is -1', (ctx) => ctx.step('a', () => 1, { deadlineMs: -1 })],
    ['undo of step "a" must be a function', (ctx) => ctx.step('a', () => 1, { undo: 'b' } as object)],
    ['step "a" has no such retry policy', (ctx) => ctx.step('a', () => 1, { retry: { times: 3 } } as object)],
    [
      'ctx.signal has no option "timeout"; there is timeoutMs',
      (ctx) => ctx.signal('a', { timeout: 5 } as object),
    ],
    ['ctx.all takes an array of functions', (ctx) => ctx.all([ctx.step('a', () => 1)] as never)],
    ['ctx.race takes one branch at least', (ctx) => ctx.race([])],
    ['ctx.map takes an array and a function', (ctx) => ctx.map(7 as never, async () => 1)],
    ['ctx.sleepUntil takes a valid Date', (ctx) => ctx.sleepUntil(new Date('nonsense'))],
    ['ctx.publish takes an event made by', (ctx) => ctx.publish('orders.placed' as never, {} as never)],
  ]

  test.each(cases)('%s', async (expected, run) => {
    expect(await attentionOf(run)).toContain(expected)
  })
})

describe('a call that the code did not wait for', () => {
  const child = workflow({ name: 'child', run: async () => 'ended' })
  const lost = workflow({ name: 'lost', run: () => Promise.reject(new PermanentError('lost')) })
  const event = defineEvent({ type: 'tests.told', schema: z.object({}) })
  const calls: [string, (ctx: WorkflowContext) => unknown][] = [
    ['step "a"', (ctx) => ctx.step('a', () => 1)],
    ['child "child"', (ctx) => ctx.child(child, undefined)],
    ['publish "tests.told"', (ctx) => ctx.publish(event, {})],
  ]

  test.each(calls)('halts it before it has ended, %s', async (what, call) => {
    const hasty = workflow({
      name: 'hasty',
      run: async (ctx) => {
        await ctx.step('first', () => 1)
        void call(ctx)
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [hasty, child], events: [event] }))
      .when(starting(hasty, undefined))
      .then((seen) =>
        expect(seen.workflows).toMatchObject([
          {
            state: 'running',
            attention: { message: expect.stringContaining(`without waiting for ctx.${what}`) },
          },
        ]),
      )
  })

  test('is done all the same once it has begun, and its failure is heard', async () => {
    const effects = sideEffects()
    const hasty = workflow({
      name: 'hasty',
      retry: retries.none(),
      run: async (ctx) => {
        void ctx.step('charge', async () => {
          await new Promise((resolve) => setImmediate(resolve))
          effects.record('charge')
          throw new PermanentError('declined')
        })
        await ctx.step('quick', () => 1)
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [hasty] }), { sideEffects: effects })
      .when(starting(hasty, undefined))
      .then((seen) => {
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge'])
        expect(seen.workflows).toMatchObject([
          { state: 'running', attention: { message: expect.stringContaining('ctx.step "charge"') } },
        ])
      })
  })

  test.each([
    [
      'step "charge"',
      (ctx: WorkflowContext) => ctx.step('charge', () => Promise.reject(new PermanentError('declined'))),
    ],
    ['child "lost"', (ctx: WorkflowContext) => ctx.child(lost, undefined)],
    ['publish "tests.told"', (ctx: WorkflowContext) => ctx.publish(event, 7 as never)],
    [
      'all',
      (ctx: WorkflowContext) =>
        ctx.all([(own) => own.step('a', () => Promise.reject(new PermanentError('no')))]),
    ],
  ])('is heard of where it failed while the code went on, ctx.%s', async (what, call) => {
    const goesOn = workflow({
      name: 'goes-on',
      run: async (ctx) => {
        void call(ctx)
        await ctx.sleep(60_000)
        return 'as if nothing had been'
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [goesOn, lost], events: [event] }))
      .when(starting(goesOn, undefined, { id: 'g' }))
      .then((seen) =>
        expect(seen.workflows.find(({ id }) => id === 'g')).toMatchObject({
          ...{ state: 'running', attention: { message: expect.stringContaining(`waiting for ctx.${what}`) } },
        }),
      )
  })

  test('may be waited for later', async () => {
    const later = workflow({
      name: 'later',
      run: async (ctx) => {
        const failing = ctx.step('charge', () => Promise.reject(new PermanentError('declined')))
        await ctx.sleep(60_000)
        return await failing.catch(({ message }: Error) => message)
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [later] }))
      .when(starting(later, undefined))
      .then((seen) => expect(seen.workflows).toMatchObject([{ output: 'Step "charge" failed: declined' }]))
  })

  test('is nothing to halt for where it only waits, and where its branch lost a race', async () => {
    const calm = workflow({
      name: 'calm',
      run: async (ctx) => {
        void ctx.sleep(60_000)
        void ctx.signal('never')
        return await ctx.race([
          (own) => own.step('slow', () => new Promise((resolve) => setImmediate(resolve, 'slow'))),
          (own) => own.step('quick', () => 'quick'),
        ])
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [calm] }))
      .when(starting(calm, undefined))
      .then((seen) => expect(seen.workflows).toMatchObject([{ state: 'completed', output: 'quick' }]))
  })
})
