// Workflows on PostgreSQL: several at once, killed at any place, and started by events.
import { defineApp, defineEvent } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, running, until } from '../support.js'

it('many instances, each step of each once', async () => {
  const ran = new Map<string, number>()
  const three = workflow({
    name: 'three',
    input: z.object({ n: z.number() }),
    run: async (ctx, { n }) => {
      let sum = 0
      for (const step of [1, 2, 3])
        sum += await ctx.step(`step ${step}`, () => {
          ran.set(`${n} ${step}`, (ran.get(`${n} ${step}`) ?? 0) + 1)
          return n * step
        })
      return sum
    },
  })
  const spine = await running(defineApp({ name: 'tests', workflows: [three] }), freshSchema())
  const numbers = Array.from({ length: 200 }, (_, n) => n)
  const handles = await Promise.all(numbers.map((n) => spine.workflows.start(three, { n })))
  const results = await Promise.all(handles.map((handle) => handle.result()))
  expect(results).toEqual(numbers.map((n) => n * 6))
  expect([...ran.values()].every((count) => count === 1)).toBe(true)
  expect(ran.size).toBe(600)
})

it('signals, timers, children and events reach it', async () => {
  const asked = defineEvent({ type: 'tests.asked', schema: z.object({ id: z.string() }) })
  const child = workflow({ name: 'child', run: async (ctx) => ctx.signal('answer') })
  const parent = workflow({
    name: 'parent',
    on: { event: asked, id: ({ data }) => data.id },
    run: async (ctx) => {
      await ctx.sleep(1_200)
      return ctx.child(child, undefined, { id: `child of ${ctx.id}` })
    },
  })
  const spine = await running(defineApp({ name: 'tests', workflows: [child, parent] }), freshSchema())
  await spine.publish(asked, { id: 'one' })
  await until(async () => (await spine.workflows.show(child, 'child of one')) !== null)
  await spine.workflows.signal(child, 'child of one', 'answer', 42)
  expect(await spine.workflows.handle(parent, 'one').result()).toBe(42)
})

it('goes on where a process stopped', async () => {
  const ran: string[] = []
  const long = workflow({
    name: 'long',
    run: async (ctx) => {
      await ctx.step('before', () => void ran.push('before'))
      await ctx.sleep(1_500)
      await ctx.step('after', () => void ran.push('after'))
      return 'done'
    },
  })
  const schema = freshSchema()
  const app = defineApp({ name: 'tests', workflows: [long] })
  const first = await running(app, schema)
  const { id } = await first.workflows.start(long, undefined)
  await until(async () => ran.length === 1)
  await first.stop()
  const second = await running(app, schema)
  expect(await second.workflows.handle(long, id).result()).toBe('done')
  expect(ran).toEqual(['before', 'after'])
})
