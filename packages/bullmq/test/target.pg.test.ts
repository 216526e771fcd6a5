// Events that become jobs: what of an event is where in its job, that a repeat is one job, and what becomes of it without Redis.
import { defineApp, defineEvent, retries } from 'eventspine'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { eventsOf, running, until } from '../../../test/spine.js'
import { type BullmqTargetOptions, bullmqSource, toBullmq } from '../src/index.js'
import { hasRedis, TestRedis } from './redis.js'

const placed = defineEvent({ type: 'orders.placed', schema: z.object({ n: z.int() }) })
const echoed = defineEvent({ type: 'orders.echoed', schema: z.object({ n: z.int() }) })

function targetOf(redis: TestRedis, options: Partial<BullmqTargetOptions<typeof placed>> = {}) {
  return toBullmq({
    ...{ name: 'onward', on: placed, queue: 'orders', connection: redis.connection },
    retry: retries.standard({ timeScale: 0.1, attemptsMax: 100 }),
    ...options,
  })
}

const appOf = (...targets: ReturnType<typeof targetOf>[]) =>
  defineApp({ name: 'shop', subscriptions: targets })

describe.skipIf(!hasRedis)('a queue of BullMQ (needs redis-server)', () => {
  test('an event is a job: its data, its type and its trace are those of the job', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    const options = (event: { data: { n: number } }) => ({ attempts: 7, priority: event.data.n })
    const spine = await running(appOf(targetOf(redis, { options })))
    const { id } = await spine.publish(placed, { n: 3 }, { id: 'till:3' })
    const [job] = await until(async () => {
      const jobs = await queue.getJobs(['prioritized'])
      return jobs.length > 0 ? jobs : null
    })
    const [event] = await eventsOf(spine, placed.type, 1)
    expect(id).toBe('till:3')
    expect(job).toMatchObject({ name: 'orders.placed', data: { n: 3 }, opts: { attempts: 7, priority: 3 } })
    expect(job?.id).toMatch(/^till\.3_[0-9a-f]{16}$/)
    expect(JSON.parse(job?.opts.telemetry?.metadata ?? '')).toEqual({ traceparent: event?.traceparent })
  })

  test('a repeat is one job; another publisher with the same id, and a replay, are not', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    const spine = await running(appOf(targetOf(redis), targetOf(redis, { name: 'onward-again' })))
    const count = () => queue.getWaitingCount()
    const settled = async (completed: number) =>
      until(async () =>
        (await spine.operator().subscriptions()).every(
          (each) => each.completed === completed && each.lagEvents === 0,
        ),
      )
    await spine.publish(placed, { n: 1 }, { id: '1', source: '/a' })
    await settled(1)
    expect(await count()).toBe(1)
    await spine.publish(placed, { n: 1 }, { id: '1', source: '/b' })
    await settled(2)
    expect(await count()).toBe(2)
    await spine.operator().replay({ subscription: 'onward', from: 'beginning', external: true, actor: 'ann' })
    await until(async () => (await count()) === 4)
  })

  test('events wait for a Redis that is away, and lose none', async () => {
    const redis = await TestRedis.make()
    const spine = await running(appOf(targetOf(redis)))
    const publish = (from: number) =>
      Promise.all(Array.from({ length: 20 }, (_, n) => spine.publish(placed, { n: from + n })))
    await publish(0)
    const retrying = () => until(async () => ((await spine.operator().subscriptions())[0]?.retrying ?? 0) > 0)
    await retrying()
    await redis.start()
    const queue = redis.queue()
    await until(async () => (await queue.getWaitingCount()) === 20)
    await redis.kill()
    await publish(20)
    await retrying()
    await redis.start()
    await until(async () => (await queue.getWaitingCount()) === 40)
    const jobs = await queue.getWaiting()
    expect(new Set(jobs.map(({ data }) => data.n)).size).toBe(40)
  }, 60_000)

  test('an event whose job Redis does not let in is a dead letter that says why', async () => {
    const redis = await TestRedis.started()
    const user = ['SETUSER', 'shop', 'on', '>secret', '~*', '+@all', '-@scripting']
    await redis.command('ACL', ...user)
    const connection = { ...redis.connection, username: 'shop', password: 'secret' }
    const spine = await running(appOf(targetOf(redis, { connection })))
    await spine.publish(placed, { n: 1 })
    const [letter] = await until(async () => {
      const { items } = await spine.operator().deadLetters({ state: 'dead' })
      return items.length > 0 ? items : null
    })
    expect(letter?.failure).toMatchObject({ category: 'permanent' })
    expect(letter?.failure.message).toMatch(/NOPERM.*redrive/)
  })

  test('a trace goes through the queue and on', async () => {
    const redis = await TestRedis.started()
    const back = bullmqSource({
      ...{ name: 'back', queue: 'orders', connection: redis.connection },
      to: (message) => ({ event: echoed, data: message.json() }),
    })
    const spine = await running(defineApp({ name: 'echo', events: [echoed], sources: [back] }))
    const shop = await running(appOf(targetOf(redis)))
    await shop.publish(placed, { n: 1 }, { traceparent: `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01` })
    const [event] = await eventsOf(spine, echoed.type, 1)
    expect(event?.traceparent).toContain('a1'.repeat(16))
  })
})

test('an app that would empty the queue that it fills is refused', () => {
  const connection = { host: 'redis.example', password: 'secret' }
  const target = toBullmq({ name: 'onward', on: placed, queue: 'orders', connection })
  const appWith = (queue: string, url: string) => () =>
    defineApp({
      ...{ name: 'shop', subscriptions: [target] },
      sources: [bullmqSource({ name: 'back', queue, connection: { url }, to: () => null })],
    })
  expect(appWith('orders', 'rediss://redis.example:6379')).toThrow(
    /source "back": brings in again what the subscription "onward" writes to redis:\/\/redis\.example:6379\/0 "bull" "orders".*take two queues/,
  )
  expect(appWith('orders', 'redis://redis.example/1')).not.toThrow()
  expect(appWith('letters', 'redis://redis.example')).not.toThrow()
})

test('wrong options are refused with what to write', () => {
  expect(() => toBullmq({ name: 'onward', on: placed, queue: '', connection: {} })).toThrow(/queue is ""/)
})
