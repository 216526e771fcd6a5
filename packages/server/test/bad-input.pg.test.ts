// Everything wrong gets a clear 4xx as problem+json, before anything is stored.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { badInput } from './bad-input.cases.js'
import { Fixture, order } from './fixture.js'

const fixture = new Fixture()
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

test.each(badInput)('%s', async (_name, sent, refusal) => {
  const [status, code, field] = refusal.split(' ')
  const reply = await fixture.send('/v1/events', { method: 'POST', ...sent })
  const { detail } = reply.json
  expect({ status: reply.status, code: reply.json.code, detail }).toEqual({
    status: Number(status),
    code,
    detail,
  })
  if (field !== undefined) expect(reply.json.field).toBe(field)
  expect(reply.headers['content-type']).toBe('application/problem+json')
  expect(reply.json).toMatchObject({ type: `urn:eventspine:error:${code}`, status: Number(status) })
  expect(reply.json.instance).toBe(`urn:eventspine:request:${reply.headers['x-request-id']}`)
  expect(String(detail).length).toBeGreaterThan(20)
  // Nothing of the inside, nothing that breaks a line, and not the sender's whole text back.
  expect(reply.text).not.toMatch(/node_modules|\.ts:\d|[\u0000-\u001f]/)
  expect(reply.text.length).toBeLessThan(3_000)
})

test('nothing of all that was stored, and no prototype was touched', async () => {
  expect(await fixture.query('SELECT type, data FROM eventspine.event')).toEqual([])
  expect(await fixture.query('SELECT 1 FROM eventspine.claim')).toEqual([])
  expect(await fixture.query('SELECT 1 FROM eventspine.idempotency')).toEqual([])
  expect(Object.keys(Object.prototype)).toEqual([])
  expect('polluted' in {}).toBe(false)
  expect((await fixture.send('/healthz')).status).toBe(200)
})

test('an id with another body is refused, and the first stands', async () => {
  const first = { ...order('once'), id: 'twice', source: '/conflict' }
  expect((await fixture.send('/v1/events', { json: first })).status).toBe(202)
  const reply = await fixture.send('/v1/events', { json: { ...first, data: { order: 'once', quantity: 2 } } })
  expect(reply.status).toBe(409)
  expect(reply.json).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: '/id' })
  expect(await fixture.query(`SELECT data FROM eventspine.event WHERE id = 'twice'`)).toEqual([
    { data: first.data },
  ])
})

test('all faults of an event are told at once', async () => {
  const json = { type: 'orders.order-placed', data: { order: '', quantity: 0.5 } }
  const reply = await fixture.send('/v1/events', { json })
  expect(reply.json.issues).toEqual([
    { field: '/data/order', message: expect.any(String) },
    { field: '/data/quantity', message: expect.any(String) },
  ])
})

const control: readonly (readonly [string, unknown, string])[] = [
  ['/v1/redrives', {}, '/filter'],
  ['/v1/redrives', { filter: {}, rat: 5 }, '/rat'],
  ['/v1/redrives', { filter: { categry: 'x' } }, '/filter/categry'],
  ['/v1/redrives', { filter: { category: 'bad' } }, '/filter/category'],
  ['/v1/redrives', { filter: { diedAfter: 'yesterday' } }, '/filter/diedAfter'],
  ['/v1/redrives', { filter: {}, rate: '50' }, '/rate'],
  ['/v1/redrives', { filter: {}, rate: -1 }, '/rate'],
  ['/v1/redrives', { filter: {}, stopAtErrorRate: 2 }, '/stopAtErrorRate'],
  ['/v1/redrives', { filter: {}, actor: 'root' }, '/actor'],
  ['/v1/redrives', { filter: {}, data: 1 }, '/filter'],
  ['/v1/redrives/preview', { filter: { ids: [] } }, '/filter/ids'],
  ['/v1/dead-letters/discard', { filter: {}, reason: 'r' }, '/filter'],
  ['/v1/dead-letters/discard', { filter: { subscription: 'fail' } }, '/reason'],
  ['/v1/replays', { subscription: 1 }, '/subscription'],
  ['/v1/replays', { subscription: 'remember', from: 'tomorrow' }, '/from'],
  ['/v1/replays', { subscription: 'remember', tenant: 'x' }, '/tenant'],
  ['/v1/replays/preview', { subscription: 'remember', from: 'tomorrow' }, '/from'],
  ['/v1/breakers/db', { state: 'half-open' }, '/state'],
  ['/v1/breakers/db', [], ''],
  ['/v1/subscriptions/fail/pause', { forHours: 1 }, '/forHours'],
]

test.each(control)('control: %s %j', async (path, json, field) => {
  const reply = await fixture.operate(path, json)
  expect([reply.status, reply.json.code, reply.json.field ?? '']).toEqual([400, 'REQUEST_INVALID', field])
})

const urls: readonly (readonly [string, number, string])[] = [
  ['/v1/events?tpye=x', 400, '/query/tpye'],
  ['/v1/events?limit=0', 400, '/query/limit'],
  ['/v1/events?limit=501', 400, '/query/limit'],
  ['/v1/events?limit=many', 400, '/query/limit'],
  ['/v1/events?limit=1.5', 400, '/query/limit'],
  ['/v1/events?after=yesterday', 400, '/query/after'],
  ['/v1/events?after=2026-02-30T00:00:00Z', 400, '/query/after'],
  ['/v1/events?type=', 400, '/query/type'],
  ['/v1/events?type=a&type=b', 400, '/query/type'],
  ['/v1/events?key=a%00b', 400, '/query/key'],
  ['/v1/events?key=%zz', 400, '/query'],
  ['/v1/events?key=%ED%A0%80', 400, '/query'],
  ['/v1/events?order=random', 400, '/query/order'],
  ['/v1/events?__proto__=1', 400, '/query/__proto__'],
  ['/v1/events?cursor=rubbish', 400, '/query/cursor'],
  ['/v1/events/tail?lastEventId=rubbish', 400, '/headers/last-event-id'],
  ['/v1/events/tail?lastEventId=%C3%A4', 400, '/headers/last-event-id'],
  ['/v1/events/a%00b', 400, '/path/id'],
  ['/v1/events/no-such-event', 404, ''],
  ['/v1/events?cell=nowhere', 400, ''],
  ['/v1/dead-letters?state=alive', 400, '/query/state'],
  ['/v1/dead-letters/fail%2F1.1', 404, ''],
  ['/v1/dead-letters/rubbish', 404, ''],
  ['/v1/redrives/none', 404, ''],
  ['/v1/replays/none', 404, ''],
  ['/v1/subscriptions/none', 404, ''],
  [`/v1/events/${'x'.repeat(401)}`, 400, '/path/id'],
  [`/v1/events/${'x'.repeat(5_000)}`, 414, ''],
  ['/v1/nothing', 404, ''],
  ['/V1/events', 404, ''],
]

test.each(urls)('url: %s', async (path, status, field) => {
  const reply = await fixture.send(path)
  expect([reply.status, reply.json.field ?? '']).toEqual([status, field])
  expect(reply.headers['content-type']).toBe('application/problem+json')
})

test.each([
  '/v1/subscriptions/none/pause',
  '/v1/subscriptions/none/resume',
  '/v1/redrives/none/stop',
  '/v1/replays/none/stop',
])('what is not there cannot be operated: %s', async (path) =>
  expect((await fixture.operate(path)).status).toBe(404),
)
