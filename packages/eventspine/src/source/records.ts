// A file as records, each with the place where it ends: so far an import has come. CSV as RFC 4180 describes it
// (https://www.rfc-editor.org/rfc/rfc4180), with any one-byte delimiter; NDJSON is a JSON value a line.
import { EventspineError } from '../kernel/index.js'

export type Format = 'csv' | 'ndjson'

/** One record as it stands in the file, without its line end. */
export interface FileRecord {
  readonly bytes: Uint8Array
  /** Of its first line and its last, from 1. */
  readonly line: number
  readonly endLine: number
  /** Behind it, and its line end. */
  readonly endBytes: number
}

export interface SplitterOptions {
  readonly format: Format
  readonly delimiter: string
  /** Where reading begins, with which line. */
  readonly fromBytes: number
  readonly fromLine: number
}

const newline = 0x0a
const carriageReturn = 0x0d
const quote = 0x22
const byteOrderMark = [0xef, 0xbb, 0xbf]
/** A quote that is never closed would swallow the rest of the file. */
export const recordBytesMax = 1024 * 1024

/** Where in a field of CSV a byte stands: a quote means something at its beginning, and in what it began. */
type Within = 'start' | 'plain' | 'quoted' | 'behind-quote'

/** A record that is no record: however often it is tried, only a person can mend it. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly category = 'validation'
}

/** Splits a file, given from some byte on. Empty lines are passed over. */
export class RecordSplitter {
  readonly #csv: boolean
  readonly #delimiter: number
  #rest: Uint8Array = new Uint8Array(0)
  /** Of `rest`, how much was looked at, and where that ended. */
  #seen = 0
  #within: Within = 'start'
  #line: number
  #lines = 0
  #beginBytes: number

  constructor({ format, delimiter, fromBytes, fromLine }: SplitterOptions) {
    this.#csv = format === 'csv'
    this.#delimiter = delimiter.charCodeAt(0)
    this.#beginBytes = fromBytes
    this.#line = fromLine
  }

  /** The records that end in `chunk`. Throws REQUEST_INVALID for one that has no end within 1 MiB. */
  *push(chunk: Uint8Array): Generator<FileRecord> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let begin = 0
    for (let at = this.#seen; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (byte !== newline) {
        if (this.#csv) this.#look(byte, this.#beginBytes + at - begin)
        continue
      }
      this.#lines++
      if (this.#within === 'quoted') continue
      const record = this.#record(bytes.subarray(begin, at), at + 1 - begin)
      begin = at + 1
      if (record !== undefined) yield record
    }
    this.#rest = bytes.subarray(begin)
    this.#seen = this.#rest.length
    if (this.#rest.length > recordBytesMax) throw this.#endless()
  }

  /** The last record, where the file does not end with a line end. */
  *end(): Generator<FileRecord> {
    if (this.#rest.length === 0) return
    if (this.#within === 'quoted') throw this.#endless()
    this.#lines++
    const record = this.#record(this.#rest, this.#rest.length)
    this.#rest = new Uint8Array(0)
    if (record !== undefined) yield record
  }

  // A quote inside of a plain field is only that: it opens nothing, and the field is refused when it is read.
  #look(byte: number, placeBytes: number): void {
    if (this.#within === 'quoted') {
      if (byte === quote) this.#within = 'behind-quote'
    } else if (byte === this.#delimiter) this.#within = 'start'
    else if (byte === quote && this.#within !== 'plain') this.#within = 'quoted'
    else if (byte !== byteOrderMark[placeBytes]) this.#within = 'plain'
  }

  #record(bytes: Uint8Array, lengthBytes: number): FileRecord | undefined {
    if (bytes.length > recordBytesMax) throw this.#endless()
    const line = this.#line
    const begin = this.#beginBytes === 0 && byteOrderMark.every((byte, at) => bytes[at] === byte) ? 3 : 0
    this.#within = 'start'
    this.#line += this.#lines
    this.#lines = 0
    this.#beginBytes += lengthBytes
    const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length
    if (end <= begin) return undefined
    return { bytes: bytes.subarray(begin, end), line, endLine: this.#line - 1, endBytes: this.#beginBytes }
  }

  // Behind it nothing can be told apart.
  #endless(): EventspineError {
    const why =
      this.#within === 'quoted'
        ? 'a quote that opens there is never closed'
        : `it is longer than ${recordBytesMax / 1024} KiB, or the file is of another format`
    return new EventspineError(
      'REQUEST_INVALID',
      `The record that begins in line ${this.#line} does not end: ${why}. Mend the file. What stands before that record may be stored already; a mended file is another one, and brings it again unless its records have ids of their own (options: { id }).`,
    )
  }
}

/** The fields of one CSV record. Throws a RecordError for quotes where none may be. */
export function fieldsOf(record: string, delimiter: string): string[] {
  if (!record.includes('"')) return record.split(delimiter)
  const fields: string[] = []
  for (let at = 0; at <= record.length; ) {
    const { value, end } = record[at] === '"' ? quotedAt(record, at) : plainAt(record, at, delimiter)
    if (end < record.length && record[end] !== delimiter)
      throw new RecordError(`field ${fields.length + 1} goes on behind its closing quote`)
    fields.push(value)
    at = end + 1
  }
  return fields
}

function plainAt(record: string, at: number, delimiter: string) {
  const found = record.indexOf(delimiter, at)
  const end = found < 0 ? record.length : found
  const value = record.slice(at, end)
  if (value.includes('"')) throw new RecordError('a quote stands inside of a field that is not quoted')
  return { value, end }
}

function quotedAt(record: string, at: number) {
  let value = ''
  for (let from = at + 1; ; ) {
    const close = record.indexOf('"', from)
    if (close < 0) throw new RecordError('a quote is not closed')
    value += record.slice(from, close)
    if (record[close + 1] !== '"') return { value, end: close + 1 }
    value += '"'
    from = close + 2
  }
}

/** A CSV record by the names of the first line. Throws a RecordError where it has more or fewer fields. */
export function rowOf(record: string, names: readonly string[], delimiter: string): Record<string, string> {
  const fields = fieldsOf(record, delimiter)
  if (fields.length !== names.length)
    throw new RecordError(`it has ${fields.length} fields, and the first line names ${names.length}`)
  return Object.fromEntries(names.map((name, index): [string, string] => [name, fields[index] as string]))
}
