// Routes of an app: a request becomes one event, or is told what is wrong with it before anything is stored; and it is answered
// by the event that replies, at once or at the address that it was given.
import { defineApp, defineEvent, defineSubscription, EventspineError } from 'eventspine'
import { httpRoute, type RouteCall } from 'eventspine/source'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createApiKey } from '../src/index.js'
import { Fixture, type Reply, type Sent } from './fixture.js'

const data = z.object({ customer: z.string(), sku: z.string(), quantity: z.int().max(50) })
const placed = defineEvent({ type: 'shop.order-placed', schema: data, key: ({ customer }) => customer })
const confirmed = defineEvent({ type: 'shop.order-confirmed', schema: z.object({ number: z.int() }) })
const refused = defineEvent({ type: 'shop.order-refused', schema: z.object({ reason: z.string() }) })
const noted = defineEvent({ type: 'shop.noted', schema: z.object({ text: z.string(), by: z.string() }) })

const holds: (() => void)[] = []
let asked: RouteCall | undefined

/** A number of which the reply says more than a reply can. */
const headersToo = 9

const order = httpRoute({
  name: 'place-order',
  path: '/shop/orders/:customer',
  query: z.object({ tenant: z.string().optional(), express: z.enum(['yes', 'no']).optional() }),
  body: z.object({ sku: z.string().min(1), quantity: z.int().min(1), fault: z.string().optional() }),
  to(call) {
    asked = call
    if (call.body.fault === 'throws') throw new Error('a secret of the inside')
    if (call.body.fault === 'refuses') throw new EventspineError('FORBIDDEN', 'Ink is not for you.')
    if (call.body.fault === 'misses') throw new EventspineError('NOT_FOUND', 'Nobody sells it.')
    if (call.body.fault === 'misfits')
      throw new EventspineError('REQUEST_INVALID', 'There is no such pen.', { field: '/sku' })
    const { tenant } = call.query
    return {
      event: placed,
      data: { customer: call.params.customer, sku: call.body.sku, quantity: call.body.quantity },
      ...(tenant === undefined ? {} : { tenant }),
    }
  },
  reply: {
    event: [confirmed, refused],
    to: (event) =>
      event.type === 'shop.order-confirmed'
        ? {
            ...{ status: 201, body: { number: event.data.number } },
            ...(event.data.number === headersToo && { headers: { 'x-more': 'yes' } }),
          }
        : { status: 409, body: { reason: event.data.reason } },
    answers: { 201: z.object({ number: z.int().min(1) }), 409: z.object({ reason: z.string() }) },
    withinMs: 1_000,
  },
})

const ask = httpRoute({
  name: 'ask',
  path: '/shop/questions',
  body: z.object({ sku: z.string() }),
  to: ({ body: { sku } }) => ({ event: placed, data: { customer: 'bob', sku, quantity: 1 } }),
  reply: { event: confirmed, to: ({ data: { number } }) => ({ body: number }) },
})

const note = httpRoute({
  name: 'note',
  method: 'PUT',
  path: '/shop/notes',
  access: 'open',
  body: z.object({ text: z.string(), id: z.string().optional() }),
  inFlightMax: 2,
  async to({ body, principal }) {
    if (body.text === 'hold') await new Promise<void>((resolve) => holds.push(resolve))
    const { id, text } = body
    return { event: noted, data: { text, by: principal.actor }, ...(id === undefined ? {} : { id }) }
  },
})

const answerOrders = defineSubscription({
  name: 'answer-orders',
  on: placed,
  async handle({ data: { sku, quantity } }, { publish }) {
    if (sku === 'silent') return
    if (sku === 'sold-out') return void (await publish(refused, { reason: 'sold out' }))
    await publish(confirmed, { number: sku === 'wrong-reply' ? 0 : quantity })
    await publish(refused, { reason: 'only the first counts' })
  },
})

const keys = {
  all: createApiKey({ scopes: ['publish', 'read'], name: 'all' }),
  acme: createApiKey({ scopes: ['publish'], name: 'acme', tenant: 'acme' }),
  caller: createApiKey({ scopes: ['routes'], name: 'caller' }),
  reader: createApiKey({ scopes: ['read'], name: 'reader' }),
}
const shop = defineApp({
  name: 'shop',
  events: [placed, noted],
  subscriptions: [answerOrders],
  sources: [order, ask, note],
})
const fixture = new Fixture(
  { development: false, apiKeys: Object.values(keys).map(({ record }) => record) },
  {},
  shop,
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const send = (path: string, sent: Sent = {}, key: keyof typeof keys = 'all') =>
  fixture.send(path, { ...sent, headers: { authorization: `Bearer ${keys[key].key}`, ...sent.headers } })
const place = (sku: string, sent: Sent = {}, key: keyof typeof keys = 'all') =>
  send('/shop/orders/ann', { json: { sku, quantity: 3 }, ...sent }, key)
const wait = { prefer: 'wait=20' }
const correlationOf = async ({ json }: Reply) => {
  const { id } = json['event'] as unknown as { readonly id: string }
  return (await fixture.spine.operator().event(id))?.event.correlationId as string
}
const ordersStored = async () => (await fixture.spine.operator().events({ type: placed.type })).items

/** Not what handlers answer to those before, at their own time. */
const requestsStored = async () =>
  (
    await fixture.query(
      "SELECT seq FROM eventspine.event WHERE type NOT IN ('shop.order-confirmed', 'shop.order-refused')",
    )
  ).length

describe('a request', () => {
  test('becomes an event, and is answered where to ask for its reply', async () => {
    const answer = await place('pen', {
      headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    })
    expect(answer.status).toBe(202)
    expect(answer.json).toEqual({
      event: { id: expect.any(String), type: 'shop.order-placed', version: 1 },
      reply: answer.headers.location,
    })
    const [stored] = await ordersStored()
    expect(stored).toMatchObject({ source: '/sources/place-order', key: 'ann', tenant: 'default' })
    expect(stored?.data).toEqual({ customer: 'ann', sku: 'pen', quantity: 3 })
    expect(stored?.traceparent).toContain('a'.repeat(32))
    expect(asked?.principal).toMatchObject({ actor: 'all', tenant: undefined })
    expect(asked?.headers).toMatchObject({ 'content-type': 'application/json' })
    expect(asked?.headers['authorization']).toBeUndefined()
  })

  test('that is sent again under its key is one event with one reply, and another one is refused', async () => {
    const headers = { 'idempotency-key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"' }
    const before = (await ordersStored()).length
    const first = await place('ink', { headers })
    const again = await place('ink', { headers })
    expect(again.json).toEqual(first.json)
    expect(first.json['event']).toMatchObject({ id: '8e03978e-40d5-43dd-bc93-6894a57f9324' })
    expect(await place('paper', { headers })).toMatchObject({
      status: 409,
      json: { code: 'IDEMPOTENCY_CONFLICT', field: '/headers/idempotency-key' },
    })
    expect(await ordersStored()).toHaveLength(before + 1)
    const elsewhere = await place('ink', { headers }, 'acme')
    expect(elsewhere.headers.location).not.toBe(first.headers.location)
  })

  test('that does not fit is told where, and nothing is stored', async () => {
    const before = await requestsStored()
    const faults: readonly (readonly [string, Sent, number, string | undefined])[] = [
      ['/shop/orders/ann', { json: { sku: 'pen' } }, 400, '/quantity'],
      ['/shop/orders/ann', { json: { customer: 1, sku: '', quantity: 1 } }, 400, '/sku'],
      ['/shop/orders/ann?express=perhaps', { json: { sku: 'pen', quantity: 1 } }, 400, '/query/express'],
      ['/shop/orders/a%00b', { json: { sku: 'pen', quantity: 1 } }, 400, '/path/customer'],
      ['/shop/orders/ann', { body: '{"sku":', headers: { 'content-type': 'application/json' } }, 400, '/sku'],
      ['/shop/orders/ann', { body: 'sku=pen' }, 415, '/headers/content-type'],
      ['/shop/orders/ann', { json: { sku: 'x'.repeat(300_000), quantity: 1 } }, 413, undefined],
      [
        '/shop/orders/ann',
        { json: { sku: 'pen', quantity: 1 }, headers: { 'idempotency-key': 'no " quotes' } },
        ...([400, '/headers/idempotency-key'] as const),
      ],
    ]
    for (const [path, sent, status, field] of faults) {
      const answer = await send(path, sent)
      expect([answer.status, answer.json['field']], answer.text).toEqual([status, field])
      expect(answer.headers['content-type']).toBe('application/problem+json')
    }
    expect(await requestsStored()).toBe(before)
  })

  test('that the route refuses is told why, and nothing is stored', async () => {
    const before = await requestsStored()
    const refused = (fault: string) => place('', { json: { sku: 'pen', quantity: 1, fault } })
    expect(await refused('refuses')).toMatchObject({
      ...{ status: 403, json: { code: 'FORBIDDEN', detail: 'Ink is not for you.' } },
    })
    expect(await refused('misses')).toMatchObject({
      ...{ status: 404, json: { code: 'NOT_FOUND', detail: 'Nobody sells it.' } },
    })
    expect(await refused('misfits')).toMatchObject({
      ...{ status: 400, json: { code: 'REQUEST_INVALID', detail: 'There is no such pen.', field: '/sku' } },
    })
    expect(await requestsStored()).toBe(before)
  })

  test('that the route itself cannot make an event of is answered 500, and nothing is stored', async () => {
    const before = await requestsStored()
    const throws = await place('', { json: { sku: 'pen', quantity: 1, fault: 'throws' } })
    const misfits = await place('', { json: { sku: 'pen', quantity: 51 } })
    for (const { status, json, text } of [throws, misfits]) {
      expect([status, json['code']]).toEqual([500, 'INTERNAL'])
      expect(text).not.toMatch(/secret|quantity/)
    }
    const told = JSON.stringify(fixture.logs.filter(({ level }) => level === 'error'))
    expect(told).toContain('a secret of the inside')
    expect(told).toContain('quantity')
    expect(await requestsStored()).toBe(before)
  })

  test('needs a key with the scope of its route, and stays within the tenant of the key', async () => {
    expect((await fixture.send('/shop/orders/ann', { json: {} })).status).toBe(401)
    expect((await place('pen', {}, 'reader')).json).toMatchObject({ code: 'SCOPE_MISSING' })
    const json = { sku: 'pen', quantity: 1 }
    expect((await send('/shop/orders/ann?tenant=other', { json }, 'acme')).json).toMatchObject({
      code: 'TENANT_FORBIDDEN',
    })
    expect((await send('/shop/orders/ann?tenant=acme', { json }, 'all')).status).toBe(202)
    expect((await ordersStored())[0]).toMatchObject({ tenant: 'acme' })
  })

  test('a key for the routes asks them and their replies, and publishes nothing past them', async () => {
    const { status, headers } = await place('pen', { headers: wait }, 'caller')
    expect(status).toBe(201)
    expect((await send(String(headers['content-location']), {}, 'caller')).status).toBe(201)
    const before = await requestsStored()
    const events = { json: { type: 'shop.noted', data: { text: 'past it', by: 'ada' } } }
    const past = await send('/v1/events', events, 'caller')
    expect([past.status, past.json['code']]).toEqual([403, 'SCOPE_MISSING'])
    expect((await send('/v1/events', {}, 'caller')).json).toMatchObject({ code: 'SCOPE_MISSING' })
    expect(await requestsStored()).toBe(before)
    const { json } = await fixture.send('/openapi.json')
    const path = json['paths'] as unknown as Record<string, Record<string, { security: unknown }>>
    expect(path['/shop/orders/{customer}']?.['post']?.security).toEqual([
      { apiKey: ['routes'] },
      { apiKey: ['publish'] },
    ])
  })
})

describe('a reply', () => {
  test('is waited for, and answers the request', async () => {
    const answer = await place('pen', { headers: wait })
    expect([answer.status, answer.json]).toEqual([201, { number: 3 }])
    expect(answer.headers).toMatchObject({ 'preference-applied': 'wait=20' })
    const again = await send(String(answer.headers['content-location']))
    expect([again.status, again.json]).toEqual([201, { number: 3 }])
    const other = await place('sold-out', { headers: wait })
    expect([other.status, other.json]).toEqual([409, { reason: 'sold out' }])
  })

  test('is none until there is one', async () => {
    const taken = await send('/shop/questions', { json: { sku: 'silent' }, headers: { prefer: 'wait=1' } })
    expect([taken.status, taken.headers['preference-applied']]).toEqual([202, 'wait=1'])
    const address = String(taken.headers.location)
    const none = await send(address)
    expect([none.status, none.headers['retry-after'], none.json]).toEqual([
      202,
      expect.stringMatching(/^\d+$/),
      { reply: address },
    ])
    const asking = send(address, { headers: wait })
    await fixture.spine.publish(confirmed, { number: 7 }, { correlationId: await correlationOf(taken) })
    const reply = await asking
    expect([reply.status, reply.json, reply.headers['preference-applied']]).toEqual([200, 7, 'wait=20'])
    // A reply is asked for at its own route.
    const elsewhere = address.replace('ask', 'place-order')
    expect((await send(elsewhere)).json).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('that has not come in its time is said to be late; one that comes then is answered', async () => {
    const taken = await place('silent')
    const address = String(taken.headers.location)
    const late = await fixture.until(
      () => send(address),
      ({ status }) => status !== 202,
    )
    expect([late.status, late.json['code']]).toEqual([504, 'TIMED_OUT'])
    await fixture.spine.publish(confirmed, { number: 7 }, { correlationId: await correlationOf(taken) })
    expect(await send(address)).toMatchObject({ status: 201, json: { number: 7 } })
  })

  test('is shown to nobody else', async () => {
    const { headers } = await place('pen', { headers: wait }, 'acme')
    const address = String(headers['content-location'])
    expect((await send(address, {}, 'acme')).status).toBe(201)
    expect((await send(address, {}, 'all')).status).toBe(201)
    expect((await fixture.send(address)).status).toBe(401)
    expect((await send(address, {}, 'reader')).json).toMatchObject({ code: 'SCOPE_MISSING' })
    const ofDefault = String((await place('pen', { headers: wait })).headers['content-location'])
    expect((await send(ofDefault, {}, 'acme')).json).toMatchObject({ code: 'NOT_FOUND' })
    // The secret is that of its own tenant alone.
    const [tenant] = (address.split('/').at(-1) ?? '').split('.')
    const [, secret] = (ofDefault.split('/').at(-1) ?? '').split('.')
    for (const wrong of [`${tenant}.${secret}`, `x.${secret}`, 'nothing', `${tenant}.${'0'.repeat(32)}`])
      expect((await send(`/replies/place-order/${wrong}`)).json).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('that does not fit what the route promises is a fault of the route, told where it is asked for', async () => {
    const taken = await place('wrong-reply', { headers: { prefer: 'wait=20' } })
    expect(taken.status).toBe(202)
    const told = () =>
      fixture.logs.filter((line) =>
        JSON.stringify(line).includes('the body of its reply does not fit answers[201]'),
      )
    // Who waited with the request may never ask again.
    expect(told()).toMatchObject([
      { level: 'error', message: 'the reply to a request cannot be given', route: 'place-order' },
    ])
    expect((await send(String(taken.headers.location))).json).toMatchObject({ code: 'INTERNAL' })
    expect(told()).toHaveLength(2)
  })

  test('with parts that nobody sends is a fault of the route', async () => {
    const taken = await place('pen', { json: { sku: 'pen', quantity: headersToo } })
    const said = await fixture.until(
      () => send(String(taken.headers.location)),
      ({ status }) => status !== 202,
    )
    expect(said.json).toMatchObject({ code: 'INTERNAL' })
    expect(JSON.stringify(fixture.logs)).toContain('is no option; there are status, body')
  })

  test('is not waited for once the server stops', async () => {
    const other = new Fixture({ development: true }, {}, shop)
    await other.start()
    const waiting = other.send('/shop/orders/ann', {
      ...{ json: { sku: 'silent', quantity: 1 }, headers: { prefer: 'wait=60' } },
    })
    await other.until(
      () => other.eventsStored(),
      (stored) => stored === 1,
    )
    await other.stop()
    expect((await waiting).status).toBe(202)
  })
})

describe('an open route', () => {
  const put = (json: unknown) => fixture.send('/shop/notes', { method: 'PUT', json })

  test('takes what anybody says, once by the id in the body', async () => {
    const before = await requestsStored()
    const first = await put({ text: 'hello', id: 'n1' })
    expect([first.status, first.json]).toEqual([202, { event: { id: 'n1', type: 'shop.noted', version: 1 } }])
    expect((await put({ text: 'hello', id: 'n1' })).json).toEqual(first.json)
    expect((await put({ text: 'goodbye', id: 'n1' })).json).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    expect(await requestsStored()).toBe(before + 1)
    expect((await fixture.send('/shop/notes', { json: { text: 'x' } })).headers.allow).toBe('PUT, OPTIONS')
  })

  test('says when to come again', async () => {
    const waiting = [put({ text: 'hold' }), put({ text: 'hold' })]
    await fixture.until(
      async () => holds.length,
      (count) => count === 2,
    )
    expect(await put({ text: 'more' })).toMatchObject({
      ...{ status: 503, json: { code: 'OVERLOADED' }, headers: { 'retry-after': '1' } },
    })
    for (const release of holds) release()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([202, 202])
  })
})

test('all is counted', async () => {
  const samples = (await fixture.spine.metrics()).filter(
    ({ name }) => name === 'eventspine_source_messages_total',
  )
  const of = (source: string) =>
    Object.fromEntries(
      samples
        .filter(({ labels }) => labels['source'] === source)
        .map(({ labels, value }) => [labels['outcome'], value]),
    )
  expect(of('note')).toEqual({ published: 4, refused: 1, overloaded: 1 })
  expect(of('place-order')).toMatchObject({ failed: 2 })
})
