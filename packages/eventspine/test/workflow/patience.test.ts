// Waits that end by time: what was accepted before that is given, whoever was away; and calls that come to nothing.
import { defineApp, defineEvent, Eventspine, PermanentError, retries } from 'eventspine'
import { scenario, sideEffects, signalling, starting, waiting } from 'eventspine/testing'
import { ChildError, StepError, workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Stage } from './stage.js'

const day = 86_400_000
const only = <Item>(items: readonly Item[]): Item => {
  expect(items).toHaveLength(1)
  return items[0] as Item
}
const said = defineEvent({ type: 'tests.said', schema: z.object({ word: z.string() }) })

describe('a signal that was accepted in time (I47)', () => {
  test('is given, also where nobody worked when the time was over', async () => {
    const asks = workflow({
      name: 'asks',
      run: async (ctx) => (await ctx.signal('paid', { timeoutMs: 3 * day })) ?? 'late',
    })
    const stage = new Stage(1)
    const app = defineApp({ name: 'a', workflows: [asks] })
    const first = stage.spine(app)
    await stage.until(first.start())
    await stage.until(first.workflows.start(asks, undefined, { id: 'one' }))
    await stage.clock.advance(2_000)
    await stage.until(first.stop())
    const teller: Eventspine = stage.spine(app, stage.store, { work: false })
    await stage.until(teller.start())
    stage.clock.shiftWall(2.9 * day)
    await stage.until(teller.workflows.signal(asks, 'one', 'paid', 'in time'))
    stage.clock.shiftWall(0.2 * day)
    const second = stage.spine(app)
    await stage.until(second.start())
    await stage.clock.advance(5_000)
    const shown = await stage.until(second.workflows.show(asks, 'one'))
    expect(shown).toMatchObject({ state: 'completed', output: 'in time' })
    await stage.until(Promise.all([teller.stop(), second.stop()]))
  })

  test('is given also within a patience of half a second, and while another branch is busy', async () => {
    const hasty = workflow({
      name: 'hasty',
      run: async (ctx) => (await ctx.signal('go', { timeoutMs: 900 })) ?? 'late',
    })
    let end = () => {}
    const busy = workflow({
      name: 'busy',
      run: (ctx) =>
        ctx.all([
          async (own) => (await own.signal('go', { timeoutMs: 2_000 })) ?? 'late',
          (own) =>
            own.step('long', () => new Promise<string>((resolve) => (end = () => resolve('done'))), {
              deadlineMs: 60_000,
            }),
        ]),
    })
    const ending = { happen: async () => (end(), []) }
    await scenario(defineApp({ name: 'a', workflows: [hasty, busy] }))
      .when(
        starting(hasty, undefined, { id: 'h' }),
        signalling(hasty, 'h', 'go', 'soon'),
        starting(busy, undefined, { id: 'b' }),
        signalling(busy, 'b', 'go', 'soon'),
        waiting(5_000),
        ending,
      )
      .then((seen) => {
        const outputs = Object.fromEntries(seen.workflows.map(({ id, output }) => [id, output]))
        expect(outputs).toEqual({ h: 'soon', b: ['soon', 'done'] })
      })
  })

  test('without end is no timer, and a sleep without end is refused', async () => {
    const patient = workflow({
      name: 'patient',
      run: (ctx) => ctx.signal('go', { timeoutMs: Number.POSITIVE_INFINITY }),
    })
    const asleep = workflow({ name: 'asleep', run: (ctx) => ctx.sleep(Number.POSITIVE_INFINITY) })
    await scenario(defineApp({ name: 'a', workflows: [patient, asleep] }))
      .when(starting(patient, undefined, { id: 'p' }), starting(asleep, undefined, { id: 's' }), waiting(day))
      .then((seen) => {
        const attention = seen.workflows.map((each) => each.attention?.message)
        expect(attention).toEqual([undefined, expect.stringContaining('ten years')])
      })
  })
})

describe('calls that come to nothing', () => {
  test('what cannot be published can be caught', async () => {
    const speaks = workflow({
      name: 'speaks',
      run: async (ctx) => {
        try {
          await ctx.publish(said, { word: 7 } as never)
        } catch (error) {
          return error instanceof StepError && error.category
        }
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [speaks], events: [said] }))
      .when(starting(speaks, undefined))
      .then((seen) =>
        expect(only(seen.workflows)).toMatchObject({ state: 'completed', output: 'validation' }),
      )
  })

  test('a child whose id is taken, or is none, is a failure of its call', async () => {
    const child = workflow({ name: 'child', run: (ctx) => ctx.signal('never') })
    const parent = workflow({
      name: 'parent',
      run: async (ctx, id: string) => {
        try {
          return await ctx.child(child, undefined, { id })
        } catch (error) {
          return error instanceof ChildError ? error.message : `other: ${String(error)}`
        }
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [parent, child] }))
      .given(starting(child, undefined, { id: 'taken' }))
      .when(starting(parent, 'taken', { id: 'p' }), starting(parent, 'a\tb', { id: 'q' }))
      .then((seen) => {
        const of = (id: string) => seen.workflows.find((each) => each.id === id)
        expect(of('p')?.output).toContain('There is an instance taken of workflow "child" already')
        expect(of('q')?.output).toContain('without control characters')
        expect(of('taken')).toMatchObject({ state: 'running' })
      })
  })

  test('a fault of the code leaves its children alone: it goes on with them when it is mended', async () => {
    const child = workflow({ name: 'child', run: (ctx) => ctx.signal('go') })
    const parent = workflow({
      name: 'parent',
      run: async (ctx) => {
        const answer = ctx.child(child, undefined, { id: 'c' })
        await ctx.step('step', () => 1)
        const nothing = undefined as unknown as { readonly field: string }
        return [nothing.field, await answer]
      },
    })
    await scenario(defineApp({ name: 'a', workflows: [parent, child] }))
      .when(starting(parent, undefined, { id: 'p' }), waiting(2_000))
      .then((seen) => {
        const of = (id: string) => seen.workflows.find((each) => each.id === id)
        expect(of('p')?.attention).not.toBeNull()
        expect(of('c')).toMatchObject({ state: 'running' })
      })
  })
})

describe('a step whose deadline passes', () => {
  const paying = (last: (signal: AbortSignal) => Promise<unknown>, effects = sideEffects()) => {
    const pays = workflow({
      name: 'pays',
      retry: retries.none(),
      run: (ctx) =>
        ctx.step(
          'pay',
          async ({ signal }) => {
            effects.record('pay')
            return await last(signal)
          },
          { deadlineMs: 60_000, undo: (charge) => effects.record('refund', charge ?? 'in doubt') },
        ),
    })
    return scenario(defineApp({ name: 'a', workflows: [pays] }), {
      sideEffects: effects,
      realMsMax: 20,
    }).when(starting(pays, undefined))
  }
  const aborted = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve))

  test('has the last word: what it answers when it is told to end is its answer', async () => {
    await paying(async (signal) => {
      await aborted(signal)
      return 'charge 7'
    }).then((seen) => {
      expect(seen.workflows).toMatchObject([{ state: 'completed', output: 'charge 7' }])
      expect(seen.sideEffects.map(({ name }) => name)).toEqual(['pay'])
    })
  })

  test('is undone in doubt where it says nothing', async () => {
    await paying(() => new Promise(() => {})).then((seen) => {
      expect(seen.workflows).toMatchObject([{ state: 'compensated', failure: { category: 'timeout' } }])
      expect(seen.sideEffects).toEqual([
        { name: 'pay', details: undefined },
        { name: 'refund', details: 'in doubt' },
      ])
    })
  })

  test('fails as it says where it throws', async () => {
    await paying(async (signal) => {
      await aborted(signal)
      throw new PermanentError('declined')
    }).then((seen) =>
      expect(seen.workflows).toMatchObject([
        { state: 'compensated', failure: { message: expect.stringContaining('declined') } },
      ]),
    )
  })
})
