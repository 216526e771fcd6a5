// Versions of a workflow: running instances stay on the code that they were started with.
import { defineApp } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { Stage } from './stage.js'

const first = workflow({
  name: 'greet',
  run: async (ctx) => {
    const name = await ctx.step('ask', () => 'ida')
    await ctx.signal('go')
    return ctx.step('greet', () => `hello ${name}`)
  },
})

const second = workflow({
  name: 'greet',
  version: 2,
  run: async (ctx) => {
    await ctx.signal('go')
    return ctx.step('wave', () => 'waves')
  },
})

const appOf = (...workflows: (typeof first)[]) => defineApp({ name: 'versions', workflows })

async function begun(): Promise<Stage> {
  const stage = new Stage(1)
  const before = stage.spine(appOf(first))
  await stage.until(before.start())
  await stage.until(before.workflows.start(first, undefined, { id: 'old' }))
  await stage.clock.advance(1_000)
  await stage.until(before.stop())
  return stage
}

test('goes on with the code that it was started with, beside newer ones (I56)', async () => {
  const stage = await begun()
  const after = stage.spine(appOf(second, first))
  await stage.until(after.start())
  await stage.until(after.workflows.start('greet', undefined, { id: 'new' }))
  for (const id of ['old', 'new']) await stage.until(after.workflows.signal('greet', id, 'go'))
  expect(await stage.until(after.workflows.handle('greet', 'old').result())).toBe('hello ida')
  expect(await stage.until(after.workflows.handle('greet', 'new').result())).toBe('waves')
  await stage.until(after.stop())
})

test('waits for a process that knows its version (I56)', async () => {
  const stage = await begun()
  const after = stage.spine(appOf(second))
  await stage.until(after.start())
  await stage.until(after.workflows.signal('greet', 'old', 'go'))
  await stage.clock.advance(300_000)
  expect(await stage.until(after.workflows.show('greet', 'old'))).toMatchObject({
    state: 'running',
    entries: 3,
  })
  const knowing = stage.spine(appOf(second, first))
  await stage.until(after.stop())
  await stage.until(knowing.start())
  expect(await stage.until(knowing.workflows.handle('greet', 'old').result({ timeoutMs: 300_000 }))).toBe(
    'hello ida',
  )
  await stage.until(knowing.stop())
})
