// What an instance says that it waits for: signals and events that did not come yet, since when and until when.
import { defineApp, defineEvent } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Stage } from './stage.js'

const paid = defineEvent({
  type: 'tests.paid',
  schema: z.object({ order: z.string() }),
  key: ({ order }) => order,
})

/** An instance `one` of it, and what is asked of it. */
async function begun(flow: ReturnType<typeof workflow>) {
  const stage = new Stage(1)
  const spine = stage.spine(defineApp({ name: 'a', events: [paid], workflows: [flow] }))
  await stage.until(spine.start())
  await stage.until(spine.workflows.start(flow, undefined, { id: 'one' }))
  const settled = () => stage.clock.advance(5_000)
  await settled()
  return {
    stage,
    spine,
    settled,
    waits: async () => (await stage.until(spine.workflows.show(flow, 'one')))?.waits,
    names: async () => (await stage.until(spine.workflows.show(flow, 'one')))?.waits.map(({ name }) => name),
    signal: async (name: string) => {
      await stage.until(spine.workflows.signal(flow, 'one', name, name))
      await settled()
    },
    over: async () => stage.until(spine.stop()),
  }
}

describe('an instance', () => {
  test('waits for a signal and for an event of a key, until each has come', async () => {
    const flow = workflow({
      name: 'flow',
      waitsFor: [paid],
      run: (ctx) =>
        ctx.all([
          (own) => own.signal('go', { timeoutMs: 3_600_000 }),
          (own) => own.signal('stop'),
          (own) => own.waitFor(paid, { key: 'o-1' }),
        ]),
    })
    const { stage, spine, settled, waits, names, signal, over } = await begun(flow as never)
    const [go, stop, event] = (await waits()) ?? []
    expect(go).toMatchObject({ kind: 'signal', name: 'go', place: '0.0/0' })
    expect((go?.dueAtMs ?? 0) - (go?.sinceAtMs ?? 0)).toBeGreaterThanOrEqual(3_600_000)
    expect(stop).toMatchObject({ kind: 'signal', name: 'stop', dueAtMs: null })
    expect(event).toMatchObject({ kind: 'event', name: 'tests.paid', key: 'o-1', dueAtMs: null })
    await signal('go')
    expect(await names()).toEqual(['stop', 'tests.paid'])
    await signal('nobody asks for it')
    expect(await names()).toEqual(['stop', 'tests.paid'])
    await stage.until(spine.publish(paid, { order: 'o-1' }))
    await settled()
    expect(await names()).toEqual(['stop'])
    await signal('stop')
    expect(await waits()).toEqual([])
    await over()
  })

  test('waits for none that was there before it came to it, and for the second of two in their order', async () => {
    const flow = workflow({
      name: 'flow',
      run: async (ctx) => {
        await ctx.signal('first')
        return [await ctx.signal('go'), await ctx.signal('go'), await ctx.signal('go')]
      },
    })
    const { waits, names, signal, over } = await begun(flow as never)
    await signal('go')
    expect(await names()).toEqual(['first'])
    await signal('first')
    expect(await waits()).toMatchObject([{ name: 'go', place: '2' }])
    await signal('go')
    expect(await waits()).toMatchObject([{ name: 'go', place: '3' }])
    await signal('go')
    expect(await waits()).toEqual([])
    await over()
  })

  test('waits no more where its patience is over, its branch has lost, or it ends', async () => {
    const flow = workflow({
      name: 'flow',
      run: async (ctx) => {
        await ctx.signal('late', { timeoutMs: 10_000 })
        await ctx.race([(own) => own.signal('won'), (own) => own.signal('lost')])
        await ctx.signal('lost')
      },
    })
    const { stage, spine, waits, names, signal, over } = await begun(flow as never)
    expect(await names()).toEqual(['late'])
    await stage.clock.advance(20_000)
    expect(await names()).toEqual(['won', 'lost'])
    await signal('won')
    expect(await waits()).toMatchObject([{ name: 'lost', place: '2' }])
    await stage.until(spine.workflows.cancel(flow as never, 'one', 'ann'))
    await stage.clock.advance(5_000)
    expect(await waits()).toEqual([])
    await over()
  })
})
