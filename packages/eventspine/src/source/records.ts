// A file as records, each with the place where it ends: so far an import has come. CSV as RFC 4180 describes it
// (https://www.rfc-editor.org/rfc/rfc4180), with any one-byte delimiter; NDJSON is a JSON value a line.

export type Format = 'csv' | 'ndjson'

/** One record as it stands in the file, without its line end. */
export interface FileRecord {
  readonly bytes: Uint8Array
  /** Of its first line and its last, from 1. */
  readonly line: number
  readonly endLine: number
  /** Behind it, and its line end. */
  readonly endBytes: number
  /** Why this line is no record, where nobody could find its end; only the first 64 KiB of one that is too long. */
  readonly fault: string | undefined
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
/** Of a line that is longer, to show which it is. */
const shownBytesMax = 64 * 1024

const most = `${(recordBytesMax / 1024).toLocaleString('en')} KiB`
const unclosed = `a quote that opens in this line is not closed at the end of a field within ${most}`
const tooLong = `the record that begins in this line has more than ${most}`
const cut = `this line has more than ${most}; its first ${shownBytesMax / 1024} KiB are kept here`

/** Where in a field of CSV a byte stands: a quote means something at its beginning, and in what it began. */
type Within = 'start' | 'plain' | 'quoted' | 'behind-quote'

/** Of a line that is too long: how it begins, and how much of it went by. */
interface Passed {
  readonly shown: Uint8Array
  readonly lengthBytes: number
}

/** A record that is no record: however often it is tried, only a person can mend it. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly category = 'validation'
}

/**
 * Splits a file, given from some byte on. Empty lines are passed over. Where quotes do not add up over several lines, or a record
 * has no end within 1 MiB, its first line alone is broken, and the next line begins anew: one slip costs no other record.
 */
export class RecordSplitter {
  readonly #csv: boolean
  readonly #delimiter: number
  /** What was given and is no part of a record yet; but for the line that is too long. */
  #bytes: Uint8Array = new Uint8Array(0)
  /** In `bytes`: where a record begins, how far it was looked at, and where its first line ends; 0 while that does not. */
  #begin = 0
  #at = 0
  #firstEnd = 0
  #within: Within = 'start'
  #line: number
  /** Line ends within the record. */
  #lines = 0
  #beginBytes: number
  #passed: Passed | undefined

  constructor({ format, delimiter, fromBytes, fromLine }: SplitterOptions) {
    this.#csv = format === 'csv'
    this.#delimiter = delimiter.charCodeAt(0)
    this.#beginBytes = fromBytes
    this.#line = fromLine
  }

  /** The records that end in `chunk`. */
  *push(chunk: Uint8Array): Generator<FileRecord> {
    const left = this.#bytes.subarray(this.#begin)
    this.#bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk])
    this.#at -= this.#begin
    if (this.#firstEnd > 0) this.#firstEnd -= this.#begin
    this.#begin = 0
    yield* this.#records(false)
  }

  /** What is left, where the file does not end with a line end. */
  *end(): Generator<FileRecord> {
    yield* this.#records(true)
  }

  *#records(isLast: boolean): Generator<FileRecord> {
    for (;;) {
      const record = this.#passed === undefined ? this.#next(isLast) : this.#pass(this.#passed, isLast)
      if (record === undefined) return
      if (record.bytes.length > 0 || record.fault !== undefined) yield record
    }
  }

  /** Undefined where more must be given, or nothing is left. */
  #next(isLast: boolean): FileRecord | undefined {
    const stop = this.#scan()
    if (stop === 'line-end') return this.#taken(this.#at, undefined)
    if (stop === 'too-long') return this.#firstLine(this.#within === 'quoted' ? unclosed : tooLong, isLast)
    if (stop === 'stray') return this.#firstLine(unclosed, isLast)
    if (!isLast || this.#at === this.#begin) return undefined
    return this.#within === 'quoted' ? this.#firstLine(unclosed, isLast) : this.#taken(this.#at, undefined)
  }

  /** To the end of the record, or to the byte by which it is none. */
  #scan(): 'line-end' | 'stray' | 'too-long' | 'out-of-bytes' {
    const bytes = this.#bytes
    const limit = this.#begin + recordBytesMax + 1
    const end = Math.min(bytes.length, limit)
    while (this.#at < end) {
      const byte = bytes[this.#at++] as number
      if (byte === newline) {
        this.#lines++
        this.#firstEnd ||= this.#at
        if (this.#within !== 'quoted') return 'line-end'
      } else if (this.#csv) {
        // Within one line it ends with that, and is refused when its fields are read.
        if (this.#lines > 0 && this.#within === 'behind-quote' && !this.#mayFollowQuote(byte)) return 'stray'
        this.#look(byte, this.#beginBytes + this.#at - 1 - this.#begin)
      }
    }
    return this.#at === limit ? 'too-long' : 'out-of-bytes'
  }

  #mayFollowQuote(byte: number): boolean {
    return byte === this.#delimiter || byte === quote || byte === carriageReturn
  }

  // A quote inside of a plain field is only that: it opens nothing, and the field is refused when it is read.
  #look(byte: number, placeBytes: number): void {
    if (this.#within === 'quoted') {
      if (byte === quote) this.#within = 'behind-quote'
    } else if (byte === this.#delimiter) this.#within = 'start'
    else if (byte === quote && this.#within !== 'plain') this.#within = 'quoted'
    else if (byte !== byteOrderMark[placeBytes]) this.#within = 'plain'
  }

  /** Of what is no record. */
  #firstLine(fault: string, isLast: boolean): FileRecord | undefined {
    this.#lines = Math.min(this.#lines, 1)
    if (this.#firstEnd > 0) return this.#taken(this.#firstEnd, fault)
    if (this.#at - this.#begin <= recordBytesMax) return this.#taken(this.#at, fault)
    return this.#pass({ shown: shownOf(this.#bytes, this.#begin), lengthBytes: 0 }, isLast)
  }

  /** A line that is too long goes by without being held. */
  #pass({ shown, lengthBytes }: Passed, isLast: boolean): FileRecord | undefined {
    const found = this.#bytes.indexOf(newline, this.#begin)
    const end = found < 0 ? this.#bytes.length : found + 1
    const wholeBytes = lengthBytes + end - this.#begin
    const isOver = found >= 0 || isLast
    this.#begin = this.#at = end
    this.#passed = isOver ? undefined : { shown, lengthBytes: wholeBytes }
    this.#lines = 1
    return isOver ? this.#record(shown, wholeBytes, cut) : undefined
  }

  /** What stands up to `end`; the next record begins there. */
  #taken(end: number, fault: string | undefined): FileRecord {
    const bytes = this.#bytes.subarray(this.#begin, end)
    this.#begin = this.#at = end
    const isEnded = bytes.at(-1) === newline
    if (!isEnded) this.#lines++
    return this.#record(isEnded ? bytes.subarray(0, -1) : bytes, bytes.length, fault)
  }

  #record(bytes: Uint8Array, lengthBytes: number, fault: string | undefined): FileRecord {
    const line = this.#line
    const begin = this.#beginBytes === 0 && byteOrderMark.every((byte, at) => bytes[at] === byte) ? 3 : 0
    const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length
    this.#within = 'start'
    this.#line += this.#lines
    this.#lines = this.#firstEnd = 0
    this.#beginBytes += lengthBytes
    const [endLine, endBytes] = [this.#line - 1, this.#beginBytes]
    return { bytes: bytes.subarray(begin, Math.max(begin, end)), line, endLine, endBytes, fault }
  }
}

// Not in the middle of a character.
function shownOf(bytes: Uint8Array, begin: number): Uint8Array {
  let end = begin + shownBytesMax
  for (let back = 0; back < 3 && ((bytes[end] as number) & 0xc0) === 0x80; back++) end--
  return bytes.slice(begin, end)
}

/** A delimiter by which a first line of one field would have several. Undefined where it has several, or would have no more. */
export function otherDelimiter(names: readonly string[]): string | undefined {
  const [only = '', ...more] = names
  if (more.length > 0) return undefined
  const fieldsBy = (delimiter: string) => only.split(delimiter).length
  const [best = ''] = [',', ';', '\t', '|'].sort((one, other) => fieldsBy(other) - fieldsBy(one))
  return fieldsBy(best) > 1 ? best : undefined
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
