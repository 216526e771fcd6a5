// A workflow of priority `alarm` moves on while other functions hold all the capacity that they may have.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { afterTest, freshSchema, running, until } from '../support.js'

const called = defineEvent({ type: 'ward.called', schema: z.object({ id: z.string() }), key: ({ id }) => id })
const answered = defineEvent({
  type: 'ward.answered',
  schema: z.object({ id: z.string() }),
  key: ({ id }) => id,
})
const dull = defineEvent({ type: 'ward.dull', schema: z.null() })

const call = (name: string, priority: 'alarm' | 'normal') =>
  workflow({
    name,
    priority,
    on: { event: called, id: ({ data }) => `${name}-${data.id}` },
    waitsFor: [answered],
    run: async (ctx, { id }) => {
      await ctx.step('ring', () => null)
      const answer = await ctx.waitFor(answered, { key: id })
      return answer?.data.id
    },
  })

test('an alarm is not held up by handlers that hang, and a workflow without the priority is', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  afterTest(async () => release())
  let hanging = 0
  const hang = defineSubscription({
    name: 'hang',
    on: dull,
    concurrency: 50,
    handle: async () => {
      hanging += 1
      await held
    },
  })
  const app = defineApp({
    name: 'ward',
    subscriptions: [hang],
    workflows: [call('call', 'alarm'), call('note', 'normal')],
  })
  const spine = await running(app, freshSchema(), { limits: { handlersMax: 6, alarmsReserved: 2 } })
  for (let count = 0; count < 10; count += 1) await spine.publish(dull, null)
  await until(() => hanging === 4)
  await spine.publish(called, { id: '1' })
  await spine.publish(answered, { id: '1' })
  const stateOf = async (name: string) => (await spine.workflows.show(name, `${name}-1`))?.state
  await until(async () => (await stateOf('call')) === 'completed')
  expect(await stateOf('note')).toBeUndefined()
  release()
  await until(async () => (await stateOf('note')) === 'completed')
})

test('a priority that is none is refused', () => {
  const wrong = call('call', 'urgent' as 'alarm')
  expect(() => defineApp({ name: 'ward', workflows: [wrong] })).toThrow(
    /priority is "urgent"; write "alarm" or "normal"/,
  )
})
