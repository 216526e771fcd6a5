// An operator's hand on the running engine: pause, replay, remove, changed definitions.

import { defineApp, defineEvent, defineSubscription, TransientError, ValidationError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, until } from './support.js'

const placed = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ n: z.number().int() }),
  key: ({ n }) => `k${n % 5}`,
})
const shipped = defineEvent({ type: 'orders.order-shipped', schema: z.object({ n: z.number().int() }) })

it('pauses so that no attempt starts after the answer, and resumes without loss or repeat (I24)', async () => {
  let started = 0
  let paused = false
  let startedWhilePaused = 0
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'slow',
        on: placed,
        handle: async () => {
          started++
          if (paused) startedWhilePaused++
          await new Promise((resolve) => setTimeout(resolve, 5))
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  const publishing = (async () => {
    for (let n = 0; n < 400; n++) await spine.publish(placed, { n })
  })()
  await until(() => started > 20)
  await spine.operator().pause('slow', 'ada')
  paused = true
  await publishing
  const before = started
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(started).toBe(before)
  paused = false
  await spine.operator().resume('slow', 'ada')
  await quiet(spine)
  expect(startedWhilePaused).toBe(0)
  expect(started).toBe(400)
})

it('replays history into one subscription and into no other (I30)', async () => {
  const first: string[] = []
  const second: string[] = []
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'chart',
        on: placed,
        external: false,
        handle: async (event, context) => {
          first.push(
            `${event.data.n}${context.replay === undefined ? '' : ' again'} ${context.deliveryId.includes('~')}`,
          )
          await context.publish(shipped, { n: event.data.n })
        },
      }),
      defineSubscription({
        name: 'mail',
        on: shipped,
        handle: (event) => void second.push(String(event.data.n)),
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  for (let n = 0; n < 20; n++) await spine.publish(placed, { n })
  await quiet(spine)
  const operator = spine.operator()
  await expect(
    operator.replay({ subscription: 'mail', from: 'beginning', actor: 'ada' }),
  ).rejects.toMatchObject({ code: 'REPLAY_REFUSED' })
  const replay = await operator.replay({ subscription: 'chart', from: 'beginning', actor: 'ada' })
  await until(async () => (await operator.replayStatus(replay.id))?.state === 'completed')
  expect(first.filter((run) => run.endsWith('again true'))).toHaveLength(20)
  expect(first).toHaveLength(40)
  expect(second).toHaveLength(20)
})

it('removes a subscription with a record, and nothing of it runs afterwards (I25)', async () => {
  const schema = freshSchema()
  let runs = 0
  const old = defineSubscription({
    name: 'old',
    on: placed,
    handle: (event) => {
      runs++
      if (event.data.n === 1) throw new ValidationError('bad')
      if (event.data.n === 2) throw new TransientError('later')
    },
  })
  const spine = await running(defineApp({ name: 'orders', subscriptions: [old] }), schema)
  for (let n = 0; n < 4; n++) await spine.publish(placed, { n })
  const operator = spine.operator()
  await until(async () =>
    (await operator.subscriptions()).some((each) => each.dead === 1 && each.retrying === 1),
  )
  await operator.removeSubscription('old', 'ada')
  const before = runs
  await spine.publish(placed, { n: 5 })
  expect(await operator.subscriptions()).toEqual([])
  const [row] = (await operator.audit()).items.filter((each) => each.action === 'subscription.remove')
  expect(row).toMatchObject({ actor: 'ada', target: 'old', details: { deadLetters: 1, deliveries: 1 } })
  expect((await operator.deadLetters({ state: 'discarded' })).items).toHaveLength(1)
  expect(runs).toBe(before)
  await expect(operator.removeSubscription('old', 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

it('records where a changed definition takes effect (I26)', async () => {
  const schema = freshSchema()
  const seen: number[] = []
  const filtered = (least: number) =>
    defineApp({
      name: 'orders',
      subscriptions: [
        defineSubscription({
          name: 'large',
          on: placed,
          filter: { data: { n: [{ numeric: ['>=', least] }] } },
          handle: (event) => void seen.push(event.data.n),
        }),
      ],
    })
  const first = await running(filtered(5), schema)
  for (let n = 0; n < 10; n++) await first.publish(placed, { n })
  await quiet(first)
  await first.stop()
  const second = await running(filtered(8), schema)
  for (let n = 0; n < 10; n++) await second.publish(placed, { n })
  await quiet(second)
  expect([...seen].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 8, 9, 9])
  const changes = (await second.operator().audit()).items.filter(
    (row) => row.action === 'subscription.change',
  )
  expect(changes).toHaveLength(1)
  expect(changes[0]).toMatchObject({
    target: 'large',
    details: { from: { policies: { filter: { data: { n: [{ numeric: ['>=', 5] }] } } } } },
  })
})
