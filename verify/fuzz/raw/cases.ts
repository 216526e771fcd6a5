// What no HTTP client sends: broken request lines, floods, two messages in one, early ends. Each is answered with a
// refusal, or the connection is closed; what is smuggled inside is never stored.
import { brokenLines, floods } from './heads.js'
import { large } from './large.js'

export interface RawCase {
  readonly name: string
  /** Written one after another, with a pause between them. */
  readonly parts: readonly Buffer[]
  readonly pauseMs: number
  /** Statuses below 400 that may come back, each once. */
  readonly may: readonly number[]
  /** The client closes its side after the last part. */
  readonly leaves: boolean
}

export interface RawContext {
  readonly host: string
  readonly key: string
}

type Bytes = string | Buffer

/** A request that stores an event when it is read as one: it never may. */
const smuggled = (context: RawContext, id: string) => {
  const body = JSON.stringify({ type: 'tests.anything', id: `smuggled-${id}`, source: '/raw', data: 1 })
  return `POST /v1/events HTTP/1.1\r\nHost: ${context.host}\r\nAuthorization: Bearer ${context.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

const made = (name: string, bytes: Bytes | readonly Bytes[], more: Partial<RawCase> = {}): RawCase => ({
  name,
  parts: (Array.isArray(bytes) ? (bytes as readonly Bytes[]) : [bytes as Bytes]).map((part) =>
    typeof part === 'string' ? Buffer.from(part, 'latin1') : part,
  ),
  pauseMs: 0,
  may: [],
  leaves: false,
  ...more,
})

export function rawCases(context: RawContext): readonly RawCase[] {
  const lines = brokenLines(context.host).map(([name, bytes, may]) => made(name, bytes, { may: may ?? [] }))
  const flooded = floods(context.host).map(([name, bytes, may]) => made(name, bytes, { may: may ?? [] }))
  return [
    ...lines,
    ...flooded,
    ...smuggling(context),
    ...framing(context),
    ...leaving(context),
    ...slow(context),
    ...large(context),
  ]
}

const authorised = ({ host, key }: RawContext, headers: string, body = '') =>
  `POST /v1/events HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${headers}\r\n${body}`

function smuggling(context: RawContext): RawCase[] {
  const inner = (id: string) => smuggled(context, id)
  const chunked = (header: string) =>
    authorised(context, `Content-Length: 4\r\n${header}\r\n`, `0\r\n\r\n${inner('te')}`)
  const encodings = [
    'Transfer-Encoding: chunked',
    'transfer-encoding:chunked',
    'Transfer-Encoding: Chunked',
    'Transfer-Encoding:\tchunked',
    'Transfer-Encoding : chunked',
    ' Transfer-Encoding: chunked',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: chunked\0',
    'Transfer-Encoding: \vchunked',
    'Transfer-Encoding:\r\n chunked',
    'X: y\nTransfer-Encoding: chunked',
    'X: y\rTransfer-Encoding: chunked',
    'Transfer\u00a0Encoding: chunked',
    'Transfer-Encoding: chunked;q=1',
  ]
  const lengths = [
    '+4',
    '-4',
    '4,4',
    '4, 5',
    '0x4',
    '4.0',
    '4e0',
    '04 4',
    '',
    ' ',
    '４',
    '99999999999999999999',
    '4\t4',
  ]
  return [
    ...encodings.map((header) => made(`length and ${JSON.stringify(header)}`, chunked(header))),
    ...lengths.map((length) =>
      made(
        `length ${JSON.stringify(length)}`,
        authorised(context, `Content-Length: ${length}\r\n`, inner('cl')),
      ),
    ),
    made('two lengths', authorised(context, `Content-Length: 0\r\nContent-Length: 5\r\n`, inner('cl-cl'))),
    made(
      'length and CL with a space',
      authorised(context, `Content-Length : 0\r\nContent-Length: 5\r\n`, inner('cl-sp')),
    ),
  ]
}

function framing(context: RawContext): RawCase[] {
  const chunk = (body: string) =>
    authorised(context, 'Transfer-Encoding: chunked\r\nConnection: close\r\n', body)
  const bodies = [
    'zz\r\n{}\r\n0\r\n\r\n',
    '-1\r\n{}\r\n0\r\n\r\n',
    '+2\r\n{}\r\n0\r\n\r\n',
    '0x2\r\n{}\r\n0\r\n\r\n',
    '2 \r\n{}\r\n0\r\n\r\n',
    '2;\r\n{}\r\n0\r\n\r\n',
    '2;a=b\r\n{}\r\n0\r\n\r\n',
    `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
    '2\n{}\n0\n\n',
    '2\r\n{}0\r\n\r\n',
    '2\r\n{}}}\r\n0\r\n\r\n',
    '3\r\n{}\r\n0\r\n\r\n',
    'ffffffffffffffff\r\n{}\r\n0\r\n\r\n',
    'fffffffffffffffffffff\r\n{}\r\n0\r\n\r\n',
    '2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n',
    `2\r\n{}\r\n0\r\n${'T: x\r\n'.repeat(5_000)}\r\n`,
    '0\r\n\r\n0\r\n\r\n',
    '\r\n\r\n',
    `${'1\r\n \r\n'.repeat(5_000)}0\r\n\r\n`,
  ]
  return bodies.map((body) => made(`chunks ${JSON.stringify(body.slice(0, 30))}`, chunk(body)))
}

function leaving(context: RawContext): RawCase[] {
  const whole = smuggled(context, 'left').replace('"data":1', '"data":}')
  const cuts = [
    0,
    1,
    4,
    20,
    40,
    90,
    whole.indexOf('\r\n\r\n') + 2,
    whole.indexOf('\r\n\r\n') + 4,
    whole.length - 5,
  ]
  const health = `GET /healthz HTTP/1.1\r\nHost: ${context.host}\r\n\r\n`
  const last = health.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
  return [
    ...cuts.map((at) => made(`leaves after ${at} bytes`, whole.slice(0, at), { leaves: true })),
    made('leaves a declared body', authorised(context, 'Content-Length: 1000000\r\n', '{"type":'), {
      leaves: true,
    }),
    made('leaves between chunks', authorised(context, 'Transfer-Encoding: chunked\r\n', '5\r\n{"a":'), {
      leaves: true,
    }),
    made('three in a row', health + health + last, { may: [200, 200, 200] }),
    made('fifty in a row', health.repeat(49) + last, { may: Array(50).fill(200) }),
    made('good, then rubbish', `${health}\0\0\0\0\r\n\r\n`, { may: [200] }),
    made(
      'a body behind GET',
      `GET /healthz HTTP/1.1\r\nHost: ${context.host}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
      { may: [200] },
    ),
    made(
      'chunks behind GET',
      `GET /healthz HTTP/1.1\r\nHost: ${context.host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      { may: [200] },
    ),
    made('line ends before it', `\r\n\r\n${last}`, { may: [200] }),
    made(
      'a tail, left at once',
      `GET /v1/events/tail HTTP/1.1\r\nHost: ${context.host}\r\nAuthorization: Bearer ${context.key}\r\n\r\n`,
      { may: [200], leaves: true },
    ),
    made(
      'Expect: 100-continue, and no body',
      authorised(context, 'Expect: 100-continue\r\nContent-Length: 5\r\n'),
      { may: [100], leaves: true },
    ),
  ]
}

function slow(context: RawContext): RawCase[] {
  const head = [...`GET /healthz HTTP/1.1\r\nHost: ${context.host}\r\nX-Slow: ${'y'.repeat(40)}\r\n`]
  const body = authorised(context, 'Content-Length: 100\r\n')
  return [
    made('one byte of the head at a time', head, { pauseMs: 80 }),
    made('a head without an end', head.join('')),
    made(
      'headers one at a time',
      Array.from({ length: 40 }, (_, at) => (at === 0 ? 'GET / HTTP/1.1\r\n' : `X${at}: y\r\n`)),
      { pauseMs: 100 },
    ),
    made('nothing at all', [], { pauseMs: 0 }),
    made('one byte of the body at a time', [body, ...'{"type":"tests.anything","data":['], { pauseMs: 100 }),
    made('a body without an end', body),
    made(
      'chunks one at a time',
      [authorised(context, 'Transfer-Encoding: chunked\r\n'), ...Array<string>(40).fill('1\r\n \r\n')],
      { pauseMs: 80 },
    ),
  ]
}
