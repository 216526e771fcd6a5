// The messages of the output plugin that comes with Postgres, version 1 of its protocol.
// https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html

/** Values by column, as texts; undefined where the value did not change and was left out. */
export type Tuple = readonly (string | null | undefined)[]

export type OutputMessage =
  | { readonly kind: 'begin'; readonly commitLsn: bigint; readonly committedAtUs: bigint }
  | { readonly kind: 'commit'; readonly endLsn: bigint }
  | { readonly kind: 'relation'; readonly id: number; readonly columns: readonly string[] }
  | { readonly kind: 'insert'; readonly relation: number; readonly after: Tuple }
  | {
      readonly kind: 'update'
      readonly relation: number
      readonly before: Tuple | null
      readonly after: Tuple
    }
  | { readonly kind: 'delete'; readonly relation: number; readonly before: Tuple }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'other' }

/** Postgres counts microseconds from 2000-01-01. */
const epochUs = BigInt(Date.UTC(2000, 0, 1)) * 1_000n

class Reader {
  #at = 1

  constructor(readonly bytes: Buffer) {}

  skip(bytes: number): this {
    this.#at += bytes
    return this
  }

  int8(): number {
    return this.bytes.readUInt8(this.#at++)
  }

  int16(): number {
    this.#at += 2
    return this.bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.bytes.readUInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.bytes.readBigInt64BE(this.#at - 8)
  }

  name(): string {
    const end = this.bytes.indexOf(0, this.#at)
    const text = this.bytes.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  tuple(): Tuple {
    return Array.from({ length: this.int16() }, () => {
      const kind = String.fromCharCode(this.int8())
      if (kind === 'n') return null
      if (kind === 'u') return undefined
      const length = this.int32()
      this.#at += length
      return this.bytes.toString('utf8', this.#at - length, this.#at)
    })
  }
}

export function outputMessage(bytes: Buffer): OutputMessage {
  const reader = new Reader(bytes)
  switch (String.fromCharCode(bytes[0] ?? 0)) {
    case 'B':
      return { kind: 'begin', commitLsn: reader.int64(), committedAtUs: reader.int64() + epochUs }
    case 'C':
      return { kind: 'commit', endLsn: reader.skip(9).int64() }
    case 'R':
      return relationOf(reader)
    case 'I':
      return { kind: 'insert', relation: reader.int32(), after: reader.skip(1).tuple() }
    case 'U':
      return updateOf(reader)
    case 'D':
      return { kind: 'delete', relation: reader.int32(), before: reader.skip(1).tuple() }
    case 'T':
      return { kind: 'truncate' }
    default:
      return { kind: 'other' }
  }
}

function relationOf(reader: Reader): OutputMessage {
  const id = reader.int32()
  reader.name()
  reader.name()
  const columns = Array.from({ length: reader.skip(1).int16() }, () => {
    const name = reader.skip(1).name()
    reader.skip(8)
    return name
  })
  return { kind: 'relation', id, columns }
}

function updateOf(reader: Reader): OutputMessage {
  const relation = reader.int32()
  const first = String.fromCharCode(reader.int8())
  if (first === 'N') return { kind: 'update', relation, before: null, after: reader.tuple() }
  const before = reader.tuple()
  const after = reader.skip(1).tuple()
  // A large value that did not change is left out of the new row, and stands in the old one.
  return {
    kind: 'update',
    relation,
    before,
    after: after.map((value, column) => (value === undefined ? before[column] : value)),
  }
}

/** `16/B374D848` as a number. */
export function lsnOf(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}

export const lsnText = (lsn: bigint): string =>
  `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`
