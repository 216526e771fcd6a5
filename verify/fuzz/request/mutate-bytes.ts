// Breaks the bytes of a body: encodings, cuts, rubbish, compression.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Dice } from '../dice.js'
import type { Header } from './case.js'

export interface MutatedBytes {
  readonly body: Buffer
  readonly says: string
  readonly headers: readonly Header[]
}

const bombBytes = 10 * 1024 * 1024
let bombs: ReadonlyMap<string, Buffer> | undefined

export function mutatedBytes(dice: Dice, body: Buffer): MutatedBytes {
  const kind = dice.weighted({
    cut: 4,
    flip: 4,
    insert: 4,
    behind: 3,
    before: 3,
    encoding: 3,
    packed: 3,
    bomb: 1,
  })
  const at = dice.between(0, body.length)
  const [head, tail] = [body.subarray(0, at), body.subarray(at)]
  const plain = (says: string, ...parts: Buffer[]) => ({ body: Buffer.concat(parts), says, headers: [] })
  switch (kind) {
    case 'cut':
      return plain(`cut after ${at} bytes`, head)
    case 'flip':
      return plain(
        `byte ${at} flipped`,
        head,
        Buffer.from([(tail[0] ?? 0) ^ (1 << dice.between(0, 7))]),
        tail.subarray(1),
      )
    case 'insert':
      return plain(`rubbish at ${at}`, head, dice.pick(rubbish), tail)
    case 'behind':
      return plain(
        'something behind',
        body,
        dice.pick([...rubbish, Buffer.from(' {}'), Buffer.from('\n'), Buffer.from(',')]),
      )
    case 'before':
      return plain(
        'something before',
        dice.pick([...rubbish, Buffer.from('\ufeff'), Buffer.from(' \n\t')]),
        body,
      )
    case 'encoding':
      return plain(
        'in UTF-16',
        dice.chance(0.5) ? Buffer.from([0xff, 0xfe]) : Buffer.alloc(0),
        Buffer.from(body.toString('utf8'), 'utf16le'),
      )
    case 'packed':
      return packed(dice, body)
    case 'bomb':
      return bomb(dice)
  }
}

// NUL, control characters, overlong and cut UTF-8, a half character, what ends a line elsewhere.
const rubbish: readonly Buffer[] = [
  Buffer.from([0]),
  Buffer.from([0x1b]),
  Buffer.from([0x7f]),
  Buffer.from([0x80]),
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xe2, 0x82]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0xff]),
  Buffer.from('\u2028'),
  Buffer.from('\u00a0'),
  Buffer.from('\v'),
]

function packed(dice: Dice, body: Buffer): MutatedBytes {
  const name = dice.pick(['gzip', 'deflate', 'br', 'gzip, gzip', 'zstd', 'identity, gzip', 'GZIP'])
  const pack = name === 'br' ? brotliCompressSync : name === 'deflate' ? deflateSync : gzipSync
  return { body: pack(body), says: `Content-Encoding: ${name}`, headers: [['content-encoding', name]] }
}

function bomb(dice: Dice): MutatedBytes {
  const zeros = () => Buffer.alloc(bombBytes, 0x20)
  bombs ??= new Map([
    ['gzip', gzipSync(zeros())],
    ['br', brotliCompressSync(zeros())],
    ['deflate', deflateSync(zeros())],
  ])
  const [name, body] = dice.pick([...bombs])
  return { body, says: `a ${name} bomb`, headers: [['content-encoding', name]] }
}
