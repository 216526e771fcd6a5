// What a replay is said to deliver before it is started is what it delivers then.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, until } from './support.js'

const schema = z.object({ n: z.number().int() })
const placed = defineEvent({ type: 'orders.order-placed', schema })
const shipped = defineEvent({ type: 'orders.order-shipped', schema })
const handle = () => {}
const small = { data: { n: [{ numeric: ['<', 15] }] } }
const app = defineApp({
  name: 'orders',
  events: [placed, shipped],
  subscriptions: [
    defineSubscription({ name: 'all', on: 'orders.*', handle, external: false }),
    defineSubscription({ name: 'placed', on: placed, handle, external: false }),
    defineSubscription({ name: 'small', on: 'orders.*', filter: small, handle, external: false }),
  ],
})

it('counts what the replay delivers from the chosen start on, by types and by filter', async () => {
  const spine = await running(app, freshSchema())
  for (let n = 0; n < 20; n++) await spine.publish(placed, { n })
  const { id } = await spine.publish(shipped, { n: 20 })
  for (let n = 10; n < 14; n++) await spine.publish(shipped, { n })
  await quiet(spine)
  const operator = spine.operator()
  const middle = new Date((await operator.event(id))?.event.recordedAt ?? '')
  const wanted = [
    ['all', 'beginning', 25],
    ['placed', 'beginning', 20],
    ['small', 'beginning', 19],
    ['all', middle, 5],
    ['placed', middle, 0],
    ['small', middle, 4],
    ['all', new Date(Date.now() + 3_600_000), 0],
  ] as const
  const asked = await Promise.all(
    wanted.map(async ([subscription, from]) => ({
      preview: await operator.previewReplay({ subscription, from }),
      replay: await operator.replay({ subscription, from, actor: 'ada' }),
    })),
  )
  expect(asked.map(({ preview }) => [preview.events, preview.beyond])).toEqual(
    wanted.map(([, , events]) => [events, 0]),
  )
  for (const [at, { replay }] of asked.entries()) {
    const done = await until(async () => {
      const now = await operator.replayStatus(replay.id)
      return now?.state === 'completed' ? now : undefined
    })
    expect([at, done.matched]).toEqual([at, wanted[at]?.[2]])
  }
})

it('looks at a bounded number of events, and says how many lie behind them', async () => {
  const spine = await running(app, freshSchema())
  const chunks = Array.from({ length: 21 }, (_, chunk) => Array.from({ length: 100 }, () => chunk))
  for (const chunk of chunks) await Promise.all(chunk.map((n) => spine.publish(placed, { n })))
  await quiet(spine)
  const operator = spine.operator()
  expect(await operator.previewReplay({ subscription: 'placed' })).toEqual({
    ...{ events: 2_100, scanned: 2_100, beyond: 0 },
  })
  const filtered = await operator.previewReplay({ subscription: 'small' })
  expect(filtered).toEqual({ events: 1_500, scanned: 2_000, beyond: 100 })
  await expect(operator.previewReplay({ subscription: 'smal' })).rejects.toMatchObject({
    ...{ code: 'NOT_FOUND', field: '/subscription' },
  })
})
