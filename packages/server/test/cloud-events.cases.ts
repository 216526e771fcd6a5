// What the CloudEvents project publishes about its format and its HTTP binding, as facts: events, and whether they are any.
//   conformance  https://github.com/cloudevents/conformance, format/json and features (Apache-2.0)
//   spec         https://github.com/cloudevents/spec, JSON event format and HTTP protocol binding 1.0.2 (Apache-2.0)
//   sdk          https://github.com/cloudevents/sdk-javascript, tests of its receivers (Apache-2.0)
import type { Sent } from './fixture.js'

type Attributes = Readonly<Record<string, unknown>>

const test = { specversion: '1.0', type: 'io.cloudevents.test', source: 'https://cloudevents.io' }
const utc = '2018-04-05T17:31:00.000Z'
const extensions = {
  ...{ extinteger: 10, extboolean: true, extstring: 'text', exturi: 'https://cloudevents.io' },
  ...{ exturiref: '//authority/path', exttimestamp: '2023-03-31T15:12:00Z', extbinary: 'TWE=' },
}

/** Name, a CloudEvent in JSON, and what of it is stored. */
export const validEvents: readonly (readonly [string, Attributes, Attributes])[] = [
  ['minimal', { ...test, id: 'minimal' }, { source: 'https://cloudevents.io', data: null, extensions: {} }],
  [
    'null for what is optional',
    { ...test, id: 'nulls', datacontenttype: null, dataschema: null, subject: null, time: null },
    { extensions: {} },
  ],
  ['a time', { ...test, id: 'time', time: '2018-04-05T17:31:00Z' }, { time: utc }],
  ['nanoseconds', { ...test, id: 'nanoseconds', time: '2018-04-05T17:31:00.000000000Z' }, { time: utc }],
  ['a positive offset', { ...test, id: 'positive', time: '2018-04-05T18:31:00+01:00' }, { time: utc }],
  ['a negative offset', { ...test, id: 'negative', time: '2018-04-05T16:31:00-01:00' }, { time: utc }],
  ['a relative source', { ...test, id: 'relative', source: '#fragment' }, { source: '#fragment' }],
  ['extensions of all types', { ...test, id: 'extensions', ...extensions }, { extensions }],
  [
    'all core attributes, of JSON',
    {
      ...{ ...test, id: 'core', datacontenttype: 'application/json', subject: 'tests' },
      ...{ dataschema: 'https://cloudevents.io/dataschema', time: '2018-04-05T17:31:00Z' },
    },
    { subject: 'tests', time: utc, extensions: { dataschema: 'https://cloudevents.io/dataschema' } },
  ],
]

const some = {
  ...{
    specversion: '1.0',
    type: 'com.example.someevent',
    source: '/mycontext',
    time: '2018-04-05T17:31:00Z',
  },
  ...{ comexampleextension1: 'value', comexampleothervalue: 5 },
}
const ofSome = { comexampleextension1: 'value', comexampleothervalue: 5 }
const info = { appinfoA: 'abc', appinfoB: 123, appinfoC: true }
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** The same of the spec and the SDK: how data are read. */
export const readData: readonly (readonly [string, Attributes, Attributes])[] = [
  [
    'an object',
    { ...some, subject: null, id: 'C234-1234-1234', datacontenttype: 'application/json', data: info },
    { data: info, extensions: ofSome },
  ],
  [
    'a text, and no type of data: JSON',
    { ...some, subject: null, id: 'D234-1234-1234', data: "I'm just a string" },
    { data: "I'm just a string", extensions: ofSome },
  ],
  [
    'an extension that is null',
    { ...some, id: 'unset', unsetextension: null, data: info },
    { extensions: ofSome },
  ],
  ['null', { ...some, id: 'null', data: null }, { data: null }],
  ['a text that looks like JSON', { ...some, id: 'text', data: '{"a":1}' }, { data: '{"a":1}' }],
  [
    'another type that is JSON',
    { ...some, id: 'suffix', datacontenttype: 'application/vnd.example+json', data: info },
    { data: info },
  ],
  [
    'base64 of JSON',
    { ...some, id: 'base64', datacontenttype: 'application/json', data_base64: base64('{"foo":"bar"}') },
    { data: { foo: 'bar' } },
  ],
]

const invalid = (more: object): Attributes => ({ ...test, id: 'invalid', ...more })
const without = (name: string): Attributes =>
  Object.fromEntries(Object.entries(invalid({})).filter(([each]) => each !== name))

/** Name, what is no CloudEvent, and the field that is at fault. */
export const invalidEvents: readonly (readonly [string, Attributes, string])[] = [
  ...['specversion', 'id', 'type', 'source'].map(
    (name) => [`without ${name}`, without(name), `/${name}`] as const,
  ),
  ...['id', 'type', 'source', 'specversion', 'dataschema', 'subject'].map(
    (name) => [`an empty ${name}`, invalid({ [name]: '' }), `/${name}`] as const,
  ),
  ...[
    ...['lunchtime', '2018-04-05T18:31Z', '2018-04-05T18:31:00X', '2018-04-05T18:31:00+25:00'],
    ...['2018-04-05T18:31:00+xx:00', '2018-04-05T18:31:00+05'],
  ].map((time) => [`the time ${time}`, invalid({ time }), '/time'] as const),
  ['an unknown specversion', invalid({ specversion: '0.9' }), '/specversion'],
  ['an older specversion', invalid({ specversion: '0.2' }), '/specversion'],
  ['a number as id', invalid({ id: 25 }), '/id'],
  ['an object as id', invalid({ id: { xyz: 'abc' } }), '/id'],
  ['an extension in capitals', invalid({ MyExtension: 'bad' }), '/MyExtension'],
  ['an extension with a dot', invalid({ 'my.extension': 'bad' }), '/my.extension'],
  ['an extension of 1.5', invalid({ myextension: 1.5 }), '/myextension'],
  [
    'data and data_base64',
    invalid({ datacontenttype: 'application/json', data: 'text', data_base64: base64('{ "xyz": 123 }') }),
    '/data_base64',
  ],
  [
    'data_base64 that is none',
    invalid({ datacontenttype: 'application/json', data_base64: '... base64 encoded string ...' }),
    '/data_base64',
  ],
  [
    'data_base64 of no JSON',
    invalid({ datacontenttype: 'application/json', data_base64: base64('{ xyz') }),
    '/data_base64',
  ],
]

/** Batches that are refused whole, and the field that is at fault. */
export const invalidBatches: readonly (readonly [string, readonly unknown[], string])[] = [
  [
    'two versions of the specification',
    [
      { ...test, id: 'minimal1' },
      { ...test, id: 'minimal2', specversion: '0.9' },
    ],
    '/1/specversion',
  ],
  ['an event without id', [test], '/0/id'],
  ['what is no object', ['not an object', { ...test, id: 'minimal1' }], '/0'],
]

const message = '{\n    "message": "Hello World!"\n}'
const binaryHeaders = {
  ...{ 'ce-specversion': '1.0', 'ce-type': 'com.example.someevent', 'ce-source': '/mycontext/subcontext' },
  'ce-time': '2018-04-05T03:56:24Z',
}
const hello = {
  ...{ type: 'com.example.someevent', source: '/mycontext/subcontext' },
  ...{ time: '2018-04-05T03:56:24.000Z', data: { message: 'Hello World!' } },
}
const binary = (id: string, headers: Readonly<Record<string, string>>, body = message): Sent => ({
  headers: { ...binaryHeaders, 'ce-id': id, ...headers },
  ...{ method: 'POST', body },
})
const structuredHello = (id: string) =>
  `{"specversion": "1.0", "type": "com.example.someevent", "time": "2018-04-05T03:56:24Z", "id": "${id}",
    "source": "/mycontext/subcontext", "datacontenttype": "application/json", "data": {"message": "Hello World!"}}`
const json = { 'content-type': 'application/json' }

/** Name, a request, the id of its event, and what of it is stored. */
export const requests: readonly (readonly [string, Sent, string, Attributes])[] = [
  ['binary mode', binary('b-1', json), 'b-1', hello],
  [
    'binary mode, with a charset',
    binary('b-2', { 'content-type': 'application/json; charset=utf-8' }),
    'b-2',
    hello,
  ],
  ...['', '; charset=utf-8', '; charset=UTF-8'].map((charset, at): [string, Sent, string, Attributes] => [
    `structured mode${charset}`,
    {
      headers: { 'content-type': `application/cloudevents+json${charset}` },
      body: structuredHello(`s-${at}`),
    },
    ...([`s-${at}`, hello] as const),
  ]),
  [
    'structured mode, with headers of binary mode beside it',
    {
      headers: { ...binaryHeaders, 'ce-id': 'other', 'content-type': 'application/cloudevents+json' },
      body: structuredHello('s-both'),
    },
    ...(['s-both', hello] as const),
  ],
  ['binary mode without data and their type', binary('b-none', {}, ''), 'b-none', { ...hello, data: null }],
  ['binary mode, JSON without its type', binary('b-untyped', {}), 'b-untyped', hello],
  [
    'binary mode, a text',
    binary('b-text', json, `"I'm just a string"`),
    'b-text',
    { data: "I'm just a string" },
  ],
  [
    'binary mode, extensions and a schema',
    binary('b-extensions', {
      ...{ ...json, 'ce-extension1': 'mycustom-ext1', 'ce-comexampleothervalue': '5' },
      'ce-dataschema': 'http://schema.registry/v1',
    }),
    'b-extensions',
    {
      extensions: {
        ...{ extension1: 'mycustom-ext1', comexampleothervalue: '5' },
        dataschema: 'http://schema.registry/v1',
      },
    },
  ],
]

/** HTTP binding 3.1.3.2: what is sent as the header ce-subject, and the subject that it stands for. */
export const headerValues: readonly (readonly [string, string])[] = [
  ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
  ['Euro%20%e2%82%ac%20%f0%9f%98%80', 'Euro € 😀'],
  ['%41%62%63', 'Abc'],
  ['100%25', '100%'],
  ['%2525', '%25'],
  ['"with a space"', 'with a space'],
  ['"a \\"quote\\" and a \\\\"', 'a "quote" and a \\'],
  ['"Euro %E2%82%AC"', 'Euro €'],
  ['with a space', 'with a space'],
  ['%22quoted%22', '"quoted"'],
]

/** The same, refused. The first is a space in more bytes than it needs. */
export const brokenHeaderValues: readonly string[] = ['%C0%A0', '%ED%A0%80', '%F0%9F%98', '%', '%4', '%zz']

/** Specification 1.0.2, "Type System": what no text of an attribute may hold. */
export const forbiddenCharacters: readonly string[] = [
  ...['\u0000', '\u0009', '\u001f', '\u007f', '\u0080', '\u0085', '\u009f'],
  ...['\ufdd0', '\ufdef', '\ufffe', '\uffff', '\u{1fffe}', '\u{10ffff}'],
]

/** Valid to CloudEvents, and refused here on purpose: docs/guides/sources.md. With status, code and field of the refusal. */
export const otherwise: readonly (readonly [string, Attributes, string])[] = [
  [
    'data of text',
    { ...test, id: 'text', datacontenttype: 'text/plain', data: 'Simple text' },
    '415 CONTENT_TYPE_UNSUPPORTED /datacontenttype',
  ],
  [
    'data of XML',
    { ...some, id: 'B234-1234-1234', datacontenttype: 'application/xml', data: '<much wow="xml"/>' },
    '415 CONTENT_TYPE_UNSUPPORTED /datacontenttype',
  ],
  [
    'data of bytes',
    {
      ...{ ...some, id: 'A234-1234-1234', datacontenttype: 'application/vnd.apache.thrift.binary' },
      data_base64: 'AAEC',
    },
    '415 CONTENT_TYPE_UNSUPPORTED /datacontenttype',
  ],
  [
    'data of bytes of no type',
    { ...some, id: 'A235', data_base64: 'AAEC' },
    '415 CONTENT_TYPE_UNSUPPORTED /data_base64',
  ],
  [
    'a text as type of data, and none',
    { ...test, id: 'core', datacontenttype: 'text/plain' },
    '415 CONTENT_TYPE_UNSUPPORTED /datacontenttype',
  ],
  [
    'a type that no app defines',
    { ...test, id: 'type', type: 'com.example.unknown' },
    '422 EVENT_UNKNOWN /type',
  ],
  [
    'an extension named version',
    { ...test, id: 'version', version: 'v1' },
    '400 CLOUDEVENT_INVALID /version',
  ],
  ['a leap second', { ...test, id: 'leap', time: '2016-12-31T23:59:60Z' }, '400 CLOUDEVENT_INVALID /time'],
]

/** No valid type of data; here they are refused like any that is not JSON. */
export const noTypes: readonly string[] = ['xyz', '']
