// What a person does with instances that cannot go on: sends them again, ends them, starts others from a step of them.
import { defineApp, type Eventspine, PermanentError, TransientError } from 'eventspine'
import { scenario, sideEffects, starting, waiting } from 'eventspine/testing'
import { workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { doing } from './happenings.js'
import { shop } from './orders.js'

const refusal = async (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: { readonly code?: string }) => error.code,
  )

describe('retry', () => {
  test('sends again what halts it, and refuses where nothing does', async () => {
    let broken = true
    const stuck = workflow({
      name: 'stuck',
      run: async (ctx) => {
        await ctx.step('point of no return', () => 1, { pivot: true })
        return await ctx.step('after', () => {
          if (broken) throw new PermanentError('it is broken')
          return 'done'
        })
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [stuck] }))
      .given(starting(stuck, undefined, { id: 'one' }))
      .when(
        doing(async () => {
          broken = false
        }),
        doing((spine) => spine.workflows.retry(stuck, 'one', 'ada')),
        waiting(60_000),
        doing(async (spine) => {
          expect(await refusal(spine.workflows.retry(stuck, 'one', 'ada'))).toBe('WORKFLOW_NOT_HALTED')
        }),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'completed', output: 'done', attention: null }])
      })
  })
})

test('an instance that waits for a person holds up nobody of another tenant, who has the same id (I23)', async () => {
  const broken = workflow({
    name: 'broken',
    run: async (ctx) => {
      await ctx.step('point of no return', () => 1, { pivot: true })
      return await ctx.step('after', () => {
        if (ctx.tenant === 'acme') throw new PermanentError('it is broken')
        return 'done'
      })
    },
  })
  await scenario(defineApp({ name: 'a', workflows: [broken] }))
    .when(
      starting(broken, undefined, { id: 'one', tenant: 'acme' }),
      starting(broken, undefined, { id: 'one', tenant: 'globex' }),
    )
    .then((seen) => {
      const states = seen.workflows.map(({ tenant, state, attention }) => [tenant, state, attention?.message])
      expect(states.sort()).toEqual([
        ['acme', 'running', expect.stringContaining('it is broken')],
        ['globex', 'completed', undefined],
      ])
    })
})

describe('terminate (I48)', () => {
  test('ends it where it stands, undoes nothing, and it stays ended', async () => {
    const { checkout, effects } = shop()
    const slow = workflow({
      name: 'slow',
      run: async (ctx) => {
        await ctx.step('before', () => effects.record('before'), { undo: () => effects.record('undone') })
        await ctx.sleep(1_000_000)
        await ctx.step('after', () => effects.record('after'))
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [slow, checkout] }), { sideEffects: effects })
      .when(
        starting(slow, undefined, { id: 'one' }),
        waiting(1_000),
        doing((spine) => spine.workflows.terminate(slow, 'one', 'ada', 'a mistake')),
        waiting(2_000_000),
        doing(async (spine) => {
          expect(await refusal(spine.workflows.terminate(slow, 'one', 'ada'))).toBe('WORKFLOW_ENDED')
          expect(await refusal(spine.workflows.signal(slow, 'one', 'x'))).toBe('WORKFLOW_ENDED')
          expect(await refusal(spine.workflows.terminate(slow, 'two', 'ada'))).toBe('NOT_FOUND')
          expect(await refusal(spine.workflows.handle(slow, 'one').result())).toBe('WORKFLOW_FAILED')
        }),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'terminated', wakeAtMs: null, deadlineAtMs: null }])
        const ended = seen.workflows[0]?.history.filter(({ kind }) => kind === 'ended')
        expect(ended?.map(({ data }) => data)).toEqual([
          { state: 'terminated', terminated: { by: 'ada', reason: 'a mistake' } },
        ])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['before'])
      })
  })

  test('tells its parent, cancels its children, and takes its dead letter with it', async () => {
    const grandchild = workflow({ name: 'grandchild', run: (ctx) => ctx.signal('never') })
    const child = workflow({
      name: 'child',
      run: (ctx) =>
        ctx.all([
          (own) => own.child(grandchild, undefined, { id: 'grandchild' }),
          () => {
            throw new TypeError('a fault of the code')
          },
        ]),
    })
    const parent = workflow({
      name: 'parent',
      run: async (ctx) => {
        try {
          return await ctx.child(child, undefined, { id: 'child' })
        } catch (error) {
          return String(error)
        }
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [parent, child, grandchild] }))
      .when(
        starting(parent, undefined, { id: 'parent' }),
        waiting(1_000),
        doing((spine) => spine.workflows.terminate(child, 'child', 'ada')),
        waiting(1_000),
      )
      .then((seen) => {
        const states = Object.fromEntries(seen.workflows.map(({ id, state }) => [id, state]))
        expect(states).toEqual({ parent: 'completed', child: 'terminated', grandchild: 'cancelled' })
        expect(seen.workflows.find(({ id }) => id === 'parent')?.output).toContain('ended as terminated')
        expect(seen.workflows.every(({ attention }) => attention === null)).toBe(true)
      })
  })
})

describe('cancel', () => {
  test('reaches one that waits for a person: what it did is undone, and its letter goes (I54)', async () => {
    const effects = sideEffects()
    const faulty = workflow({
      name: 'faulty',
      run: async (ctx) => {
        await ctx.step('charge', () => effects.record('charge'), { undo: () => effects.record('refund') })
        throw new TypeError('a fault of the code')
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [faulty] }), { sideEffects: effects })
      .when(
        starting(faulty, undefined, { id: 'f' }),
        waiting(5_000),
        doing(async (spine) => {
          expect((await spine.workflows.show(faulty, 'f'))?.attention?.message).toContain(
            'a fault of the code',
          )
          await spine.workflows.cancel(faulty, 'f', 'ada', 'not worth it')
        }),
        waiting(5_000),
      )
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'compensated', attention: null }])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['charge', 'refund'])
        const ended = seen.workflows[0]?.history.find(({ kind }) => kind === 'ended')
        expect(ended?.data).toMatchObject({
          cancelled: { by: 'ada', reason: 'not worth it' },
        })
      })
  })

  test('leaves the letter of what it cannot reach: it may hold what stands nowhere else', async () => {
    let changed = false
    const other = workflow({
      name: 'other',
      run: async (ctx) => {
        await ctx.step(changed ? 'after' : 'before', () => 1)
        return ctx.signal('go')
      },
    })
    const letterOf = async (spine: Eventspine) => (await spine.workflows.show(other, 'o'))?.attention?.letter
    let letter: string | undefined
    await scenario(defineApp({ name: 'a', workflows: [other] }))
      .when(
        starting(other, undefined, { id: 'o' }),
        waiting(1_000),
        doing(async (spine) => {
          changed = true
          await spine.workflows.signal(other, 'o', 'go', 'now')
        }),
        waiting(1_000),
        doing(async (spine) => {
          letter = await letterOf(spine)
          await spine.workflows.cancel(other, 'o', 'ada')
        }),
        waiting(1_000),
        doing(async (spine) => {
          expect(letter).toEqual(expect.any(String))
          expect(await letterOf(spine)).toBe(letter)
          changed = false
          await spine.workflows.retry(other, 'o', 'ada')
        }),
        waiting(60_000),
      )
      .then((seen) => expect(seen.workflows).toMatchObject([{ state: 'completed', output: 'now' }]))
  })
})

test('what a person did with an instance stands in the audit, with who and why (I74)', async () => {
  const asks = workflow({
    name: 'asks',
    run: async (ctx) => {
      await ctx.step('first', () => 1, { undo: () => {} })
      await ctx.approval('pay')
      await ctx.signal('never')
    },
  })
  await scenario(defineApp({ name: 'a', workflows: [asks] }))
    .when(
      ...['one', 'two'].map((id) => starting(asks, undefined, { id })),
      waiting(1_000),
      doing((spine) =>
        spine.workflows.approve(asks, 'one', 'pay', { approved: true, by: 'ada', reason: 'paid' }),
      ),
      doing((spine) => spine.workflows.approve(asks, 'two', 'pay', { approved: false, by: 'bob' })),
      waiting(1_000),
      doing((spine) => spine.workflows.cancel(asks, 'one', 'eve', 'a mistake')),
      doing((spine) => spine.workflows.terminate(asks, 'two', 'eve')),
      waiting(1_000),
      doing((spine) => spine.workflows.restart(asks, 'one', 'eve')),
      doing(async (spine) => {
        const { items } = await spine.operator().audit()
        const acts = items.map(({ actor, action, target, details }) => [
          actor,
          action,
          target,
          details['reason'],
        ])
        expect(acts).toEqual([
          ['eve', 'workflow.restart', 'asks one', null],
          ['eve', 'workflow.terminate', 'asks two', null],
          ['eve', 'workflow.cancel', 'asks one', 'a mistake'],
          ['bob', 'workflow.refuse', 'asks two', null],
          ['ada', 'workflow.approve', 'asks one', 'paid'],
        ])
      }),
    )
    .then((seen) => expect(seen.workflows).toHaveLength(3))
})

describe('restart', () => {
  test('goes on from a step, with what was there before it, on the mended code', async () => {
    const effects = sideEffects()
    let broken = true
    const report = workflow({
      name: 'report',
      run: async (ctx) => {
        const drawn = ctx.random()
        const read = await ctx.step('read', () => {
          effects.record('read')
          return 'x'.repeat(3)
        })
        await ctx.sleep(5_000)
        const sent = await ctx.step('send', () => {
          effects.record('send')
          if (broken) throw new PermanentError('no paper')
          return `${read} sent`
        })
        return [drawn, ctx.random(), sent]
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [report] }), { sideEffects: effects })
      .when(
        starting(report, undefined, { id: 'r' }),
        waiting(60_000),
        doing(async (spine) => {
          expect(await refusal(spine.workflows.restart(report, 'r', 'ada', { from: 'print' }))).toBe(
            'NOT_FOUND',
          )
          broken = false
          expect((await spine.workflows.restart(report, 'r', 'ada', { from: 'send' })).id).toBe('r~2')
        }),
        waiting(60_000),
        doing((spine) => spine.workflows.restart(report, 'r~2', 'ada', { as: 'whole' })),
      )
      .then((seen) => {
        const [first, second, whole] = seen.workflows
        expect(first?.state).toBe('failed')
        expect(second?.state).toBe('completed')
        const [drawn, next, sent] = (second?.output ?? []) as [number, number, string]
        expect(sent).toBe('xxx sent')
        expect(whole?.output).toEqual([drawn, next, sent])
        expect(second?.history[0]?.data).toMatchObject({ restart: { of: 'r' } })
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['read', 'send', 'send', 'read', 'send'])
      })
  })

  test('is refused while it runs, and from a step of what is undone', async () => {
    const { checkout, effects } = shop()
    const waits = workflow({ name: 'waits', run: (ctx) => ctx.signal('go') })
    await scenario(defineApp({ name: 'a', workflows: [checkout, waits] }), { sideEffects: effects })
      .when(
        starting(waits, undefined, { id: 'w' }),
        starting(checkout, { order: 'o', fails: 'ship' }, { id: 'o' }),
        waiting(1_000),
        doing(async (spine) => {
          expect(await refusal(spine.workflows.restart(waits, 'w', 'ada'))).toBe('WORKFLOW_RUNNING')
          const undone = spine.workflows.restart(checkout, 'o', 'ada', { from: 'ship' })
          expect(await refusal(undone)).toBe('REQUEST_INVALID')
          expect((await spine.workflows.restart(checkout, 'o', 'ada')).id).toBe('o~2')
        }),
      )
      .then((seen) => {
        expect(seen.workflows.find(({ id }) => id === 'o~2')).toMatchObject({ state: 'compensated' })
      })
  })
})

describe('large answers', () => {
  test('lie in the object store, and are given whole when the code runs again', async () => {
    const large = 'x'.repeat(200_000)
    let fails = 2
    const heavy = workflow({
      name: 'heavy',
      run: async (ctx) => {
        const answer = await ctx.step('weigh', () => large)
        await ctx.sleep(5_000)
        return await ctx.step('look', () => {
          if (fails-- > 0) throw new TransientError('again')
          return answer === large
        })
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [heavy] }))
      .when(starting(heavy, undefined))
      .then((seen) => {
        expect(seen.workflows).toMatchObject([{ state: 'completed', output: true }])
        const entry = seen.workflows[0]?.history.find(({ kind }) => kind === 'step-claimed')
        expect(JSON.stringify(entry?.data).length).toBeLessThan(500)
      })
  })
})
