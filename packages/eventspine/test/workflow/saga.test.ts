// Sagas on the testing kit: the real engine over the store in memory, in virtual time.
import { defineApp, PermanentError, TransientError } from 'eventspine'
import { cancelling, scenario, sideEffects, signalling, starting, waiting } from 'eventspine/testing'
import { workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { doing } from './happenings.js'
import { shop } from './orders.js'
import { Stage } from './stage.js'

const day = 86_400_000
const only = <Item>(items: readonly Item[]): Item => {
  expect(items).toHaveLength(1)
  return items[0] as Item
}

describe('a saga', () => {
  test('undoes what may have happened, the last first', async () => {
    const { checkout, effects } = shop()
    await scenario(defineApp({ name: 'shop', workflows: [checkout] }), { sideEffects: effects })
      .when(starting(checkout, { order: 'a', fails: 'ship' }))
      .then((seen) => {
        expect(only(seen.workflows)).toMatchObject({ state: 'compensated' })
        expect(seen.sideEffects.map(({ name }) => name)).toEqual([
          ...['reserve', 'charge', 'ship'],
          ...['undo ship', 'undo charge', 'undo reserve'],
        ])
      })
  })

  test('a failing undo is retried to its limit, then waits for a person', async () => {
    const effects = sideEffects()
    const broken = workflow({
      name: 'broken',
      run: async (ctx) => {
        await ctx.step('first', () => effects.record('first'), { undo: () => effects.record('undo first') })
        await ctx.step('second', () => effects.record('second'), {
          undo: () => {
            effects.record('undo second')
            throw new TransientError('not now')
          },
        })
        throw new PermanentError('no')
      },
    })
    await scenario(defineApp({ name: 'shop', workflows: [broken] }), { sideEffects: effects })
      .when(starting(broken, undefined))
      .then((seen) => {
        const { state, attention } = only(seen.workflows)
        expect(state).toBe('compensating')
        expect(attention?.message).toContain('Undoing step "second" failed 10 times')
        expect(only(seen.deadLetters).subscription).toBe('workflow-broken')
        const names = seen.sideEffects.map(({ name }) => name)
        expect(names.filter((name) => name === 'undo second')).toHaveLength(10)
        expect(names).not.toContain('undo first')
      })
  })

  test('behind its pivot nothing is undone, and it cannot be cancelled', async () => {
    const effects = sideEffects()
    let left = 12
    const pivots = workflow({
      name: 'pivots',
      run: async (ctx) => {
        await ctx.step('reserve', () => effects.record('reserve'), { undo: () => effects.record('undo') })
        await ctx.step('pay', () => effects.record('pay'), { pivot: true })
        await ctx.signal('go')
        await ctx.step('ship', () => {
          if (left-- > 0) throw new TransientError('no lorry')
          effects.record('ship')
        })
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [pivots] }), { sideEffects: effects })
      .when(
        starting(pivots, undefined, { id: 'p' }),
        waiting(1_000),
        doing((spine) =>
          expect(spine.workflows.cancel(pivots, 'p', 'ida')).rejects.toThrow(
            /behind its point of no return, step "pay"/,
          ),
        ),
        signalling(pivots, 'p', 'go'),
      )
      .then((seen) => {
        const { state, attention } = only(seen.workflows)
        expect([state, attention?.message]).toEqual([
          'running',
          expect.stringContaining('point of no return'),
        ])
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['reserve', 'pay'])
      })
  })

  test('behind its pivot a wish to end that comes anyhow is not heard', async () => {
    const effects = sideEffects()
    const pivots = workflow({
      name: 'pivots',
      deadlineMs: day,
      overdue: 'cancel',
      run: async (ctx) => {
        await ctx.step('reserve', () => effects.record('reserve'), { undo: () => effects.record('undo') })
        await ctx.step('pay', () => effects.record('pay'), { pivot: true })
        await ctx.sleep(2 * day)
        await ctx.step('ship', () => effects.record('ship'))
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [pivots] }), { sideEffects: effects })
      .when(starting(pivots, undefined), waiting(3 * day))
      .then((seen) => {
        expect(only(seen.workflows).history.some(({ kind }) => kind === 'cancel-requested')).toBe(true)
        expect(only(seen.workflows).state).toBe('completed')
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['reserve', 'pay', 'ship'])
      })
  })

  test('a cancelled one comes to the end of its step, and is undone', async () => {
    const effects = sideEffects()
    const long = workflow({
      name: 'long',
      run: async (ctx) => {
        await ctx.step('take', () => effects.record('take'), { undo: () => effects.record('give back') })
        await ctx.sleep(day)
        await ctx.step('late', () => effects.record('late'))
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [long] }), { sideEffects: effects })
      .when(starting(long, undefined, { id: 'l' }), waiting(1_000), cancelling(long, 'l', 'ida', 'no need'))
      .then((seen) => {
        expect(only(seen.workflows).state).toBe('compensated')
        expect(seen.sideEffects.map(({ name }) => name)).toEqual(['take', 'give back'])
      })
  })

  test.each([
    ['by whoever wants it', 'cancel', 0],
    ['by whoever wants it, before a short sleep', 'cancel', 1],
    ['for its deadline', 'deadline', 0],
  ])('one that never waits is cancelled behind the step that runs, %s', async (_, why, sleepMs) => {
    const ran: string[] = []
    const stage = new Stage(2)
    const chain = workflow({
      name: 'chain',
      ...(why === 'deadline' && { deadlineMs: 5_000, overdue: 'cancel' as const }),
      run: async (ctx) => {
        const slow = (name: string) => async () => {
          await stage.clock.sleep(8_000)
          ran.push(name)
        }
        await ctx.step('a', slow('a'), { undo: () => void ran.push('undo a') })
        if (sleepMs > 0) await ctx.sleep(sleepMs)
        await ctx.step('b', slow('b'), { undo: () => void ran.push('undo b') })
        await ctx.step('ship', () => void ran.push('ship'), { pivot: true })
      },
    })
    const spine = stage.spine(defineApp({ name: 'shop', workflows: [chain] }))
    await stage.until(spine.start())
    await stage.until(spine.workflows.start(chain, undefined, { id: 'c' }))
    await stage.clock.advance(2_000)
    if (why === 'cancel') await stage.until(spine.workflows.cancel(chain, 'c', 'ida'))
    await stage.clock.advance(60_000)
    expect(ran).toEqual(['a', 'undo a'])
    expect((await stage.until(spine.workflows.show(chain, 'c')))?.state).toBe('compensated')
    await stage.until(spine.stop())
  })

  test('what waits for a person goes on when it is sent again, and fails again in the end', async () => {
    let mended = false
    const tried: string[] = []
    const stuck = workflow({
      name: 'stuck',
      run: async (ctx) => {
        await ctx.step('pay', () => {}, {
          undo: () => {
            tried.push('undo')
            if (!mended) throw new TransientError('the bank is closed')
          },
        })
        throw new PermanentError('no')
      },
    })
    const stage = new Stage(1)
    const spine = stage.spine(defineApp({ name: 'shop', workflows: [stuck] }))
    await stage.until(spine.start())
    await stage.until(spine.workflows.start(stuck, undefined, { id: 's' }))
    const redriven = async () => {
      await stage.clock.advance(3_600_000)
      const standing = await stage.until(spine.workflows.show(stuck, 's'))
      await stage.until(
        spine
          .operator()
          .redrive({ filter: { subscription: 'workflow-stuck' }, actor: 'ida' })
          .catch(() => {}),
      )
      return [standing?.state, standing?.attention !== null, tried.length]
    }
    expect(await redriven()).toEqual(['compensating', true, 10])
    expect(await redriven()).toEqual(['compensating', true, 20])
    mended = true
    expect((await redriven()).slice(0, 2)).toEqual(['compensated', false])
    expect(tried.length).toBeGreaterThan(20)
    await stage.until(spine.stop())
  })
})
