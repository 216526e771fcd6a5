// How subscriptions handle, as an operator sees it while real workers are at it.
import { defineApp, defineEvent, defineSubscription, retries, TransientError } from 'eventspine'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { freshSchema, running, until } from './support.js'

test('shows what all workers have in hand, what waits for a retry, and how long attempts took', async () => {
  const begun = defineEvent({
    type: 'works.begun',
    schema: z.object({ way: z.string() }),
    key: ({ way }) => way,
  })
  let open = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const work = defineSubscription({
    name: 'work',
    on: begun,
    ...{ external: false, shards: 2, concurrency: 40 },
    retry: { ...retries.standard(), delayMs: () => 600_000 },
    handle: ({ data }) => {
      if (data.way === 'fails') throw new TransientError('not now')
      return gate
    },
  })
  const app = defineApp({ name: 'works', events: [begun], subscriptions: [work] })
  const schema = freshSchema()
  const spines = [await running(app, schema), await running(app, schema)]
  const [spine] = spines as [(typeof spines)[number]]
  const owners = async () => (await spine.operator().subscriptions())[0]?.owners.length
  // A shard each: what one worker knows of is not all of it.
  await until(async () => (await owners()) === 2)
  const handling = async () => (await spine.operator().handling())[0]
  expect(await handling()).toMatchObject({
    subscription: 'work',
    running: 0,
    retries: 0,
    runs: 0,
    p50Ms: null,
  })

  for (let at = 0; at < 12; at++) await spine.publish(begun, { way: `waits ${at}` })
  await spine.publish(begun, { way: 'fails' })
  await until(async () => (await handling())?.running === 12)
  await until(async () => (await handling())?.retries === 1)
  const said = (await spine.operator().workers()).map(({ running: own }) => own['work'] ?? 0)
  expect(said.every((each) => each > 0)).toBe(true)
  expect(said).toHaveLength(2)

  open()
  await until(async () => (await handling())?.runs === 13)
  const after = await until(async () => {
    const now = await handling()
    return now?.running === 0 ? now : undefined
  })
  expect(after.p99Ms).toBeGreaterThanOrEqual(after.p50Ms ?? Number.NaN)
  expect(after.retries).toBe(1)
})
