// Bodies that are too deep, too wide, too long, or packed: each is refused or taken, soon, and in bounded memory.
import { gzipSync } from 'node:zlib'
import type { RawCase, RawContext } from './cases.js'

const mebibyte = 1024 * 1024
const depth = 100_000
const million = 1_000_000
const packings = 4

interface Large {
  readonly name: string
  /** Of the event's data. */
  readonly data: string
  /** It is within all limits on some servers, and may be stored. */
  readonly mayFit?: boolean
}

function bodies(): Large[] {
  const many = (count: number, part: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => part(index)).join(',')
  return [
    { name: 'arrays in arrays', data: '['.repeat(depth) + ']'.repeat(depth) },
    { name: 'objects in objects', data: `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}` },
    { name: 'arrays that never end', data: '['.repeat(million) },
    { name: 'a million keys', data: `{${many(million, (index) => `"k${index}":1`)}}` },
    { name: 'one key, a hundred thousand times', data: `{${many(depth, () => '"k":1')}}` },
    { name: 'a million elements', data: `[${many(million, () => '1')}]`, mayFit: true },
    { name: 'a number of a million digits', data: '9'.repeat(million) },
    { name: 'a fraction of a million digits', data: `0.${'3'.repeat(million)}`, mayFit: true },
    { name: 'an exponent of a million digits', data: `1e${'0'.repeat(million)}1` },
    { name: 'a key of a million letters', data: `{"${'k'.repeat(million)}":1}`, mayFit: true },
    { name: 'a million escapes', data: `"${'\\u0061'.repeat(million)}"`, mayFit: true },
    { name: 'a million NULs', data: `"${'\\u0000'.repeat(million)}"` },
    { name: 'a million lone surrogates', data: `"${'\\ud800'.repeat(million)}"` },
  ]
}

export function large({ host, key }: RawContext): RawCase[] {
  const head = (...headers: string[]) =>
    Buffer.from(
      [
        'POST /v1/events HTTP/1.1',
        `Host: ${host}`,
        `Authorization: Bearer ${key}`,
        'Content-Type: application/json',
        'Connection: close',
        ...headers,
        '\r\n',
      ].join('\r\n'),
    )
  const asked = (name: string, parts: readonly Buffer[], may: readonly number[]): RawCase => ({
    ...{ name, parts, may, pauseMs: 0, leaves: false },
  })
  const whole = bodies().map(({ name, data, mayFit = false }) => {
    const body = Buffer.from(`{"type":"tests.anything","source":"/large","data":${data}}`)
    return asked(name, [head(`Content-Length: ${body.length}`), body], mayFit ? [200, 201, 202] : [])
  })
  // The same piece again and again: what is tried is the server's memory.
  const piece = Buffer.alloc(mebibyte, ' ')
  const hundred = Array<Buffer>(100).fill(piece)
  const chunk = Buffer.concat([Buffer.from(`${mebibyte.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
  let packed = gzipSync(Buffer.alloc(100 * mebibyte, ' '))
  for (let times = 1; times < packings; times++) packed = gzipSync(packed)
  const packing = Array(packings).fill('gzip').join(', ')
  return [
    ...whole,
    asked('a hundred mebibytes', [head(`Content-Length: ${100 * mebibyte}`), ...hundred], []),
    asked(
      'a hundred mebibytes in chunks',
      [head('Transfer-Encoding: chunked'), ...Array<Buffer>(100).fill(chunk)],
      [],
    ),
    asked(
      'a hundred mebibytes packed four times',
      [head(`Content-Encoding: ${packing}`, `Content-Length: ${packed.length}`), packed],
      [],
    ),
  ]
}
