// The records of a file that is imported, from any place on, and the names that its first line gives them.
import { EventspineError } from '../kernel/index.js'
import type { FileSource } from './file.js'
import { DiskFile, type ImportableFile, refused } from './importable-file.js'
import { textOf } from './message.js'
import { type FileRecord, fieldsOf, RecordSplitter } from './records.js'

export interface Header {
  readonly names: readonly string[]
  readonly endBytes: number
  readonly lines: number
}

const none: Header = { names: [], endBytes: 0, lines: 0 }
const hashForm = /^[0-9a-f]{64}$/

export class OpenedFile {
  readonly #file: ImportableFile
  readonly #source: FileSource

  private constructor(file: ImportableFile, source: FileSource) {
    this.#file = file
    this.#source = source
  }

  /** @param file its path, or what reads it */
  static async open(file: string | ImportableFile, source: FileSource): Promise<OpenedFile> {
    return new OpenedFile(typeof file === 'string' ? await DiskFile.open(file) : file, source)
  }

  get name(): string {
    return this.#file.name
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes
  }

  async close(): Promise<void> {
    await this.#file.close?.()
  }

  /** Of all of it: the same content is the same import. */
  async hash(): Promise<string> {
    const hash = await this.#file.hash()
    if (hashForm.test(hash)) return hash
    throw new EventspineError(
      'REQUEST_INVALID',
      `The file ${this.name} has the hash ${JSON.stringify(hash)}, and must have one of 64 hexadecimal digits, such as a SHA-256.`,
    )
  }

  async checkUnchanged(): Promise<void> {
    await this.#file.checkUnchanged?.()
  }

  /** The names of a CSV file's fields. */
  async header(): Promise<Header> {
    if (this.#source.format !== 'csv') return none
    for await (const first of this.records(none)) return this.#headerOf(first)
    throw refused(this.name, 'is empty. Its first line must name the fields')
  }

  #headerOf({ bytes, endBytes, endLine, fault }: FileRecord): Header {
    if (fault !== undefined) throw refused(this.name, `does not begin with the names of its fields: ${fault}`)
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
    let at = endBytes
    for await (const chunk of this.#file.read(endBytes)) {
      at += chunk.length
      if (at > this.sizeBytes) throw refused(this.name, 'became longer while it was imported')
      yield* splitter.push(chunk)
    }
    // A reading that was cut off would look like an end, and the rest of the file be lost.
    if (at < this.sizeBytes) throw refused(this.name, 'became shorter while it was imported')
    yield* splitter.end()
  }
}
