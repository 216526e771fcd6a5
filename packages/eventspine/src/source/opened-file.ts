// A file that is imported: opened once, known by its content, and refused where that changes meanwhile.
import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { EventspineError } from '../kernel/index.js'
import type { FileSource } from './file.js'
import { textOf } from './message.js'
import { type FileRecord, fieldsOf, RecordSplitter } from './records.js'

const chunkBytes = 256 * 1024

export interface Header {
  readonly names: readonly string[]
  readonly endBytes: number
  readonly lines: number
}

const none: Header = { names: [], endBytes: 0, lines: 0 }

export class OpenedFile {
  readonly name: string
  readonly sizeBytes: number
  readonly #handle: FileHandle
  readonly #source: FileSource
  readonly #changedMs: number

  private constructor(
    name: string,
    sizeBytes: number,
    changedMs: number,
    handle: FileHandle,
    source: FileSource,
  ) {
    this.name = name
    this.sizeBytes = sizeBytes
    this.#changedMs = changedMs
    this.#handle = handle
    this.#source = source
  }

  static async open(path: string, source: FileSource): Promise<OpenedFile> {
    // Before it is opened: that of a pipe would wait for somebody to write.
    if (!(await stat(path)).isFile()) throw refused(basename(path), 'is no regular file')
    const handle = await open(path, 'r')
    const { size, mtimeMs } = await handle.stat()
    return new OpenedFile(basename(path), size, mtimeMs, handle, source)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** Of all of it: the same content is the same import. */
  async hash(): Promise<string> {
    const hash = createHash('sha256')
    for await (const chunk of this.#chunks(0)) hash.update(chunk)
    return hash.digest('hex')
  }

  /** Throws REQUEST_INVALID when it was written to since it was opened: what was read may be half of a record. */
  async checkUnchanged(): Promise<void> {
    const { size, mtimeMs } = await this.#handle.stat()
    if (size === this.sizeBytes && mtimeMs === this.#changedMs) return
    throw refused(
      this.name,
      'was written to while it was imported. What was stored of it so far stays; a changed file is another import, which stores its records again, unless your source gives them ids',
    )
  }

  /** The names of a CSV file's fields. */
  async header(): Promise<Header> {
    if (this.#source.format !== 'csv') return none
    for await (const first of this.records(none)) return this.#headerOf(first)
    throw refused(this.name, 'is empty. Its first line must name the fields')
  }

  #headerOf({ bytes, endBytes, endLine }: FileRecord): Header {
    const text = textOf(bytes)
    if (text === undefined) throw refused(this.name, 'is not in UTF-8. Convert it first')
    if (text.includes('\r')) throw refused(this.name, 'ends its lines with CR alone. Write LF or CRLF')
    const names = fieldsOf(text, this.#source.delimiter)
    const twice = names.find((each, index) => names.indexOf(each) !== index)
    if (twice !== undefined)
      throw refused(this.name, `names the field "${twice}" twice. Give each its own name`)
    return { names, endBytes, lines: endLine }
  }

  /** From a place on. */
  async *records({ endBytes, lines }: Omit<Header, 'names'>): AsyncGenerator<FileRecord> {
    const { format, delimiter } = this.#source
    const splitter = new RecordSplitter({ format, delimiter, fromBytes: endBytes, fromLine: lines + 1 })
    for await (const chunk of this.#chunks(endBytes)) yield* splitter.push(chunk)
    yield* splitter.end()
  }

  async *#chunks(fromBytes: number): AsyncGenerator<Uint8Array> {
    for (let at = fromBytes; at < this.sizeBytes; ) {
      const length = Math.min(chunkBytes, this.sizeBytes - at)
      const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(length), 0, length, at)
      if (bytesRead === 0) throw refused(this.name, 'became shorter while it was imported')
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  }
}

const refused = (file: string, why: string) =>
  new EventspineError('REQUEST_INVALID', `The file ${file} ${why}.`)
