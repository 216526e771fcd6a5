// Events that are sent to a queue: what SQS is given of each, how few calls it takes, and what becomes of an event that it refuses.
import { defineApp, defineEvent, retries } from 'eventspine'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { running, until } from '../../../test/spine.js'
import { type SqsTargetOptions, sqsSource, toSqs } from '../src/index.js'
import { refuse, type TestQueue, TestSqs } from './queue.js'

const placed = defineEvent({
  type: 'orders.placed',
  version: 2,
  schema: z.object({ n: z.int(), customer: z.string().optional(), note: z.string().optional() }),
  key: ({ customer = '' }) => customer || 'nobody',
})
const fifo = { FifoQueue: 'true' }

async function sending(queue: TestQueue, options: Partial<SqsTargetOptions<typeof placed>> = {}) {
  const onward = toSqs({
    ...{ name: 'onward', on: placed, queueUrl: queue.url },
    client: { ...queue.sqs.settings, maxAttempts: 1 },
    retry: retries.standard({ timeScale: 0.001 }),
    ...options,
  })
  return await running(defineApp({ name: 'shop', subscriptions: [onward] }))
}

type Spine = Awaited<ReturnType<typeof sending>>
const publish = (spine: Spine, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => spine.publish(placed, { n, customer: `c${n % 3}` })))

const letters = async (spine: Spine) => (await spine.operator().deadLetters({ state: 'dead' })).items

test('an event is a message: its data the body, its attributes those of the message', async () => {
  const queue = (await TestSqs.open()).queue()
  const spine = await sending(queue)
  const note = 'a\ufffeb\uffffc'
  const { id } = await spine.publish(placed, { n: 1, customer: 'ann', note }, { source: '/shop/till' })
  const [message] = await queue.take(1)
  expect(JSON.parse(message?.Body ?? '')).toEqual({ n: 1, customer: 'ann', note })
  expect(message?.Body).toContain(String.raw`a\ufffeb\uffffc`)
  const attributes = Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
    name,
    StringValue,
  ])
  expect(Object.fromEntries(attributes)).toEqual({
    ...{ 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/shop/till', 'ce-type': 'orders.placed' },
    ...{ 'ce-time': expect.stringMatching(/^20/), 'ce-version': '2', 'ce-partitionkey': 'ann' },
    ...{ 'ce-tenant': 'default', 'ce-correlationid': id, traceparent: expect.stringMatching(/^00-/) },
  })
})

test('many events are few calls', async () => {
  const sqs = await TestSqs.open()
  const queue = sqs.queue()
  const spine = await sending(queue)
  await publish(spine, 200)
  expect(await queue.take(200)).toHaveLength(200)
  expect(sqs.made('SendMessageBatch')).toBeLessThan(100)
})

test('a FIFO queue gets the events of a key in their order, each once although SQS was not heard', async () => {
  const sqs = await TestSqs.open()
  const queue = sqs.queue('onward.fifo', fifo)
  const spine = await sending(queue)
  let unheard = 0
  sqs.door = (operation, _body, response) => {
    if (operation !== 'SendMessageBatch' || unheard >= 3) return 'made'
    unheard++
    // It is sent, and its sender is told nothing.
    setTimeout(() => response.destroy(), 50)
    return 'unheard'
  }
  await publish(spine, 60)
  const messages = await queue.take(60)
  expect(unheard).toBe(3)
  for (const customer of ['c0', 'c1', 'c2'])
    expect(
      messages
        .filter(({ Attributes }) => Attributes?.MessageGroupId === customer)
        .map(({ Body }) => (JSON.parse(Body ?? '') as { n: number }).n),
    ).toEqual(
      (await spine.operator().events({ key: customer, order: 'oldest', limit: 100 })).items.map(
        ({ data }) => (data as { n: number }).n,
      ),
    )
  await until(async () => {
    const [onward] = await spine.operator().subscriptions()
    return onward?.lagEvents === 0 && onward.retrying === 0
  })
  expect(queue.left).toEqual({ waiting: 0, inHand: 0 })
})

test('two publishers may give the same id, and a key need not be one that SQS takes', async () => {
  const queue = (await TestSqs.open()).queue('onward.fifo', fifo)
  const spine = await sending(queue)
  const data = { n: 1, customer: 'Ann Smith' }
  await spine.publish(placed, data, { id: '1', source: '/a' })
  await spine.publish(placed, { ...data, n: 2 }, { id: '1', source: '/b' })
  const messages = await queue.take(2)
  expect(messages.map(({ Body }) => (JSON.parse(Body ?? '') as { n: number }).n)).toEqual([1, 2])
  expect(messages[0]?.Attributes?.MessageGroupId).toMatch(/^[0-9a-f]{64}$/)
})

test('one message that SQS refuses does not take its neighbours with it', async () => {
  const sqs = await TestSqs.open()
  const queue = sqs.queue()
  const spine = await sending(queue)
  sqs.door = (operation, body, response) =>
    operation === 'SendMessageBatch' && body.includes('spoilt')
      ? refuse(response, 400, 'InvalidMessageContents')
      : 'made'
  await Promise.all([publish(spine, 30), spine.publish(placed, { n: 30, note: 'spoilt' })])
  expect(await queue.take(30)).toHaveLength(30)
  const [letter, ...others] = await until(async () => {
    const found = await letters(spine)
    return found.length > 0 ? found : null
  })
  expect(others).toEqual([])
  expect(letter).toMatchObject({ failure: { category: 'validation' } })
})

test('an event that SQS would never take is dead at once, and says why', async () => {
  const sqs = await TestSqs.open()
  const spine = await sending(sqs.queue(), { body: () => 'x'.repeat(1024 * 1024) })
  await publish(spine, 1)
  const [letter] = await until(async () => ((await letters(spine)).length > 0 ? letters(spine) : null))
  expect(letter).toMatchObject({ failure: { category: 'validation' } })
  expect(letter?.failure.message).toMatch(/may have 1024 KiB/)
  expect(sqs.made('SendMessageBatch')).toBe(0)
})

test.each([
  ['AccessDeniedException', 'permanent', 400],
  ['QueueDoesNotExist', 'permanent', 400],
  ['RequestThrottled', 'transient', 400],
  ['ServiceUnavailable', 'transient', 503],
  ['ExpiredTokenException', 'transient', 400],
])('%s is %s', async (code, category, status) => {
  const sqs = await TestSqs.open()
  const spine = await sending(sqs.queue(), { retry: retries.none() })
  sqs.door = (_operation, _body, response) => refuse(response, status, code)
  await publish(spine, 1)
  const [letter] = await until(async () => ((await letters(spine)).length > 0 ? letters(spine) : null))
  expect(letter).toMatchObject({ failure: { category } })
})

test('a replay sends once more what was sent', async () => {
  const queue = (await TestSqs.open()).queue('onward.fifo', fifo)
  const spine = await sending(queue)
  await publish(spine, 3)
  await queue.take(3)
  await spine.operator().replay({ subscription: 'onward', from: 'beginning', external: true, actor: 'ann' })
  expect(await queue.take(3)).toHaveLength(3)
})

test('an app that would empty the queue that it fills is refused', () => {
  const appWith = (queueUrl: string) => () =>
    defineApp({
      name: 'shop',
      sources: [sqsSource({ name: 'back', queueUrl, to: () => null })],
      subscriptions: [
        toSqs({ name: 'onward', on: placed, queueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/orders' }),
      ],
    })
  expect(appWith('https://SQS.eu-central-1.amazonaws.com:443/1/orders/')).toThrow(
    /source "back": brings in again what the subscription "onward" writes to https:.*\/1\/orders.*take two queues/,
  )
  expect(appWith('https://sqs.eu-central-1.amazonaws.com/1/letters')).not.toThrow()
})

test('a queue keeps order, so a FIFO queue asks for keys', () => {
  const keyless = defineEvent({ type: 'orders.paid', schema: z.object({}) })
  const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/1/orders.fifo'
  const define = (ordered?: boolean) =>
    defineApp({
      name: 'shop',
      subscriptions: [
        toSqs({ name: 'onward', on: keyless, queueUrl, ...(ordered !== undefined && { ordered }) }),
      ],
    })
  expect(() => define()).toThrow(/has no key/)
  expect(define(false).subscriptions).toHaveLength(1)
  expect(() => toSqs({ name: 'onward', on: keyless, queueUrl: '' })).toThrow(/write the address/)
})
