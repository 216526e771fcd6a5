// What is accepted, in every form, is in the log as it was meant.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, Fixture, order } from './fixture.js'

const fixture = new Fixture()
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const cloudEvent = {
  specversion: '1.0',
  id: 'ce-1',
  source: '/shop',
  type: 'orders.order-placed',
  subject: 'the order',
  time: '2026-01-31T12:00:00.123456+01:00',
  datacontenttype: 'application/json; charset=utf-8',
  dataschema: 'https://example.com/order',
  partitionkey: 'order-1',
  tenant: 'acme',
  traceparent: trace,
  correlationid: 'corr-1',
  causationid: 'cause-1',
  shop: 'zürich',
  urgent: true,
  retries: 3,
  nothing: null,
  version: 2,
  data: { order: 'order-1', quantity: 2 },
}

const asStored = {
  id: 'ce-1',
  type: 'orders.order-placed',
  version: 2,
  source: '/shop',
  subject: 'the order',
  tenant: 'acme',
  key: 'order-1',
  time: '2026-01-31T11:00:00.123Z',
  data: { order: 'order-1', quantity: 2 },
  correlationId: 'corr-1',
  causationId: 'cause-1',
  extensions: { dataschema: 'https://example.com/order', shop: 'zürich', urgent: true, retries: 3 },
}

async function stored(id: string): Promise<Record<string, unknown>> {
  const reply = await fixture.send(`/v1/events/${encodeURIComponent(id)}`)
  expect(reply.status).toBe(200)
  return reply.json.event as unknown as Record<string, unknown>
}

const identity = (id: string) => ({
  id,
  type: 'orders.order-placed',
  version: 2,
  tenant: 'acme',
  source: '/shop',
})

test('structured mode keeps every attribute', async () => {
  const reply = await fixture.send('/v1/events', {
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
    body: JSON.stringify(cloudEvent),
  })
  expect(reply.status).toBe(202)
  expect(reply.json).toEqual({ events: [identity('ce-1')], idempotencyWindowSeconds: 604_800 })
  const event = await stored('ce-1')
  expect(event).toMatchObject(asStored)
  expect(event.extensions).toEqual(asStored.extensions)
  expect(String(event.traceparent)).toContain('0af7651916cd43dd8448eb211c80319c')
})

test('binary mode: percent-encoded and quoted headers, data in the body', async () => {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  const { data, datacontenttype, nothing, ...attributes } = { ...cloudEvent, id: 'ce 2%é/"x"' }
  for (const [name, value] of Object.entries(attributes))
    headers[`CE-${name}`] = encodeURIComponent(String(value)).replaceAll('%2F', '/')
  headers['CE-subject'] = '"the \\order"'
  const reply = await fixture.send('/v1/events', { headers, body: JSON.stringify(data) })
  expect(reply.json).toMatchObject({ events: [identity('ce 2%é/"x"')] })
  const event = await stored('ce 2%é/"x"')
  expect(event).toMatchObject({
    ...asStored,
    id: 'ce 2%é/"x"',
    extensions: { shop: 'zürich', urgent: 'true' },
  })
})

test('batched mode stores all of them, in their order', async () => {
  const body = JSON.stringify([3, 4, 5].map((n) => ({ ...cloudEvent, id: `ce-${n}` })))
  const reply = await fixture.send('/v1/events', {
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body,
  })
  expect(reply.status).toBe(202)
  expect(reply.json.events).toEqual([identity('ce-3'), identity('ce-4'), identity('ce-5')])
})

test.each(['application/json', 'application/cloudevents-batch+json'])(
  'an empty batch is refused: nothing was published (%s)',
  async (type) => {
    const reply = await fixture.send('/v1/events', { headers: { 'content-type': type }, body: '[]' })
    expect(reply.json).toMatchObject({
      status: 400,
      code: 'REQUEST_INVALID',
      detail: 'The batch is empty. Send at least one event, or nothing at all.',
    })
  },
)

test('plain JSON gets the defaults of the app', async () => {
  const reply = await fixture.send('/v1/events', { json: order('plain') })
  const [event] = reply.json.events as unknown as { id: string }[]
  expect(event).toMatchObject({
    type: 'orders.order-placed',
    version: 2,
    tenant: 'default',
    source: '/server-tests',
  })
  expect(await stored(event?.id ?? '')).toMatchObject({
    key: 'plain',
    subject: 'orders/plain',
    correlationId: event?.id,
  })
})

test('plain JSON with everything', async () => {
  const all = {
    ...order('all'),
    version: 2,
    id: 'plain-all',
    source: '/s',
    subject: 'sub',
    tenant: 't1',
    key: 'k',
    time: '2026-01-31t12:00:00z',
    traceparent: trace,
    correlationId: 'c',
    causationId: 'd',
    extensions: { shop: 'x', count: 2, on: false },
  }
  expect((await fixture.send('/v1/events', { json: all })).status).toBe(202)
  const { type: _type, traceparent: _trace, time: _time, ...rest } = all
  expect(await stored('plain-all')).toMatchObject({ ...rest, time: '2026-01-31T12:00:00.000Z' })
})

test('an older version is stored as what it is', async () => {
  const old = { type: 'orders.order-placed', version: 1, data: { order: 'old', amount: 3 }, id: 'old-1' }
  expect((await fixture.send('/v1/events', { json: old })).json).toMatchObject({ events: [{ version: 1 }] })
})

test('an array of plain events', async () => {
  const reply = await fixture.send('/v1/events', { json: [order('a1'), order('a2')] })
  expect(reply.status).toBe(202)
  expect(reply.json.events).toHaveLength(2)
})

test('a repeat, also at the same time, is one event with the same answer', async () => {
  const json = { ...order('repeat'), id: 'repeat-1', source: '/repeat' }
  const replies = await Promise.all([...Array(20).keys()].map(() => fixture.send('/v1/events', { json })))
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]))
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1)
  expect(await fixture.query(`SELECT 1 FROM eventspine.event WHERE id = 'repeat-1'`)).toHaveLength(1)
})

test('the trace of the HTTP call goes on in the event; a broken one begins anew', async () => {
  const continued = await fixture.send('/v1/events', {
    json: { ...order('t1'), id: 'traced' },
    headers: { traceparent: trace },
  })
  expect(continued.status).toBe(202)
  expect(String((await stored('traced')).traceparent)).toContain('0af7651916cd43dd8448eb211c80319c')
  const broken = await fixture.send('/v1/events', {
    json: { ...order('t2'), id: 'untraced' },
    headers: { traceparent: 'rubbish' },
  })
  expect(broken.status).toBe(202)
  expect(String((await stored('untraced')).traceparent)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
})

test('200 KiB go through the claim check and come back whole', async () => {
  const data = Array(200).fill('y'.repeat(1_000))
  const reply = await fixture.send('/v1/events', { json: { type: 'tests.anything', id: 'large', data } })
  expect(reply.status).toBe(202)
  const [row] = await fixture.query(
    `SELECT claim IS NOT NULL AS claimed FROM eventspine.event WHERE id = 'large'`,
  )
  expect(row).toEqual({ claimed: true })
  expect((await stored('large')).data).toEqual(data)
})

test('a body in chunks, announced with an expectation', async () => {
  const reply = await exchange(fixture.url, '/v1/events', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked', expect: '100-continue' },
    body: JSON.stringify(order('chunked')),
  })
  expect(reply.status).toBe(202)
})

test('keys of objects that look dangerous are only data', async () => {
  const data = {
    constructor: 1,
    toString: 'x',
    hasOwnProperty: null,
    '<script>': '</script>',
    "'; DROP TABLE event; --": 1,
  }
  const json = { type: 'tests.anything', id: 'names', data }
  expect((await fixture.send('/v1/events', { json })).status).toBe(202)
  expect((await stored('names')).data).toEqual(data)
})
