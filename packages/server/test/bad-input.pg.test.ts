// Everything wrong gets a clear 4xx as problem+json, before anything is stored.
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fixture, order, type Sent } from './fixture.js'

const json = { 'content-type': 'application/json' }
const structured = { 'content-type': 'application/cloudevents+json' }
const batch = { 'content-type': 'application/cloudevents-batch+json' }
const anything = (data: string) => `{"type":"tests.anything","data":${data}}`
const cloudEvent = (more: Record<string, unknown>) => ({
  specversion: '1.0',
  id: 'c-1',
  source: '/tests',
  type: 'tests.anything',
  data: {},
  ...more,
})
const text = (value: unknown) => JSON.stringify(value)

/** Name, what is sent, status, code, field. */
type Case = readonly [string, Sent, number, string, string?]

const malformedJson: readonly Case[] = [
  ['no JSON', { headers: json, body: 'hello' }, 400, 'JSON_INVALID'],
  ['cut off', { headers: json, body: '{"type":"tests.anything","data":{' }, 400, 'JSON_INVALID'],
  ['nothing', { headers: json, body: '' }, 400, 'JSON_INVALID'],
  ['trailing comma', { headers: json, body: anything('[1,]') }, 400, 'JSON_INVALID'],
  ['two values', { headers: json, body: '{} {}' }, 400, 'JSON_INVALID'],
  ['NaN', { headers: json, body: anything('NaN') }, 400, 'JSON_INVALID'],
  ['single quotes', { headers: json, body: `{'type':'tests.anything'}` }, 400, 'JSON_INVALID'],
  ['a comment', { headers: json, body: anything('/* x */ 1') }, 400, 'JSON_INVALID'],
  ['byte order mark', { headers: json, body: `\ufeff${anything('1')}` }, 400, 'JSON_ENCODING'],
  ['UTF-16', { headers: json, body: Buffer.from(anything('1'), 'utf16le') }, 400, 'JSON_INVALID'],
  [
    'overlong UTF-8',
    {
      headers: json,
      body: Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
    },
    400,
    'JSON_ENCODING',
  ],
  ['200,000 lists deep', { headers: json, body: '['.repeat(200_000) }, 400, 'JSON_DEPTH'],
  [
    '200,000 lists deep, closed',
    { headers: json, body: anything('['.repeat(100_000) + ']'.repeat(100_000)) },
    400,
    'JSON_DEPTH',
  ],
  ['100,000 objects deep', { headers: json, body: '{"a":'.repeat(40_000) }, 400, 'JSON_DEPTH'],
  ['NUL', { headers: json, body: anything('"a\\u0000b"') }, 400, 'JSON_NUL', '/data'],
  ['raw NUL', { headers: json, body: anything('"a\0b"') }, 400, 'JSON_NUL'],
  ['a lone high surrogate', { headers: json, body: anything('"\\ud83d"') }, 400, 'JSON_SURROGATE', '/data'],
  [
    'a lone low surrogate',
    { headers: json, body: anything('{"a":"\\ude00x"}') },
    400,
    'JSON_SURROGATE',
    '/data/a',
  ],
  ['__proto__', { headers: json, body: anything('{"__proto__":{"polluted":true}}') }, 400, 'JSON_PROTO'],
  [
    '__proto__ escaped',
    { headers: json, body: anything('{"\\u005f_proto__":{"polluted":true}}') },
    400,
    'JSON_PROTO',
  ],
  [
    'constructor.prototype',
    { headers: json, body: anything('{"constructor":{"prototype":{"polluted":true}}}') },
    400,
    'JSON_PROTO',
  ],
  [
    '__proto__ beside type',
    { headers: json, body: '{"type":"tests.anything","data":1,"__proto__":{"polluted":1}}' },
    400,
    'JSON_PROTO',
  ],
  ['2^53 + 1', { headers: json, body: anything('9007199254740993') }, 400, 'JSON_NUMBER', '/data'],
  [
    'minus 2^60',
    { headers: json, body: anything('{"n":-1152921504606846976}') },
    400,
    'JSON_NUMBER',
    '/data/n',
  ],
  ['1e400', { headers: json, body: anything('1e400') }, 400, 'JSON_NUMBER'],
  ['1e-400', { headers: json, body: anything('1e-400') }, 400, 'JSON_NUMBER'],
  ['a key twice', { headers: json, body: anything('{"a":1,"a":2}') }, 400, 'JSON_DUPLICATE_KEY', '/data/a'],
  [
    'type twice',
    { headers: json, body: '{"type":"tests.anything","type":"x","data":1}' },
    400,
    'JSON_DUPLICATE_KEY',
    '/type',
  ],
  [
    '1,001 keys',
    {
      headers: json,
      body: anything(text(Object.fromEntries([...Array(1_001).keys()].map((n) => [`k${n}`, n])))),
    },
    400,
    'JSON_KEYS',
  ],
  ['a text of 200 KiB', { headers: json, body: anything(text('x'.repeat(200 * 1024))) }, 400, 'JSON_STRING'],
]

const wrongEvents: readonly Case[] = [
  ['a number', { headers: json, body: '1' }, 400, 'REQUEST_INVALID'],
  ['null', { headers: json, body: 'null' }, 400, 'REQUEST_INVALID'],
  ['no type', { json: { data: {} } }, 400, 'REQUEST_INVALID', '/type'],
  [
    'a type of 10,000 characters',
    { json: { type: 't'.repeat(10_000), data: {} } },
    400,
    'REQUEST_INVALID',
    '/type',
  ],
  ['type is a number', { json: { type: 1, data: {} } }, 400, 'REQUEST_INVALID', '/type'],
  ['unknown property', { json: { ...order('a'), tpye: 'x' } }, 400, 'REQUEST_INVALID', '/tpye'],
  [
    'property of the database',
    { json: { ...order('a'), recordedAt: 'x' } },
    400,
    'REQUEST_INVALID',
    '/recordedAt',
  ],
  ['version is a text', { json: { ...order('a'), version: '2' } }, 400, 'REQUEST_INVALID', '/version'],
  [
    'no such month day',
    { json: { ...order('a'), time: '2026-02-30T00:00:00Z' } },
    400,
    'REQUEST_INVALID',
    '/time',
  ],
  ['no time zone', { json: { ...order('a'), time: '2026-02-03T00:00:00' } }, 400, 'REQUEST_INVALID', '/time'],
  ['a CloudEvent as plain JSON', { json: cloudEvent({}) }, 400, 'REQUEST_INVALID', '/specversion'],
  ['unknown event', { json: { type: 'orders.order-plced', data: {} } }, 422, 'EVENT_UNKNOWN', '/type'],
  ['unknown version', { json: { ...order('a'), version: 9 } }, 422, 'EVENT_UNKNOWN', '/version'],
  [
    'wrong type of a property',
    { json: { type: 'orders.order-placed', data: { order: 'a', quantity: 'many' } } },
    422,
    'EVENT_INVALID',
    '/data/quantity',
  ],
  [
    'a property missing',
    { json: { type: 'orders.order-placed', data: { order: 'a' } } },
    422,
    'EVENT_INVALID',
    '/data/quantity',
  ],
  ['no data', { json: { type: 'orders.order-placed' } }, 422, 'EVENT_INVALID', '/data'],
  ['data is a list', { json: { type: 'orders.order-placed', data: [] } }, 422, 'EVENT_INVALID', '/data'],
  ['a key too long', { json: { ...order('a'), key: 'k'.repeat(501) } }, 422, 'EVENT_INVALID', '/key'],
  [
    'a line break in the subject',
    { json: { ...order('a'), subject: 'a\nb' } },
    422,
    'EVENT_INVALID',
    '/subject',
  ],
  [
    'escape codes in the source',
    { json: { ...order('a'), source: '\u001b[31m' } },
    422,
    'EVENT_INVALID',
    '/source',
  ],
  [
    'an id of 10,000 characters',
    { json: { ...order('a'), id: 'i'.repeat(10_000) } },
    422,
    'EVENT_INVALID',
    '/id',
  ],
  [
    'an extension in capitals',
    { json: { ...order('a'), extensions: { Shop: '1' } } },
    422,
    'EVENT_INVALID',
    '/extensions/Shop',
  ],
  [
    'an extension that is an object',
    { json: { ...order('a'), extensions: { shop: {} } } },
    400,
    'REQUEST_INVALID',
    '/extensions/shop',
  ],
  [
    'one of a batch',
    { json: [order('a'), { ...order('b'), data: { order: 'b', quantity: 0 } }] },
    422,
    'EVENT_INVALID',
    '/1/data/quantity',
  ],
  [
    'one of a batch unknown',
    { json: [order('a'), { type: 'no.such', data: 1 }] },
    422,
    'EVENT_UNKNOWN',
    '/1/type',
  ],
  [
    'one id with two bodies in a batch',
    {
      json: [
        { ...order('a'), id: 'same' },
        { ...order('b'), id: 'same' },
      ],
    },
    409,
    'IDEMPOTENCY_CONFLICT',
    '/1/id',
  ],
  ['101 events', { json: [...Array(101).keys()].map((n) => order(`o${n}`)) }, 413, 'BATCH_TOO_LARGE'],
  ['a list in a list', { json: [[order('a')]] }, 400, 'REQUEST_INVALID', '/0'],
]

const wrongCloudEvents: readonly Case[] = [
  ['no attributes', { headers: structured, body: '{}' }, 400, 'CLOUDEVENT_INVALID', '/specversion'],
  ['a list in structured mode', { headers: structured, body: '[]' }, 400, 'CLOUDEVENT_INVALID'],
  ['no list in batched mode', { headers: batch, body: text(cloudEvent({})) }, 400, 'CLOUDEVENT_INVALID'],
  [
    'specversion 0.3',
    { headers: structured, body: text(cloudEvent({ specversion: '0.3' })) },
    400,
    'CLOUDEVENT_INVALID',
    '/specversion',
  ],
  [
    'specversion 1.0 as a number',
    { headers: structured, body: text(cloudEvent({ specversion: 1 })) },
    400,
    'CLOUDEVENT_INVALID',
    '/specversion',
  ],
  [
    'an empty id',
    { headers: structured, body: text(cloudEvent({ id: '' })) },
    400,
    'CLOUDEVENT_INVALID',
    '/id',
  ],
  [
    'id null',
    { headers: structured, body: text(cloudEvent({ id: null })) },
    400,
    'CLOUDEVENT_INVALID',
    '/id',
  ],
  [
    'type a list',
    { headers: structured, body: text(cloudEvent({ type: ['a'] })) },
    400,
    'CLOUDEVENT_INVALID',
    '/type',
  ],
  [
    'time a number',
    { headers: structured, body: text(cloudEvent({ time: 5 })) },
    400,
    'CLOUDEVENT_INVALID',
    '/time',
  ],
  [
    'version 1.5',
    { headers: structured, body: text(cloudEvent({ version: 1.5 })) },
    400,
    'CLOUDEVENT_INVALID',
    '/version',
  ],
  [
    'an attribute in capitals',
    { headers: structured, body: text(cloudEvent({ Shop: 'a' })) },
    400,
    'CLOUDEVENT_INVALID',
    '/Shop',
  ],
  [
    'an attribute with a slash',
    { headers: structured, body: text(cloudEvent({ 'a/b': 'a' })) },
    400,
    'CLOUDEVENT_INVALID',
    '/a~1b',
  ],
  [
    'an attribute that is a list',
    { headers: structured, body: text(cloudEvent({ shop: [] })) },
    400,
    'CLOUDEVENT_INVALID',
    '/shop',
  ],
  [
    'binary data',
    { headers: structured, body: text(cloudEvent({ data: null, data_base64: 'AAAA' })) },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
    '/data_base64',
  ],
  [
    'data in XML',
    { headers: structured, body: text(cloudEvent({ datacontenttype: 'application/xml' })) },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
    '/datacontenttype',
  ],
  [
    'data in Latin-1',
    { headers: structured, body: text(cloudEvent({ datacontenttype: 'application/json; charset=latin1' })) },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
    '/datacontenttype',
  ],
  [
    'an unknown event',
    { headers: structured, body: text(cloudEvent({ type: 'no.such' })) },
    422,
    'EVENT_UNKNOWN',
    '/type',
  ],
  [
    'a key too long',
    { headers: structured, body: text(cloudEvent({ partitionkey: 'k'.repeat(501) })) },
    422,
    'EVENT_INVALID',
    '/partitionkey',
  ],
  [
    'a line break in an extension',
    { headers: batch, body: text([cloudEvent({ shop: 'a\r\nb' })]) },
    422,
    'EVENT_INVALID',
    '/0/shop',
  ],
  [
    'the second of a batch',
    { headers: batch, body: text([cloudEvent({}), cloudEvent({ source: 5 })]) },
    400,
    'CLOUDEVENT_INVALID',
    '/1/source',
  ],
  [
    'headers without specversion',
    { headers: { ...json, 'ce-id': '1', 'ce-source': '/t', 'ce-type': 'tests.anything' }, body: '{}' },
    400,
    'CLOUDEVENT_INVALID',
    '/specversion',
  ],
  [
    'a broken percent-encoding',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': '%zz',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
      },
      body: '{}',
    },
    400,
    'CLOUDEVENT_INVALID',
    '/id',
  ],
  [
    'UTF-8 that is none, in a header',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': '%ff',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
      },
      body: '{}',
    },
    400,
    'CLOUDEVENT_INVALID',
    '/id',
  ],
  [
    'raw characters beyond ASCII in a header',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': '\u00fc',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
      },
      body: '{}',
    },
    400,
    'CLOUDEVENT_INVALID',
    '/id',
  ],
  [
    'an encoded line break in a header',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': 'a%0d%0ab',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
      },
      body: '{}',
    },
    422,
    'EVENT_INVALID',
    '/id',
  ],
  [
    'an attribute in two headers',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': ['1', '2'],
        'ce-source': '/t',
        'ce-type': 'tests.anything',
      },
      body: '{}',
    },
    400,
    'CLOUDEVENT_INVALID',
    '/id',
  ],
  [
    '__proto__ as a header',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': '1',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
        'ce-__proto__': 'x',
      },
      body: '{}',
    },
    400,
    'CLOUDEVENT_INVALID',
    '/__proto__',
  ],
  [
    'data in a header',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': '1',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
        'ce-data': '1',
      },
      body: '{}',
    },
    400,
    'CLOUDEVENT_INVALID',
    '/data',
  ],
  [
    'XML in binary mode',
    {
      headers: {
        'content-type': 'application/xml',
        'ce-specversion': '1.0',
        'ce-id': '1',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
      },
      body: '<a/>',
    },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
  ],
]

const body = anything('{"a":1}')

const wrongTransfer: readonly Case[] = [
  ['no content type', { body }, 415, 'CONTENT_TYPE_UNSUPPORTED', '/headers/content-type'],
  ['text/plain', { headers: { 'content-type': 'text/plain' }, body }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'type=x' },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
  ],
  ['a broken content type', { headers: { 'content-type': 'json' }, body }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
  [
    'two slashes',
    { headers: { 'content-type': 'application//json' }, body },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
  ],
  [
    'CloudEvents in XML',
    { headers: { 'content-type': 'application/cloudevents+xml' }, body: '<a/>' },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
  ],
  [
    'Latin-1',
    { headers: { 'content-type': 'application/json; charset=iso-8859-1' }, body },
    415,
    'CONTENT_TYPE_UNSUPPORTED',
  ],
  [
    'gzip',
    { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(body) },
    415,
    'CONTENT_ENCODING_UNSUPPORTED',
  ],
  [
    'a gzip bomb',
    { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(100 * 1024 * 1024)) },
    415,
    'CONTENT_ENCODING_UNSUPPORTED',
  ],
  [
    'brotli',
    { headers: { ...json, 'content-encoding': 'br' }, body: 'x' },
    415,
    'CONTENT_ENCODING_UNSUPPORTED',
  ],
  [
    'a chain of encodings',
    { headers: { ...json, 'content-encoding': 'gzip, gzip, identity' }, body: 'x' },
    415,
    'CONTENT_ENCODING_UNSUPPORTED',
  ],
  ['gzip without its header', { headers: json, body: gzipSync(body) }, 400, 'JSON_ENCODING'],
  [
    'gzip as transfer encoding',
    {
      headers: { ...json, 'transfer-encoding': 'gzip, chunked' },
      body: gzipSync(body),
    },
    400,
    'HTTP_MALFORMED',
  ],
  [
    '1 MiB for one event',
    { headers: json, body: anything(text(Array(1024).fill('x'.repeat(1000)))) },
    413,
    'BODY_TOO_LARGE',
  ],
  [
    '300 KiB for one CloudEvent',
    { headers: structured, body: text(cloudEvent({ data: Array(300).fill('x'.repeat(1024)) })) },
    413,
    'BODY_TOO_LARGE',
  ],
  [
    '300 KiB in binary mode',
    {
      headers: {
        ...json,
        'ce-specversion': '1.0',
        'ce-id': '1',
        'ce-source': '/t',
        'ce-type': 'tests.anything',
      },
      body: text(Array(300).fill('x'.repeat(1024))),
    },
    413,
    'BODY_TOO_LARGE',
  ],
  [
    '300 KiB for one of a batch',
    { json: [{ type: 'tests.anything', data: Array(300).fill('x'.repeat(1024)) }] },
    413,
    'EVENT_TOO_LARGE',
    '/0/data',
  ],
  [
    'a batch of 2 MiB',
    {
      headers: json,
      body: text(Array(20).fill({ type: 'tests.anything', data: Array(100).fill('x'.repeat(1024)) })),
    },
    413,
    'BODY_TOO_LARGE',
  ],
  ['5 MiB', { headers: json, body: Buffer.alloc(5 * 1024 * 1024, 'x') }, 413, 'BODY_TOO_LARGE'],
  ['an unknown query parameter', { json: order('a') }, 400, 'REQUEST_INVALID', '/query/dryRun'],
]

const fixture = new Fixture()
let before = 0

beforeAll(async () => {
  await fixture.start()
  await fixture.send('/v1/events', { json: { type: 'tests.anything', data: 'first' } })
  before = await fixture.eventsStored()
})
afterAll(() => fixture.stop())

const groups = { malformedJson, wrongEvents, wrongCloudEvents, wrongTransfer }
const cases = Object.entries(groups).flatMap(([group, list]) =>
  list.map((entry) => [`${group}: ${entry[0]}`, entry] as const),
)

test.each(cases)('%s', async (_name, [, sent, status, code, field]) => {
  const query = field?.startsWith('/query') === true ? '?dryRun=1' : ''
  const reply = await fixture.send(`/v1/events${query}`, { method: 'POST', ...sent })
  expect({ status: reply.status, code: reply.json.code, detail: reply.json.detail }).toMatchObject({
    status,
    code,
  })
  if (field !== undefined) expect(reply.json.field).toBe(field)
  expect(reply.headers['content-type']).toBe('application/problem+json')
  expect(reply.json).toMatchObject({ type: `urn:eventspine:error:${code}`, status })
  expect(reply.json.instance).toBe(`urn:eventspine:request:${reply.headers['x-request-id']}`)
  expect(String(reply.json.detail).length).toBeGreaterThan(20)
  // Nothing of the inside, and nothing that breaks a line.
  expect(reply.text).not.toMatch(/node_modules|\.ts:\d|[\u0000-\u001f]/)
})

test('an id with another body is refused, and the first stands', async () => {
  const first = { ...order('once'), id: 'twice', source: '/conflict' }
  expect((await fixture.send('/v1/events', { json: first })).status).toBe(202)
  const stored = await fixture.eventsStored()
  const reply = await fixture.send('/v1/events', { json: { ...first, data: { order: 'once', quantity: 2 } } })
  expect(reply.status).toBe(409)
  expect(reply.json).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: '/id' })
  expect((await fixture.query(`SELECT 1 FROM eventspine.event WHERE id = 'twice'`)).length).toBe(1)
  expect(stored).toBeGreaterThan(before)
})

test('all faults of an event are told at once', async () => {
  const reply = await fixture.send('/v1/events', {
    json: { type: 'orders.order-placed', data: { order: '', quantity: 0.5 } },
  })
  expect(reply.json.issues).toEqual([
    { field: '/data/order', message: expect.any(String) },
    { field: '/data/quantity', message: expect.any(String) },
  ])
})

test('nothing of a refused request was stored, and no prototype was touched', async () => {
  const types = await fixture.query(
    `SELECT type, data FROM eventspine.event WHERE id <> 'twice' AND type <> 'orders.order-confirmed'`,
  )
  expect(types).toEqual([{ type: 'tests.anything', data: 'first' }])
  expect(await fixture.query('SELECT 1 FROM eventspine.claim')).toEqual([])
  expect(Object.keys(Object.prototype)).toEqual([])
  expect('polluted' in {}).toBe(false)
  expect((await fixture.send('/healthz')).status).toBe(200)
})
