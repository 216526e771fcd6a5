// What people and programs send by mistake or on purpose, and the refusal that each must get.
import { gzipSync } from 'node:zlib'
import { order, type Sent } from './fixture.js'

/** Name, what is sent, and `status CODE field` of the refusal; the field is checked when it is named. */
export type Case = readonly [name: string, sent: Sent, refusal: string]

const jsonType = { 'content-type': 'application/json' }
const text = (value: unknown) => JSON.stringify(value)

/** As `Content-Type: application/json`, byte by byte. */
const raw = (body: string | Buffer): Sent => ({ headers: jsonType, body })
const data = (json: string) => raw(`{"type":"tests.anything","data":${json}}`)
const plain = (more: object): Sent => ({ json: { ...order('a'), ...more } })
const only = (json: unknown): Sent => ({ json })
const list = (kib: number) => Array(kib).fill('x'.repeat(1020))

const attributes = { specversion: '1.0', id: 'c-1', source: '/tests', type: 'tests.anything' }
const cloud = (more: object) => ({ ...attributes, data: {}, ...more })
const structuredText = (body: string): Sent => ({
  headers: { 'content-type': 'application/cloudevents+json' },
  body,
})
const structured = (more: object) => structuredText(text(cloud(more)))
const batch = (body: unknown): Sent => ({
  headers: { 'content-type': 'application/cloudevents-batch+json' },
  body: text(body),
})
const binary = (more: Record<string, string | string[]>, body = '{}'): Sent => {
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value])
  return { headers: { ...jsonType, ...Object.fromEntries(headers), ...more }, body }
}
const typed = (type: string): Sent => ({ headers: { 'content-type': type }, body: text(order('a')) })
const encoded = (encoding: string, body: string | Buffer = 'x'): Sent => ({
  headers: { ...jsonType, 'content-encoding': encoding },
  body,
})

const manyKeys = Object.fromEntries([...Array(1_001).keys()].map((number) => [`k${number}`, number]))

const json: readonly Case[] = [
  ['no JSON', raw('hello'), '400 JSON_INVALID'],
  ['cut off', raw('{"type":"tests.anything","data":{'), '400 JSON_INVALID'],
  ['nothing', raw(''), '400 JSON_INVALID'],
  ['trailing comma', data('[1,]'), '400 JSON_INVALID'],
  ['two values', raw('{} {}'), '400 JSON_INVALID'],
  ['NaN', data('NaN'), '400 JSON_INVALID'],
  ['single quotes', raw(`{'type':'tests.anything'}`), '400 JSON_INVALID'],
  ['a comment', data('/* x */ 1'), '400 JSON_INVALID'],
  ['byte order mark', raw('\ufeff{}'), '400 JSON_ENCODING'],
  ['UTF-16', raw(Buffer.from('{"type":1}', 'utf16le')), '400 JSON_INVALID'],
  ['overlong UTF-8', raw(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), '400 JSON_ENCODING'],
  ['200,000 lists deep', raw('['.repeat(200_000)), '400 JSON_DEPTH'],
  ['closed again', data('['.repeat(100_000) + ']'.repeat(100_000)), '400 JSON_DEPTH'],
  ['40,000 objects deep', raw('{"a":'.repeat(40_000)), '400 JSON_DEPTH'],
  ['NUL', data('"a\\u0000b"'), '400 JSON_NUL /data'],
  ['raw NUL', data('"a\0b"'), '400 JSON_NUL'],
  ['a lone high surrogate', data('"\\ud83d"'), '400 JSON_SURROGATE /data'],
  ['a lone low surrogate', data('{"a":"\\ude00x"}'), '400 JSON_SURROGATE /data/a'],
  ['__proto__', data('{"__proto__":{"polluted":true}}'), '400 JSON_PROTO'],
  ['__proto__ escaped', data('{"\\u005f_proto__":{"polluted":true}}'), '400 JSON_PROTO'],
  ['constructor.prototype', data('{"constructor":{"prototype":{"polluted":true}}}'), '400 JSON_PROTO'],
  ['__proto__ beside type', raw('{"type":"tests.anything","__proto__":{"polluted":1}}'), '400 JSON_PROTO'],
  ['2^53 + 1', data('9007199254740993'), '400 JSON_NUMBER /data'],
  ['minus 2^60', data('{"n":-1152921504606846976}'), '400 JSON_NUMBER /data/n'],
  ['1e400', data('1e400'), '400 JSON_NUMBER'],
  ['1e-400', data('1e-400'), '400 JSON_NUMBER'],
  ['a key twice', data('{"a":1,"a":2}'), '400 JSON_DUPLICATE_KEY /data/a'],
  ['type twice', raw('{"type":"tests.anything","type":"x"}'), '400 JSON_DUPLICATE_KEY /type'],
  ['1,001 keys', data(text(manyKeys)), '400 JSON_KEYS'],
]

const events: readonly Case[] = [
  ['a number', raw('1'), '400 REQUEST_INVALID'],
  ['null', raw('null'), '400 REQUEST_INVALID'],
  ['no type', only({ data: {} }), '400 REQUEST_INVALID /type'],
  ['a type of 10,000 characters', plain({ type: 't'.repeat(10_000) }), '400 REQUEST_INVALID /type'],
  ['type is a number', plain({ type: 1 }), '400 REQUEST_INVALID /type'],
  ['unknown property', plain({ tpye: 'x' }), '400 REQUEST_INVALID /tpye'],
  ['property of the database', plain({ recordedAt: 'x' }), '400 REQUEST_INVALID /recordedAt'],
  ['version is a text', plain({ version: '2' }), '400 REQUEST_INVALID /version'],
  ['no such day', plain({ time: '2026-02-30T00:00:00Z' }), '400 REQUEST_INVALID /time'],
  ['no time zone', plain({ time: '2026-02-03T00:00:00' }), '400 REQUEST_INVALID /time'],
  ['an hour of 25', plain({ time: '2026-02-03T25:00:00Z' }), '400 REQUEST_INVALID /time'],
  ['a CloudEvent as plain JSON', only(cloud({})), '400 REQUEST_INVALID /specversion'],
  ['unknown event', plain({ type: 'orders.order-plced' }), '422 EVENT_UNKNOWN /type'],
  ['unknown version', plain({ version: 9 }), '422 EVENT_UNKNOWN /version'],
  ['wrong type', plain({ data: { order: 'a', quantity: 'many' } }), '422 EVENT_INVALID /data/quantity'],
  ['a property missing', plain({ data: { order: 'a' } }), '422 EVENT_INVALID /data/quantity'],
  ['no data', only({ type: 'orders.order-placed' }), '422 EVENT_INVALID /data'],
  ['no data where anything goes', only({ type: 'tests.anything' }), '422 EVENT_INVALID /data'],
  ['data is a list', plain({ data: [] }), '422 EVENT_INVALID /data'],
  ['a key too long', plain({ key: 'k'.repeat(501) }), '422 EVENT_INVALID /key'],
  ['a line break in the subject', plain({ subject: 'a\nb' }), '422 EVENT_INVALID /subject'],
  ['escape codes in the source', plain({ source: '\u001b[31m' }), '422 EVENT_INVALID /source'],
  ['an id of 10,000 characters', plain({ id: 'i'.repeat(10_000) }), '422 EVENT_INVALID /id'],
  ['an extension in capitals', plain({ extensions: { Shop: '1' } }), '422 EVENT_INVALID /extensions/Shop'],
  ['an extension object', plain({ extensions: { shop: {} } }), '400 REQUEST_INVALID /extensions/shop'],
  ['one of a batch', only([order('a'), order('b', 0)]), '422 EVENT_INVALID /1/data/quantity'],
  ['one of a batch unknown', only([order('a'), { type: 'no.such', data: 1 }]), '422 EVENT_UNKNOWN /1/type'],
  [
    'one id with two bodies in a batch',
    only([
      { ...order('a'), id: 'same' },
      { ...order('b'), id: 'same' },
    ]),
    '409 IDEMPOTENCY_CONFLICT /1/id',
  ],
  ['101 events', only([...Array(101).keys()].map((n) => order(`o${n}`))), '413 BATCH_TOO_LARGE'],
  ['a list in a list', only([[order('a')]]), '400 REQUEST_INVALID /0'],
]

const cloudEvents: readonly Case[] = [
  ['no attributes', structuredText('{}'), '400 CLOUDEVENT_INVALID /specversion'],
  ['a list in structured mode', structuredText('[]'), '400 CLOUDEVENT_INVALID'],
  ['no list in batched mode', batch(cloud({})), '400 CLOUDEVENT_INVALID'],
  ['specversion 0.3', structured({ specversion: '0.3' }), '400 CLOUDEVENT_INVALID /specversion'],
  ['specversion a number', structured({ specversion: 1 }), '400 CLOUDEVENT_INVALID /specversion'],
  ['an empty id', structured({ id: '' }), '400 CLOUDEVENT_INVALID /id'],
  ['id null', structured({ id: null }), '400 CLOUDEVENT_INVALID /id'],
  ['type a list', structured({ type: ['a'] }), '400 CLOUDEVENT_INVALID /type'],
  ['a long type', structured({ type: 't'.repeat(201) }), '400 CLOUDEVENT_INVALID /type'],
  ['time a number', structured({ time: 5 }), '400 CLOUDEVENT_INVALID /time'],
  ['version 1.5', structured({ version: 1.5 }), '400 CLOUDEVENT_INVALID /version'],
  ['an attribute in capitals', structured({ Shop: 'a' }), '400 CLOUDEVENT_INVALID /Shop'],
  ['an attribute with a slash', structured({ 'a/b': 'a' }), '400 CLOUDEVENT_INVALID /a~1b'],
  ['a number as dataschema', structured({ dataschema: 5 }), '400 CLOUDEVENT_INVALID /dataschema'],
  ['an attribute that is a list', structured({ shop: [] }), '400 CLOUDEVENT_INVALID /shop'],
  ['base64', structured({ data_base64: 'AAAA' }), '415 CONTENT_TYPE_UNSUPPORTED /data_base64'],
  ['XML', structured({ datacontenttype: 'text/xml' }), '415 CONTENT_TYPE_UNSUPPORTED /datacontenttype'],
  [
    'data in Latin-1',
    structured({ datacontenttype: 'application/json; charset=latin1' }),
    '415 CONTENT_TYPE_UNSUPPORTED /datacontenttype',
  ],
  ['an unknown event', structured({ type: 'no.such' }), '422 EVENT_UNKNOWN /type'],
  ['a key too long', structured({ partitionkey: 'k'.repeat(501) }), '422 EVENT_INVALID /partitionkey'],
  ['a line break in an extension', batch([cloud({ shop: 'a\r\nb' })]), '422 EVENT_INVALID /0/shop'],
  ['the second of a batch', batch([cloud({}), cloud({ source: 5 })]), '400 CLOUDEVENT_INVALID /1/source'],
  ['headers without specversion', binary({ 'ce-specversion': '' }), '400 CLOUDEVENT_INVALID /specversion'],
  ['a broken percent-encoding', binary({ 'ce-id': '%zz' }), '400 CLOUDEVENT_INVALID /id'],
  ['encoded bytes that are no UTF-8', binary({ 'ce-id': '%ff' }), '400 CLOUDEVENT_INVALID /id'],
  ['a header beyond ASCII', binary({ 'ce-id': '\u00fc' }), '400 CLOUDEVENT_INVALID /id'],
  ['an encoded line break', binary({ 'ce-id': 'a%0d%0ab' }), '422 EVENT_INVALID /id'],
  ['an attribute in two headers', binary({ 'ce-id': ['1', '2'] }), '400 CLOUDEVENT_INVALID /id'],
  ['__proto__ as a header', binary({ 'ce-__proto__': 'x' }), '400 CLOUDEVENT_INVALID /__proto__'],
  ['data in a header', binary({ 'ce-data': '1' }), '400 CLOUDEVENT_INVALID /data'],
  ['XML in binary mode', binary({ 'content-type': 'text/xml' }), '415 CONTENT_TYPE_UNSUPPORTED'],
]

const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024))
const chunked = { ...jsonType, 'transfer-encoding': 'gzip, chunked' }
const twoMiB = Array(20).fill({ type: 'tests.anything', data: list(100) })

const transfer: readonly Case[] = [
  ['no content type', { body: '{}' }, '415 CONTENT_TYPE_UNSUPPORTED /headers/content-type'],
  ['text/plain', typed('text/plain'), '415 CONTENT_TYPE_UNSUPPORTED'],
  ['a form', typed('application/x-www-form-urlencoded'), '415 CONTENT_TYPE_UNSUPPORTED'],
  ['a broken content type', typed('json'), '415 CONTENT_TYPE_UNSUPPORTED'],
  ['two slashes', typed('application//json'), '415 CONTENT_TYPE_UNSUPPORTED'],
  ['CloudEvents in XML', typed('application/cloudevents+xml'), '415 CONTENT_TYPE_UNSUPPORTED'],
  ['Latin-1', typed('application/json; charset=iso-8859-1'), '415 CONTENT_TYPE_UNSUPPORTED'],
  ['gzip', encoded('gzip', gzipSync('{}')), '415 CONTENT_ENCODING_UNSUPPORTED'],
  ['a gzip bomb', encoded('gzip', bomb), '415 CONTENT_ENCODING_UNSUPPORTED'],
  ['brotli', encoded('br'), '415 CONTENT_ENCODING_UNSUPPORTED'],
  ['a chain of encodings', encoded('gzip, gzip, identity'), '415 CONTENT_ENCODING_UNSUPPORTED'],
  ['gzip without its header', raw(gzipSync('{}')), '400 JSON_ENCODING'],
  ['gzip as transfer encoding', { headers: chunked, body: gzipSync('{}') }, '400 HTTP_MALFORMED'],
  ['1 MiB for one event', data(text(list(1020))), '413 BODY_TOO_LARGE'],
  ['300 KiB for one CloudEvent', structured({ data: list(300) }), '413 BODY_TOO_LARGE'],
  ['300 KiB in binary mode', binary({}, text(list(300))), '413 BODY_TOO_LARGE'],
  [
    '300 KiB for one of a batch',
    only([{ type: 'tests.anything', data: list(300) }]),
    '413 EVENT_TOO_LARGE /0/data',
  ],
  ['a batch of 2 MiB', only(twoMiB), '413 BODY_TOO_LARGE'],
  ['5 MiB', raw(Buffer.alloc(5 * 1024 * 1024, 'x')), '413 BODY_TOO_LARGE'],
]

export const badInput: readonly Case[] = Object.entries({ json, events, cloudEvents, transfer }).flatMap(
  ([group, cases]) => cases.map(([name, sent, refusal]) => [`${group}: ${name}`, sent, refusal] as const),
)
