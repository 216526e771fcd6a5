// Code that was changed under the same version, where money goes by the change; and what fails behind the point of no return.
import { defineApp, defineEvent, PermanentError, retries, TransientError } from 'eventspine'
import {
  cancelling,
  type Happening,
  scenario,
  sideEffects,
  signalling,
  starting,
  waiting,
} from 'eventspine/testing'
import { type StepOptions, workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { doing } from './happenings.js'

describe('a step whose promise was changed under the same version', () => {
  const effects = sideEffects()
  const undo = () => void effects.record('refund')
  const changes: [string, StepOptions<void>, StepOptions<void>][] = [
    ['was the point of no return', { pivot: true }, {}],
    ['was no point of no return', {}, { pivot: true }],
    ['was a step with an undo', { undo }, {}],
    ['was a step with an undo', { undo }, { pivot: true }],
    ['was the point of no return', { pivot: true, undo }, { undo }],
    ['was a step with an undo', { pivot: true, undo }, { pivot: true }],
  ]

  test.each(changes)(
    '%s: it waits for the code that it was started with (%o, then %o)',
    async (was, before, after) => {
      let deployed = before
      const pays = workflow({
        name: 'pays',
        run: async (ctx) => {
          await ctx.step('charge', () => effects.record('charge'), deployed)
          await ctx.signal('go')
          throw new PermanentError('out of stock')
        },
      })
      const deploying: Happening = doing(async () => void (deployed = after))
      await scenario(defineApp({ name: 'a', workflows: [pays] }), { sideEffects: effects })
        .when(starting(pays, undefined, { id: 'p' }), waiting(1_000), deploying, signalling(pays, 'p', 'go'))
        .then((seen) => {
          expect(seen.workflows).toMatchObject([
            { state: 'running', attention: { message: expect.stringContaining(was) } },
          ])
          expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge'])
        })
    },
  )

  test('may gain an undo: what was done without stays done', async () => {
    let deployed: StepOptions<void> = {}
    const pays = workflow({
      name: 'pays',
      run: async (ctx) => {
        await ctx.step('charge', () => effects.record('charge'), deployed)
        await ctx.signal('go')
        return 'paid'
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [pays] }), { sideEffects: effects })
      .when(
        starting(pays, undefined, { id: 'p' }),
        waiting(1_000),
        doing(async () => void (deployed = { undo })),
        signalling(pays, 'p', 'go'),
      )
      .then((seen) => expect(seen.workflows).toMatchObject([{ state: 'completed' }]))
  })
})

describe('behind the point of no return', () => {
  const shipped = defineEvent({ type: 'tests.shipped', schema: z.object({ id: z.string() }) })

  test('an event that cannot be published is published once its cause is mended', async () => {
    let id: unknown = 7
    const ships = workflow({
      name: 'ships',
      run: async (ctx) => {
        await ctx.step('ship', () => 1, { pivot: true })
        await ctx.publish(shipped, { id } as never)
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [ships], events: [shipped] }))
      .when(
        starting(ships, undefined, { id: 's' }),
        waiting(1_000),
        doing(async (spine) => {
          const { attention } = (await spine.workflows.show(ships, 's')) ?? {}
          expect(attention?.message).toContain('Publishing "tests.shipped", behind the point of no return')
          id = 'seven'
          await spine.workflows.retry(ships, 's', 'ada')
        }),
        waiting(10_000),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'completed', attention: null }])
        expect(seen.published).toEqual([{ type: 'tests.shipped', data: { id: 'seven' } }])
      })
  })

  test('a child that failed is waited for until a copy of it completes, and nothing before it is done again', async () => {
    const effects = sideEffects()
    let broken = true
    const packs = workflow({
      name: 'packs',
      run: (ctx) =>
        ctx.step('pack', () => {
          if (broken) throw new PermanentError('no box')
          return 'packed'
        }),
    })
    const ships = workflow({
      name: 'ships',
      run: async (ctx) => {
        await ctx.step('pay', () => effects.record('pay'), { pivot: true })
        return await ctx.child(packs, undefined, { id: 'c' })
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [ships, packs] }), { sideEffects: effects })
      .when(
        starting(ships, undefined, { id: 's' }),
        waiting(1_000),
        doing(async (spine) => {
          const { attention, history } = (await spine.workflows.show(ships, 's')) ?? {}
          expect(attention?.message).toContain("eventspine workflows restart packs 'c'")
          expect(history?.map(({ kind }) => kind)).toContain('child-failed')
          broken = false
          await spine.workflows.restart(packs, 'c', 'ada')
        }),
        waiting(10_000),
        doing(async (spine) => void (await spine.workflows.retry(ships, 's', 'ada'))),
        waiting(10_000),
      )
      .then((seen) => {
        const ends = Object.fromEntries(seen.workflows.map(({ id, state, output }) => [id, output ?? state]))
        expect(ends).toEqual({ s: 'packed', c: 'failed', 'c~2': 'packed' })
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['pay'])
      })
  })

  test('it is retried as often as it takes', async () => {
    let tries = 0
    const tells = workflow({
      name: 'tells',
      run: async (ctx) => {
        await ctx.step('ship', () => 1, { pivot: true })
        await ctx.step(
          'mail',
          () => {
            if (++tries <= 6) throw new PermanentError('no such box')
            return tries
          },
          { retry: retries.none() },
        )
      },
    })
    const again = doing(async (spine) => void (await spine.workflows.retry(tells, 't', 'ada')))
    await scenario(defineApp({ name: 'a', workflows: [tells] }))
      .when(
        starting(tells, undefined, { id: 't' }),
        waiting(10_000),
        ...Array.from({ length: 6 }, () => [again, waiting(10_000)]).flat(),
      )
      .then((seen) => expect(seen.workflows).toMatchObject([{ state: 'completed', attention: null }]))
    expect(tries).toBe(7)
  })
})

describe('a wish to end', () => {
  // Timers that were due stand between what halts it and the wish.
  const doubtful = (effects = sideEffects()) => {
    const ships = workflow({
      name: 'ships',
      run: async (ctx) => {
        await ctx.step('charge', () => effects.record('charge'), { undo: () => effects.record('refund') })
        await ctx.step(
          'ship',
          () => {
            throw new TransientError('the line went dead')
          },
          { pivot: true, retry: retries.standard({ attemptsMax: 4 }) },
        )
        await ctx.step('tell', () => effects.record('tell'))
      },
    })
    return { ships, effects, app: defineApp({ name: 'a', workflows: [ships] }) }
  }

  test('ends what is in doubt at the first time of asking, whatever stands before it', async () => {
    const { ships, effects, app } = doubtful()
    const ids = ['1', '2', '3', '4', '5', '6']
    await scenario(app, { sideEffects: effects })
      .when(
        ...ids.map((id) => starting(ships, undefined, { id })),
        waiting(3_600_000),
        ...ids.map((id) => signalling(ships, id, 'nobody asks')),
        ...ids.map((id) => cancelling(ships, id, 'ada')),
        waiting(10_000),
      )
      .then((seen) => {
        expect(seen.workflows.map(({ state, attention }) => [state, attention])).toEqual(
          ids.map(() => ['compensated', null]),
        )
        expect(seen.sideEffects.filter(({ name }) => name === 'refund')).toHaveLength(ids.length)
      })
  })

  test('is heard before a retry goes on', async () => {
    const effects = sideEffects()
    let deployed = false
    const moves = workflow({
      name: 'moves',
      run: async (ctx) => {
        await ctx.step('charge', () => effects.record('charge'), { undo: () => effects.record('refund') })
        await ctx.step(deployed ? 'other' : 'wait', () => 1)
        await ctx.signal('go')
        await ctx.step('ship', () => effects.record('ship'), { pivot: true })
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [moves] }), { sideEffects: effects })
      .when(
        starting(moves, undefined, { id: 'm' }),
        waiting(1_000),
        doing(async () => void (deployed = true)),
        signalling(moves, 'm', 'go'),
        waiting(1_000),
        cancelling(moves, 'm', 'ada'),
        waiting(1_000),
        doing(async (spine) => {
          deployed = false
          await spine.workflows.retry(moves, 'm', 'ada')
        }),
        waiting(10_000),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'compensated', attention: null }])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'refund'])
      })
  })
})

test('undoing has the deadline of its step, or one of its own', async () => {
  const effects = sideEffects()
  const slow = (options: StepOptions<unknown>) =>
    workflow({
      name: 'slow',
      run: async (ctx) => {
        await ctx.step('charge', () => 1, {
          undo: async (_, { signal }) => {
            effects.record('refund')
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            throw signal.reason
          },
          undoRetry: retries.none(),
          ...options,
        })
        throw new PermanentError('out of stock')
      },
    })
  for (const [options, ms] of [
    [{ deadlineMs: 120_000 }, 120_000],
    [{ deadlineMs: 120_000, undoDeadlineMs: 240_000 }, 240_000],
    [{}, 30_000],
  ] as const) {
    const flow = slow(options)
    await scenario(defineApp({ name: 'a', workflows: [flow] }), { realMsMax: 20 })
      .when(starting(flow, undefined))
      .then((seen) =>
        expect(seen.workflows[0]?.attention?.message).toContain(`within its deadline of ${ms} ms`),
      )
  }
})
