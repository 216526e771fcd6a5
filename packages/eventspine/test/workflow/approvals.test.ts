// Instances that wait for the decision of a person are found, with what they ask, for as long as they do, and no longer.
import { defineApp, PermanentError, TransientError } from 'eventspine'
import { type AnyWorkflow, type InstanceView, workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { Stage } from './stage.js'

const hour = 3_600_000

async function open(...workflows: AnyWorkflow[]) {
  const stage = new Stage(7)
  const spine = stage.spine(defineApp({ name: 'tests', workflows }))
  await stage.until(spine.start())
  const awaiting = async (): Promise<readonly InstanceView[]> =>
    (await stage.until(spine.workflows.list({ state: 'awaiting-approval' }))).items
  const pass = (ms: number) => stage.until(stage.clock.sleep(ms))
  return {
    ...{ stage, spine, pass, awaiting },
    start: async (definition: AnyWorkflow, id: string, input?: unknown) => {
      await stage.until(spine.workflows.start(definition, input, { id }))
      await pass(1_000)
    },
    approve: async (definition: AnyWorkflow, id: string, name: string, approved = true) => {
      await stage.until(spine.workflows.approve(definition, id, name, { approved, by: 'ada' }))
      await pass(1_000)
    },
    ids: async () => (await awaiting()).map(({ workflow: own, id }) => `${own} ${id}`),
    counted: async () => (await stage.until(spine.operator().overview())).awaitingApproval,
  }
}

const refund = workflow({
  name: 'refund',
  run: async (ctx) => {
    const options = { to: 'finance', text: 'Pay 40 € back?', timeoutMs: 2 * hour }
    const decision = await ctx.approval('pay', options)
    await ctx.step('pay', () => decision?.approved ?? false)
    await ctx.signal('sent')
  },
})

test('is found while it waits for a decision, and shows which', async () => {
  const { start, stage, awaiting, approve, ids, counted, spine } = await open(refund)
  await start(refund, 'r-1')
  const now = stage.clock.now()
  const [found] = await awaiting()
  expect(found).toMatchObject({ id: 'r-1', state: 'running', attention: null })
  expect(found?.approval).toMatchObject({ name: 'pay', to: 'finance', text: 'Pay 40 € back?', open: 1 })
  expect(found?.approval?.askedAtMs).toBeLessThanOrEqual(now)
  expect(found?.approval?.dueAtMs).toBeGreaterThan(now + hour)
  const shown = await stage.until(spine.workflows.show(refund, 'r-1'))
  expect(shown?.approval).toEqual(found?.approval)
  const { question, dueAtMs } = found?.approval ?? {}
  expect(shown?.questions).toMatchObject([{ question, dueAtMs }])
  expect(await counted()).toBe(1)
  // What comes besides is no answer.
  await stage.until(spine.workflows.signal(refund, 'r-1', 'sent'))
  expect(await ids()).toEqual(['refund r-1'])
  await approve(refund, 'r-1', 'pay', false)
  expect([await ids(), await counted()]).toEqual([[], 0])
})

test('is not found once nobody decided in time', async () => {
  const { start, pass, ids } = await open(refund)
  await start(refund, 'r-1')
  await pass(2 * hour)
  expect(await ids()).toEqual([])
})

test('is not found once it was asked to end, or ended where it stood', async () => {
  const saga = workflow({
    name: 'saga',
    run: async (ctx) => {
      await ctx.step('reserve', () => 1, { undo: () => undefined })
      const decision = await ctx.approval('ship')
      if (!decision?.approved) throw new PermanentError('refused')
      await ctx.approval('again')
    },
  })
  const { start, ids, stage, spine, pass, approve } = await open(saga)
  for (const id of ['cancelled', 'terminated', 'refused', 'asks on']) await start(saga, id)
  expect(await ids()).toEqual(['saga asks on', 'saga refused', 'saga terminated', 'saga cancelled'])
  await stage.until(spine.workflows.cancel(saga, 'cancelled', 'ada'))
  await stage.until(spine.workflows.terminate(saga, 'terminated', 'ada'))
  await approve(saga, 'refused', 'ship', false)
  await approve(saga, 'asks on', 'ship')
  await pass(1_000)
  expect(await ids()).toEqual(['saga asks on'])
  const { items } = await stage.until(spine.workflows.list())
  expect(items.map(({ state, approval }) => [state, approval?.name])).toEqual([
    ['running', 'again'],
    ['compensated', undefined],
    ['terminated', undefined],
    ['compensated', undefined],
  ])
})

test('is not found for a question whose branch lost a race', async () => {
  const races = workflow({
    name: 'races',
    run: async (ctx) => {
      const won = await ctx.race([
        (own) => own.approval('ask', {}).then(() => 'decided'),
        (own) => own.signal('forget it').then(() => 'forgotten'),
      ])
      await ctx.signal('end')
      return won
    },
  })
  const { start, ids, stage, spine, pass } = await open(races)
  await start(races, 'r')
  expect(await ids()).toEqual(['races r'])
  await stage.until(spine.workflows.signal(races, 'r', 'forget it'))
  await pass(1_000)
  expect(await ids()).toEqual([])
})

test('several that are asked at once are one instance, until the last of them is decided', async () => {
  const board = workflow({
    name: 'board',
    run: async (ctx) => {
      await ctx.all(['ann', 'bob', 'cy'].map((to) => (own) => own.approval(`vote of ${to}`, { to })))
    },
  })
  const { start, awaiting, approve, counted, ids } = await open(board)
  await start(board, 'b')
  const first = async () => {
    const [found] = await awaiting()
    return [found?.approval?.name, found?.approval?.open]
  }
  expect(await first()).toEqual(['vote of ann', 3])
  await approve(board, 'b', 'vote of ann')
  expect([await first(), await counted()]).toEqual([['vote of bob', 2], 1])
  await approve(board, 'b', 'vote of cy')
  expect(await first()).toEqual(['vote of bob', 1])
  await approve(board, 'b', 'vote of bob')
  expect(await ids()).toEqual([])
})

test('of a parent and its child, the one that asks is found', async () => {
  const parent = workflow({
    name: 'parent',
    run: async (ctx) => ctx.child(refund, undefined, { id: 'c-1' }),
  })
  const { start, ids, approve } = await open(parent, refund)
  await start(parent, 'p')
  expect(await ids()).toEqual(['refund c-1'])
  await approve(refund, 'c-1', 'pay')
  expect(await ids()).toEqual([])
})

test('a step that is tried again in another branch neither hides nor repeats what is asked', async () => {
  let tries = 0
  const flaky = workflow({
    name: 'flaky',
    run: async (ctx) => {
      await ctx.all([
        (own) => own.approval('go'),
        (own) =>
          own.step('call', () => {
            tries++
            if (tries < 4) throw new TransientError('not yet')
            return tries
          }),
      ])
    },
  })
  const { start, awaiting, approve, pass, ids } = await open(flaky)
  await start(flaky, 'f')
  const [before] = await awaiting()
  await pass(hour)
  expect(tries).toBe(4)
  const [after] = await awaiting()
  expect(after?.approval).toEqual(before?.approval)
  expect(after?.approval?.open).toBe(1)
  await approve(flaky, 'f', 'go')
  expect(await ids()).toEqual([])
})

test('one that is halted in another branch waits for both', async () => {
  const halts = workflow({
    name: 'halts',
    run: async (ctx) => {
      await ctx.step('over', () => 1, { pivot: true })
      await ctx.all([
        (own) => own.approval('go'),
        (own) =>
          own.step('call', () => {
            throw new PermanentError('broken')
          }),
      ])
    },
  })
  const { start, awaiting } = await open(halts)
  await start(halts, 'h')
  expect(await awaiting()).toMatchObject([
    { attention: { message: expect.stringContaining('broken') }, approval: { name: 'go' } },
  ])
})
