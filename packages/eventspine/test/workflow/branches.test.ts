// Branches, children and code that does not repeat, on the testing kit: the real engine over the store in memory, in virtual time.
import { defineApp, defineEvent, PermanentError } from 'eventspine'
import { cancelling, scenario, sideEffects, starting, waiting } from 'eventspine/testing'
import { ChildError, workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const day = 86_400_000
const only = <Item>(items: readonly Item[]): Item => {
  expect(items).toHaveLength(1)
  return items[0] as Item
}

describe('branches', () => {
  test('all, map and race', async () => {
    const fan = workflow({
      name: 'fan',
      run: async (ctx) => {
        const both = await ctx.all([
          async (own) => {
            await own.sleep(2 * day)
            return own.step('slow', () => 'slow')
          },
          (own) => own.step('quick', () => 'quick'),
        ])
        const squares = await ctx.map([1, 2, 3, 4], (each, own) => own.step(`square`, () => each * each), {
          concurrency: 2,
        })
        const first = await ctx.race([
          async (own) => {
            await own.sleep(2 * day)
            return 'late'
          },
          async (own) => {
            await own.sleep(day)
            return 'soon'
          },
        ])
        return { both, squares, first }
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [fan] }))
      .when(starting(fan, undefined))
      .then((seen) =>
        expect(only(seen.workflows).output).toEqual({
          both: ['slow', 'quick'],
          squares: [1, 4, 9, 16],
          first: 'soon',
        }),
      )
  })

  test('a failed branch waits for the others', async () => {
    const effects = sideEffects()
    const fan = workflow({
      name: 'fan',
      run: (ctx) =>
        ctx.all([
          (own) =>
            own.step('fails', () => {
              throw new PermanentError('no')
            }),
          async (own) => {
            await own.sleep(day)
            await own.step('late', () => effects.record('late'))
          },
        ]),
    })
    await scenario(defineApp({ name: 'a', workflows: [fan] }), { sideEffects: effects })
      .when(starting(fan, undefined))
      .then((seen) => {
        expect(only(seen.workflows).state).toBe('failed')
        expect(seen.sideEffects).toHaveLength(1)
      })
  })

  test('children answer, fail and are cancelled', async () => {
    const child = workflow({
      name: 'child',
      input: z.object({ way: z.enum(['well', 'badly', 'never']) }),
      run: async (ctx, { way }) => {
        if (way === 'badly') throw new PermanentError('badly')
        if (way === 'never') await ctx.signal('never')
        return way
      },
    })
    const parent = workflow({
      name: 'parent',
      run: async (ctx) => {
        const well = await ctx.child(child, { way: 'well' })
        const badly = await ctx.child(child, { way: 'badly' }).catch((error: unknown) => error)
        if (!(badly instanceof ChildError)) throw new PermanentError('it should fail')
        await ctx.child(child, { way: 'never' })
        return well
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [child, parent] }))
      .when(starting(parent, undefined, { id: 'p' }), waiting(1_000), cancelling(parent, 'p'))
      .then((seen) => {
        const states = seen.workflows.map(({ workflow: name, state }) => `${name} ${state}`)
        expect(states.sort()).toEqual([
          ...['child cancelled', 'child completed', 'child failed', 'parent cancelled'],
        ])
      })
  })

  test('a child whose branch loses a race is asked to end, and its parent goes on without it', async () => {
    const effects = sideEffects()
    const slow = workflow({
      name: 'slow',
      run: async (ctx) => {
        await ctx.step('book', () => effects.record('book'), { undo: () => effects.record('give back') })
        await ctx.sleep(30 * day)
      },
    })
    const parent = workflow({
      name: 'parent',
      run: (ctx) =>
        ctx.race<unknown>([
          (own) => own.child(slow, undefined, { id: 's' }),
          async (own) => {
            await own.sleep(day)
            return 'without it'
          },
        ]),
    })
    const after = workflow({
      name: 'after',
      run: async (ctx) => {
        await ctx.race<unknown>([(own) => own.child(slow, undefined, { id: 't' }), (own) => own.sleep(day)])
        // The end of the child comes, and is nobody's.
        await ctx.sleep(day)
        return 'went on'
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [parent, after, slow] }), { sideEffects: effects })
      .when(starting(parent, undefined, { id: 'p' }), starting(after, undefined, { id: 'q' }))
      .then((seen) => {
        const ends = Object.fromEntries(seen.workflows.map(({ id, state, output }) => [id, output ?? state]))
        expect(ends).toEqual({ p: 'without it', q: 'went on', s: 'compensated', t: 'compensated' })
        expect(seen.workflows.every(({ attention }) => attention === null)).toBe(true)
        expect(seen.sideEffects.map(({ name }) => name).sort()).toEqual([
          ...['book', 'book', 'give back', 'give back'],
        ])
        expect(seen.elapsedMs).toBeLessThan(5 * day)
      })
  })

  test('what it publishes is in the log once', async () => {
    const greeted = defineEvent({ type: 'a.greeted', schema: z.object({ name: z.string() }) })
    const greets = workflow({
      name: 'greets',
      run: async (ctx) => {
        const { id } = await ctx.publish(greeted, { name: 'ida' })
        await ctx.sleep(day)
        return id
      },
    })
    await scenario(defineApp({ name: 'a', events: [greeted], workflows: [greets] }))
      .when(starting(greets, undefined))
      .then((seen) => {
        expect(only(seen.published)).toEqual({ type: 'a.greeted', data: { name: 'ida' } })
        expect(only(seen.workflows).output).toMatch(/^[0-9a-f-]{36}$/)
      })
  })
})

test('a map begins no further branch once one has failed', async () => {
  const begun: number[] = []
  const maps = workflow({
    name: 'maps',
    run: (ctx) =>
      ctx.map(
        [0, 1, 2, 3, 4],
        (each, own) =>
          own.step('each', () => {
            begun.push(each)
            if (each === 1) throw new PermanentError('no')
          }),
        { concurrency: 1 },
      ),
  })
  await scenario(defineApp({ name: 'a', workflows: [maps] }))
    .when(starting(maps, undefined))
    .then((seen) => {
      expect(only(seen.workflows).state).toBe('failed')
      expect(begun).toEqual([0, 1])
    })
})

describe('code that does not repeat', () => {
  test('is found, explained, and waits for a person', async () => {
    let first = true
    const changes = workflow({
      name: 'changes',
      run: async (ctx) => {
        await ctx.step(first ? 'old' : 'new', () => {})
        first = false
        await ctx.sleep(day)
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [changes] }))
      .when(starting(changes, undefined, { id: 'c' }))
      .then((seen) => {
        const { state, attention } = only(seen.workflows)
        expect(state).toBe('running')
        expect(attention?.message).toContain(
          'its history has step "old", and the code calls step "new" there',
        )
      })
  })

  test('a fault of the code waits for other code', async () => {
    const faulty = workflow({
      name: 'faulty',
      run: async (ctx) => {
        await ctx.step('one', () => 1)
        return (undefined as unknown as { length: number }).length
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [faulty] }))
      .when(starting(faulty, undefined))
      .then((seen) => expect(only(seen.workflows).attention?.message).toContain('undefined'))
  })

  test('awaiting something else is found', async () => {
    const foreign = workflow({
      name: 'foreign',
      run: async (ctx) => {
        await ctx.step('one', () => 1)
        await new Promise(() => {})
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [foreign] }))
      .when(starting(foreign, undefined))
      .then((seen) =>
        expect(only(seen.workflows).attention?.message).toContain(
          'awaits something that is not of its context',
        ),
      )
  })
})
