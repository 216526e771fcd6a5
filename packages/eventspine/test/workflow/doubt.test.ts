// What nobody knows, and what looks like nothing: a pivot in doubt, answers that are none, undoing by what was done, and
// letters and copies that a person deals with.
import { defineApp, PermanentError, retries, TransientError, ValidationError } from 'eventspine'
import { cancelling, scenario, sideEffects, signalling, starting, waiting } from 'eventspine/testing'
import { workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { doing } from './happenings.js'

const day = 86_400_000
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    ({ code, message }: { readonly code: string; readonly message: string }) => `${code}: ${message}`,
  )

describe('a point of no return', () => {
  const shipping = (failure: Error, effects: ReturnType<typeof sideEffects>) => {
    let broken = true
    const flow = workflow({
      name: 'ships',
      run: async (ctx) => {
        await ctx.step('charge', () => effects.record('charge'), { undo: () => effects.record('refund') })
        await ctx.step(
          'ship',
          () => {
            if (broken) throw failure
            return effects.record('ship')
          },
          { pivot: true, retry: retries.none() },
        )
      },
    })
    return { flow, mend: () => (broken = false) }
  }

  test.each([new TransientError('the line went dead'), new Error('of no category')])(
    'that may have been passed waits for a person: %s',
    async (failure) => {
      const effects = sideEffects()
      const { flow, mend } = shipping(failure, effects)
      await scenario(defineApp({ name: 'a', workflows: [flow] }), { sideEffects: effects })
        .when(
          starting(flow, undefined, { id: 's' }),
          waiting(1_000),
          doing(async (spine) => {
            const shown = await spine.workflows.show(flow, 's')
            expect(shown?.attention?.message).toContain('Nobody knows whether it happened')
            mend()
            await spine.workflows.retry(flow, 's', 'ada')
          }),
          waiting(1_000),
        )
        .then((seen) => {
          expect(seen.workflows).toMatchObject([{ state: 'completed' }])
          expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'ship'])
        })
    },
  )

  test('that has begun comes to its end before a cancel is heard', async () => {
    const effects = sideEffects()
    let tries = 0
    const flow = workflow({
      name: 'ships',
      run: async (ctx) => {
        await ctx.step('charge', () => effects.record('charge'), { undo: () => effects.record('refund') })
        await ctx.step(
          'ship',
          () => {
            // Whether the first came through nobody knows.
            if (tries++ === 0) throw new TransientError('the line went dead', { retryAfterMs: 60_000 })
            return effects.record('ship')
          },
          { pivot: true },
        )
        await ctx.step('tell', () => effects.record('tell'))
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [flow] }), { sideEffects: effects })
      .when(
        starting(flow, undefined, { id: 's' }),
        waiting(1_000),
        cancelling(flow, 's', 'ada'),
        waiting(120_000),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'completed' }])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'ship', 'tell'])
      })
  })

  test('that was not passed, as a person says, is cancelled and undone, and not tried again', async () => {
    const effects = sideEffects()
    const { flow, mend } = shipping(new TransientError('the line went dead'), effects)
    await scenario(defineApp({ name: 'a', workflows: [flow] }), { sideEffects: effects })
      .when(
        starting(flow, undefined, { id: 's' }),
        waiting(1_000),
        doing(async () => mend()),
        cancelling(flow, 's', 'ada'),
        waiting(1_000),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'compensated', attention: null }])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'refund'])
      })
  })

  test('that may have been passed is not tried again because something else came', async () => {
    const effects = sideEffects()
    const { flow, mend } = shipping(new TransientError('the line went dead'), effects)
    await scenario(defineApp({ name: 'a', workflows: [flow] }), { sideEffects: effects })
      .when(
        starting(flow, undefined, { id: 's' }),
        waiting(1_000),
        doing(async () => mend()),
        signalling(flow, 's', 'hello'),
        cancelling(flow, 's', 'ada'),
        waiting(1_000),
        doing(async (spine) => {
          const shown = await spine.workflows.show(flow, 's')
          if (shown?.endedAtMs === null) await spine.workflows.cancel(flow, 's', 'ada')
        }),
        waiting(1_000),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'compensated', attention: null }])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'refund'])
      })
  })

  test.each([new ValidationError('no such address'), new PermanentError('never')])(
    'that was refused is not passed: %s',
    async (failure) => {
      const effects = sideEffects()
      const { flow } = shipping(failure, effects)
      await scenario(defineApp({ name: 'a', workflows: [flow] }), { sideEffects: effects })
        .when(starting(flow, undefined))
        .then((seen) => {
          expect(seen.workflows).toMatchObject([{ state: 'compensated' }])
          expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'refund'])
        })
    },
  )
})

describe('an answer', () => {
  test('of steps that answer nothing can be answered', async () => {
    const mails = workflow({
      name: 'mails',
      run: async (ctx) => ctx.map([1, 2], (_, own) => own.step('mail', () => {})),
    })
    await scenario(defineApp({ name: 'a', workflows: [mails] }))
      .when(starting(mails, undefined))
      .then((seen) => expect(seen.workflows).toMatchObject([{ state: 'completed', output: [null, null] }]))
  })

  test('a signal that says nothing has come', async () => {
    const pays = workflow({
      name: 'pays',
      run: async (ctx) =>
        (await ctx.signal('paid', { timeoutMs: 30 * day })) === undefined ? 'late' : 'paid',
    })
    await scenario(defineApp({ name: 'a', workflows: [pays] }))
      .when(starting(pays, undefined, { id: 'p' }), waiting(day), signalling(pays, 'p', 'paid'))
      .then((seen) => expect(seen.workflows).toMatchObject([{ output: 'paid' }]))
  })

  test('of an undo is nobody’s, and an undo is told what it undoes', async () => {
    const keys: (string | undefined)[] = []
    const undone = workflow({
      name: 'undone',
      run: async (ctx) => {
        await ctx.step(
          'reserve',
          ({ idempotencyKey, undoes }) => {
            keys.push(idempotencyKey, undoes)
          },
          {
            undo: (_, { undoes, idempotencyKey }) => {
              keys.push(undoes, idempotencyKey)
              return new Map([['rows', 1]])
            },
          },
        )
        throw new ValidationError('no')
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [undone] }))
      .when(starting(undone, undefined, { id: 'u' }))
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'compensated' }])
        const [key, nothing, undoes, own] = keys
        expect([nothing, undoes]).toEqual([undefined, key])
        expect(own).not.toBe(key)
      })
  })
})

test('a call of the context from a callback of a step rejects, and the instance hears of it', async () => {
  const late = workflow({
    name: 'late',
    run: (ctx) =>
      ctx.step('outer', async () => {
        const answers: string[] = []
        await Promise.resolve().then(() => ctx.sleep(1).catch(() => answers.push('swallowed')))
        return answers
      }),
  })
  await scenario(defineApp({ name: 'a', workflows: [late] }))
    .when(starting(late, undefined))
    .then((seen) =>
      expect(seen.workflows[0]?.attention?.message).toContain('ctx.sleep is called inside of step "outer"'),
    )
})

test.each([
  ['thrown', (sleep: Promise<void>) => sleep],
  ['swallowed', (sleep: Promise<void>) => sleep.catch(() => {})],
] as const)('what the context was misused for, %s, is cancelled and undone', async (_, meet) => {
  const effects = sideEffects()
  const misuses = workflow({
    name: 'misuses',
    run: async (ctx) => {
      await ctx.step('charge', () => effects.record('charge'), { undo: () => effects.record('refund') })
      await meet(ctx.sleep(-1))
      await ctx.signal('never')
    },
  })
  await scenario(defineApp({ name: 'a', workflows: [misuses] }), { sideEffects: effects })
    .when(
      starting(misuses, undefined, { id: 'm' }),
      waiting(1_000),
      doing(async (spine) => {
        expect((await spine.workflows.show(misuses, 'm'))?.attention?.message).toContain('not -1')
        await spine.workflows.cancel(misuses, 'm', 'ada')
      }),
      waiting(1_000),
    )
    .then((seen) => {
      expect(seen.workflows).toMatchObject([{ state: 'compensated', attention: null }])
      expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'refund'])
    })
})

test('a child that the app does not list is told, and not waited for', async () => {
  const kid = workflow({ name: 'kid', run: async () => 1 })
  const parent = workflow({ name: 'parent', run: (ctx) => ctx.child(kid, undefined) })
  await scenario(defineApp({ name: 'a', workflows: [parent] }))
    .when(starting(parent, undefined))
    .then((seen) => expect(seen.workflows[0]?.attention?.message).toContain('which the app does not list'))
})

test('the dead letter that halts an instance is not discarded: nobody would move it on', async () => {
  const stuck = workflow({
    name: 'stuck',
    run: async () => {
      throw new TypeError('a fault of the code')
    },
  })
  await scenario(defineApp({ name: 'a', workflows: [stuck] }))
    .when(
      starting(stuck, undefined, { id: 's' }),
      waiting(1_000),
      doing(async (spine) => {
        const letter = (await spine.workflows.show(stuck, 's'))?.attention?.letter ?? ''
        for (const filter of [{ ids: [letter] }, { subscription: 'workflow-stuck' }, {}])
          expect(await refusal(spine.operator().discard(filter, 'ada', 'old'))).toMatch(
            /^REQUEST_INVALID: .*workflows cancel stuck 's'/,
          )
        expect((await spine.workflows.show(stuck, 's'))?.attention?.letter).toBe(letter)
        await spine.workflows.cancel(stuck, 's', 'ada')
      }),
      waiting(1_000),
    )
    .then((seen) => expect(seen.workflows).toMatchObject([{ state: 'cancelled', attention: null }]))
})

test('what a copy undid is no ground to restart on', async () => {
  let failing = false
  const effects = sideEffects()
  const copied = workflow({
    name: 'copied',
    run: async (ctx) => {
      await ctx.step('a', () => effects.record('a'), { undo: () => effects.record('undo a') })
      await ctx.step('b', () => {
        if (failing) throw new ValidationError('b fails')
      })
    },
  })
  await scenario(defineApp({ name: 'a', workflows: [copied] }), { sideEffects: effects })
    .when(
      starting(copied, undefined, { id: 'c' }),
      waiting(1_000),
      doing(async (spine) => {
        failing = true
        await spine.workflows.restart(copied, 'c', 'ada', { from: 'b' })
      }),
      waiting(1_000),
      doing(async (spine) => {
        failing = false
        expect(await refusal(spine.workflows.restart(copied, 'c', 'ada', { from: 'b' }))).toMatch(
          /^REQUEST_INVALID: .*taken over by c~2, which undid it/,
        )
        await spine.workflows.restart(copied, 'c', 'ada')
      }),
      waiting(1_000),
    )
    .then((seen) => {
      const states = Object.fromEntries(seen.workflows.map(({ id, state }) => [id, state]))
      expect(states).toEqual({ c: 'completed', 'c~2': 'compensated', 'c~3': 'completed' })
      expect(seen.sideEffects.map(({ name }) => name)).toEqual(['a', 'undo a', 'a'])
    })
})
