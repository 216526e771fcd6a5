// Messages of a queue that become events: which, in which order, how often, and when they leave the queue.
import { createHash } from 'node:crypto'
import { defineApp, defineEvent, EventspineError } from 'eventspine'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventsOf, freshSchema, logged, running, sql, until } from '../../../test/spine.js'
import { type SqsSourceOptions, sqsSource } from '../src/index.js'
import { refuse, type TestQueue, TestSqs } from './queue.js'

const placed = defineEvent({ type: 'orders.placed', schema: z.object({ n: z.int() }) })

function appOf(queue: TestQueue, options: Partial<SqsSourceOptions> = {}) {
  const source = sqsSource({
    ...{ name: 'orders', queueUrl: queue.url, client: queue.sqs.settings, waitSeconds: 1 },
    to: (message) => ({ event: placed, data: message.json() }),
    ...options,
  })
  return defineApp({ name: 'shop', events: [placed], sources: [source] })
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const bodies = (count: number) => numbers(count).map((n) => ({ MessageBody: JSON.stringify({ n }) }))

test('each message becomes one event, in its trace, and leaves the queue', async () => {
  const queue = (await TestSqs.open()).queue()
  const headers: Record<string, unknown>[] = []
  const spine = await running(
    appOf(queue, {
      to(message) {
        headers.push(message.headers)
        return { event: placed, data: message.json() }
      },
    }),
  )
  const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`
  await queue.send([
    ...bodies(120),
    {
      MessageBody: '{"n":120}',
      MessageAttributes: {
        traceparent: { DataType: 'String', StringValue: traceparent },
        'Shop.Id': { DataType: 'Number', StringValue: '7' },
        photo: { DataType: 'Binary', BinaryValue: Buffer.from('abc') },
      },
    },
  ])
  await queue.empty()
  const events = await eventsOf(spine, placed.type, 121)
  expect(new Set(events.map(({ data }) => (data as { n: number }).n))).toEqual(new Set(numbers(121)))
  expect(events).toHaveLength(121)
  const last = events.find(({ data }) => (data as { n: number }).n === 120)
  expect(last?.traceparent).toContain('a1'.repeat(16))
  expect(headers.find((each) => 'photo' in each)).toMatchObject({
    ...{ 'shop.id': '7', photo: 'YWJj', 'sqs-sent-timestamp': expect.stringMatching(/^\d{13}$/) },
  })
})

test('what cannot become an event is kept, and leaves the queue, too', async () => {
  const queue = (await TestSqs.open()).queue()
  const spine = await running(appOf(queue))
  await queue.send([{ MessageBody: '{"n":"many"}' }, ...bodies(1)])
  await queue.empty()
  expect(await eventsOf(spine, placed.type, 1)).toHaveLength(1)
  const [kept] = await eventsOf(spine, 'eventspine.message-kept', 1)
  expect(kept?.data).toMatchObject({ source: 'orders', body: '{"n":"many"}' })
})

test('a group of a FIFO queue keeps its order, one by one, and is the key of its events', async () => {
  const queue = (await TestSqs.open()).queue('orders.fifo', {
    FifoQueue: 'true',
    ContentBasedDeduplication: 'true',
  })
  const spine = await running(
    appOf(queue, {
      // The earlier one takes longer: without a turn for each, the later would overtake it.
      async to(message) {
        const { n } = message.json() as { n: number }
        await new Promise((resolve) => setTimeout(resolve, n % 2 === 0 ? 20 : 0))
        return { event: placed, data: { n } }
      },
    }),
  )
  const groups = ['a', 'b', 'c']
  await queue.send(bodies(60).map((entry, n) => ({ ...entry, MessageGroupId: groups[n % 3] })))
  await queue.empty()
  const events = await eventsOf(spine, placed.type, 60)
  expect(events).toHaveLength(60)
  for (const [index, group] of groups.entries())
    expect(events.filter(({ key }) => key === group).map(({ data }) => (data as { n: number }).n)).toEqual(
      numbers(60).filter((n) => n % 3 === index),
    )
})

test('messages of a group that come together are stored one behind the other, or not at all', async () => {
  const sqs = await TestSqs.open()
  const queue = sqs.queue('orders.fifo', { FifoQueue: 'true' })
  // As SQS hands them out; the emulator gives one of a group at a time.
  const handed = numbers(6).map((n) => {
    const Body = JSON.stringify({ n, photo: 'x'.repeat(n === 3 ? 256 * 1024 : 0) })
    const MD5OfBody = createHash('md5').update(Body).digest('hex')
    const Attributes = { MessageGroupId: n === 5 ? 'other' : 'one' }
    return { MessageId: `m${n}`, ReceiptHandle: `r${n}`, Body, MD5OfBody, Attributes }
  })
  const deleted: string[] = []
  let polls = 0
  sqs.door = (operation, body, response) => {
    const isPoll = operation === 'ReceiveMessage'
    if (isPoll && polls++ > 0) return 'made'
    const entries = (JSON.parse(body) as { Entries?: { Id: string; ReceiptHandle: string }[] }).Entries ?? []
    if (operation === 'DeleteMessageBatch') deleted.push(...entries.map((each) => each.ReceiptHandle))
    const answer = isPoll ? { Messages: handed } : { Successful: entries.map(({ Id }) => ({ Id })) }
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer))
    return 'not made'
  }
  const spine = await running(
    appOf(queue, {
      receivers: 1,
      async to(message) {
        const { n } = message.json() as { n: number }
        // The earlier one takes longer, and one of the group is larger than what the log takes.
        await new Promise((resolve) => setTimeout(resolve, 50 - n * 10))
        return { event: placed, data: { n } }
      },
    }),
  )
  await until(() => deleted.length > 0)
  expect((await eventsOf(spine, placed.type, 4)).map(({ data }) => data)).toEqual(
    [5, 0, 1, 2].map((n) => ({ n })),
  )
  expect(deleted.sort()).toEqual(['r0', 'r1', 'r2', 'r5'])
})

test('a message stays in hand while the log is away, and hidden from others', async () => {
  const queue = (await TestSqs.open()).queue()
  let away = true
  const spine = await running(
    appOf(queue, {
      visibilitySeconds: 2,
      to(message) {
        if (away) throw new EventspineError('UNAVAILABLE', 'away', { retryAfterMs: 100 })
        return { event: placed, data: message.json() }
      },
    }),
  )
  await queue.send(bodies(1))
  // More than twice the time for which it was hidden at first.
  await until(() => queue.sqs.made('ChangeMessageVisibilityBatch') >= 7)
  expect(queue.left).toEqual({ waiting: 0, inHand: 1 })
  away = false
  await queue.empty()
  expect(await eventsOf(spine, placed.type, 1)).toHaveLength(1)
  expect(queue.sqs.made('DeleteMessageBatch')).toBe(1)
})

test('a message too large for the log stays in the queue, is named, and holds nobody else', async () => {
  const queue = (await TestSqs.open()).queue()
  const spine = await running(appOf(queue))
  await queue.send([{ MessageBody: 'x'.repeat(256 * 1024 + 1) }])
  await queue.send(bodies(20))
  await eventsOf(spine, placed.type, 20)
  await until(() => queue.left.waiting === 0 && queue.left.inHand === 1)
  expect(logged.find((line) => line.includes('stays in its queue'))).toContain('EVENT_TOO_LARGE')
})

test('throttled calls are made again, and the source does not fail', async () => {
  const queue = (await TestSqs.open()).queue()
  const refused: string[] = []
  const counts = new Map<string, number>()
  queue.sqs.door = (operation, _body, response) => {
    const count = (counts.get(operation) ?? 0) + 1
    counts.set(operation, count)
    if (count > 3) return 'made'
    refused.push(operation)
    return refuse(response, 400, 'RequestThrottled')
  }
  const spine = await running(
    appOf(queue, { receivers: 1, client: { ...queue.sqs.settings, maxAttempts: 1 } }),
  )
  await queue.send(bodies(1))
  await queue.empty()
  expect(refused.filter((operation) => operation === 'ReceiveMessage')).toHaveLength(3)
  expect(refused.filter((operation) => operation === 'DeleteMessageBatch')).toHaveLength(3)
  expect(await eventsOf(spine, placed.type, 1)).toHaveLength(1)
  const ended = (await spine.metrics()).find(({ name }) => name === 'eventspine_source_ended_total')
  expect(ended?.value ?? 0).toBe(0)
})

test('a queue that is not there is a finding of the doctor', async () => {
  const queue = (await TestSqs.open()).queue()
  const spine = await running(appOf(queue, { queueUrl: `${queue.url}-gone` }))
  await until(async () => {
    const { findings } = await spine.operator().doctor()
    return findings.some(
      ({ subject, message }) => subject === 'source orders' && /does not exist/.test(message),
    )
  })
})

test('a worker that stops has deleted what it stored', async () => {
  const sqs = await TestSqs.open()
  const queue = sqs.queue()
  await queue.send(bodies(400))
  let deletes = 0
  sqs.door = async (operation): Promise<'made'> => {
    if (operation === 'DeleteMessageBatch') {
      deletes++
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    return 'made'
  }
  const schema = freshSchema()
  const spine = await running(appOf(queue), schema)
  await until(() => deletes > 0)
  await spine.stop()
  const [stored] = await sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${schema}.event WHERE type = 'orders.placed'`,
  )
  expect(stored?.count).toBeGreaterThan(0)
  expect(400 - queue.left.waiting - queue.left.inHand).toBe(stored?.count)
})

test('what a worker could not store before it stops is there for the next one at once', async () => {
  const queue = (await TestSqs.open()).queue()
  await queue.send(bodies(12))
  let asked = 0
  const spine = await running(
    appOf(queue, {
      visibilitySeconds: 43_200,
      to() {
        asked++
        throw new EventspineError('UNAVAILABLE', 'away', { retryAfterMs: 100 })
      },
    }),
  )
  await until(() => asked >= 24)
  await spine.stop()
  expect(queue.left).toEqual({ waiting: 12, inHand: 0 })
})

test('wrong options are refused with what to write', () => {
  const to = () => null
  const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/1/orders'
  const wrong = (options: object) => () => sqsSource({ name: 'orders', queueUrl, to, ...options })
  expect(wrong({ queueUrl: 'orders' })).toThrow(/queueUrl is "orders"; write the address/)
  expect(wrong({ visibilitySeconds: 1 })).toThrow(/visibilitySeconds is 1; write a whole number from 2/)
  expect(wrong({ receivers: 21 })).toThrow(/receivers is 21/)
  expect(wrong({ waitSeconds: 0 })).toThrow(/waitSeconds is 0/)
})
