// Jobs of a queue that become events: which, how often, and when they are complete.
import { defineApp, defineEvent, EventspineError } from 'eventspine'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { eventsOf, logged, running, until } from '../../../test/spine.js'
import { type BullmqSourceOptions, bullmqSource } from '../src/index.js'
import { hasRedis, TestRedis } from './redis.js'

const placed = defineEvent({ type: 'orders.placed', schema: z.object({ n: z.int() }) })
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

function appOf(redis: TestRedis, given: Partial<BullmqSourceOptions> = {}) {
  const source = bullmqSource({
    ...{ name: 'orders', queue: 'orders', connection: redis.connection },
    to: (message) => ({ event: placed, data: message.json() }),
    ...given,
  })
  return defineApp({ name: 'shop', events: [placed], sources: [source] })
}

describe.skipIf(!hasRedis)('a queue of BullMQ (needs redis-server)', () => {
  test('each job becomes one event, in its trace, and is complete', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`
    await queue.addBulk(numbers(300).map((n) => ({ name: 'placed', data: { n } })))
    await queue.add('placed', { n: 300 }, { telemetry: { metadata: JSON.stringify({ traceparent }) } })
    const seen: Record<string, unknown>[] = []
    const spine = await running(
      appOf(redis, {
        to(message) {
          seen.push(message.headers)
          return { event: placed, data: message.json() }
        },
      }),
    )
    await until(async () => (await queue.getCompletedCount()) === 301)
    const events = await eventsOf(spine, placed.type, 301)
    expect(events.map(({ data }) => (data as { n: number }).n).sort((a, b) => a - b)).toEqual(numbers(301))
    const [job] = await queue.getCompleted(0, 0)
    const event = events.find(({ id }) => id === `${job?.id}-${job?.timestamp}`)
    expect(job?.returnvalue).toEqual({ outcome: 'published', events: [event?.id] })
    const traced = events.find(({ data }) => (data as { n: number }).n === 300)
    expect(traced?.traceparent).toContain('a1'.repeat(16))
    expect(seen.find((headers) => headers['bullmq-job-id'] === job?.id)).toMatchObject({
      ...{ 'bullmq-job-name': 'placed', 'bullmq-queue': 'orders' },
      'bullmq-timestamp': String(job?.timestamp),
    })
  })

  test('what cannot become an event is kept, and its job complete, too', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    await queue.add('placed', { n: 'many' }, { attempts: 3 })
    const spine = await running(appOf(redis))
    await until(async () => (await queue.getCompletedCount()) === 1)
    const [kept] = await eventsOf(spine, 'eventspine.message-kept', 1)
    expect(kept?.data).toMatchObject({ source: 'orders', body: '{"n":"many"}' })
  })

  test('a job too large for the log fails, and is there although failed ones are removed', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    await queue.add('placed', { x: 'x'.repeat(256 * 1024) }, { removeOnFail: true, attempts: 5 })
    await queue.add('placed', { n: 1 })
    await running(appOf(redis))
    await until(async () => (await queue.getFailedCount()) === 1 && (await queue.getCompletedCount()) === 1)
    const [failed] = await queue.getFailed()
    expect(failed?.failedReason).toMatch(/EVENT_TOO_LARGE/)
  })

  test('a job stays in hand while the log is away, under its lock, and spends no attempt', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    let away = true
    let asked = 0
    const spine = await running(
      appOf(redis, {
        options: { lockDuration: 500, stalledInterval: 200 },
        to(message) {
          asked++
          if (away) throw new EventspineError('UNAVAILABLE', 'away', { retryAfterMs: 100 })
          return { event: placed, data: message.json() }
        },
      }),
    )
    await queue.add('placed', { n: 1 })
    // Several times as long as its lock holds by itself.
    await until(() => asked >= 25)
    expect(await queue.getJobCountByTypes('active')).toBe(1)
    expect(await queue.getJobCountByTypes('waiting', 'delayed', 'failed')).toBe(0)
    away = false
    await until(async () => (await queue.getCompletedCount()) === 1)
    const [job] = await queue.getCompleted()
    expect(job).toMatchObject({ attemptsStarted: 1, stalledCounter: 0 })
    expect(await eventsOf(spine, placed.type, 1)).toHaveLength(1)
  })

  test('a worker that stops gives back what it could not store', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    let asked = 0
    const spine = await running(
      appOf(redis, {
        to() {
          asked++
          throw new EventspineError('UNAVAILABLE', 'away', { retryAfterMs: 100 })
        },
      }),
    )
    await queue.addBulk(numbers(5).map((n) => ({ name: 'placed', data: { n }, opts: { attempts: 1 } })))
    await until(() => asked >= 10)
    await spine.stop()
    expect(await queue.getJobCountByTypes('waiting', 'delayed')).toBe(5)
    expect(await queue.getJobCountByTypes('active', 'failed')).toBe(0)
  })

  test('a Redis that is not there is a finding of the doctor, and its jobs come when it is', async () => {
    const redis = await TestRedis.make()
    const spine = await running(appOf(redis))
    const failing = () =>
      until(async () => {
        const { findings } = await spine.operator().doctor()
        return findings.some(({ subject, message }) => subject === 'source orders' && /ECONN/.test(message))
      })
    await failing()
    await redis.start()
    const queue = redis.queue()
    await queue.add('placed', { n: 1 })
    await until(async () => (await queue.getCompletedCount()) === 1)
    await redis.kill()
    await failing()
    await redis.start()
    await queue.add('placed', { n: 2 })
    await until(async () => (await queue.getCompletedCount()) === 2, 30_000)
    expect(await eventsOf(spine, placed.type, 2)).toHaveLength(2)
    expect(logged.filter((line) => line.includes('BullMQ reports'))).toEqual([])
  }, 60_000)

  test('a job that runs again is the same event, and one that has the id of another that is gone is not', async () => {
    const redis = await TestRedis.started()
    const queue = redis.queue()
    const spine = await running(appOf(redis))
    const completed = (started: number) =>
      until(async () => {
        const job = await queue.getJob('order-1')
        return job?.attemptsStarted === started && (await job.isCompleted())
      })
    const job = await queue.add('placed', { n: 1 }, { jobId: 'order-1' })
    await completed(1)
    await job.retry('completed')
    await completed(2)
    await job.remove()
    await queue.add('placed', { n: 1 }, { jobId: 'order-1' })
    await completed(1)
    expect((await eventsOf(spine, placed.type, 2)).map(({ id }) => id)).toEqual([
      `order-1-${job.timestamp}`,
      expect.stringMatching(/^order-1-\d+$/),
    ])
  })
})

test('wrong options are refused with what to write', () => {
  const wrong = (options: object) => () =>
    bullmqSource({ name: 'orders', queue: 'orders', connection: {}, to: () => null, ...options })
  expect(wrong({ queue: '' })).toThrow(/queue is ""; write the name/)
  expect(wrong({ options: { concurrency: 0 } })).toThrow(/concurrency is 0; write a whole number/)
})
