// A file that is imported, wherever it lies: on a disk, or where somebody else reads it from, such as a bucket.
import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { EventspineError } from '../kernel/index.js'

/** Bytes that `importFile` reads, and may read again from any place after an interruption. */
export interface ImportableFile {
  /** For people: without its folder. */
  readonly name: string
  readonly sizeBytes: number
  /** 64 hexadecimal digits: SHA-256 of the content, or of what names this content for good. The same is imported once. */
  hash(): Promise<string>
  /** From a byte on to the end. Throws where it would give bytes of another content than the one that `hash` names. */
  read(fromBytes: number): AsyncIterable<Uint8Array>
  /** Throws when what was read may have been of another content. Asked before each batch is stored; left out where `read`
   *  itself is sure. */
  checkUnchanged?(): Promise<void>
  /** Called once by the import that opened it. Left out where there is nothing to close. */
  close?(): Promise<void>
}

const chunkBytes = 256 * 1024

export const refused = (file: string, why: string) =>
  new EventspineError('REQUEST_INVALID', `The file ${file} ${why}.`)

/** Opened once, known by its content, and refused where that changes meanwhile. */
export class DiskFile implements ImportableFile {
  readonly name: string
  readonly sizeBytes: number
  readonly #handle: FileHandle
  readonly #changedMs: number

  private constructor(name: string, sizeBytes: number, changedMs: number, handle: FileHandle) {
    this.name = name
    this.sizeBytes = sizeBytes
    this.#changedMs = changedMs
    this.#handle = handle
  }

  static async open(path: string): Promise<DiskFile> {
    // Before it is opened: that of a pipe would wait for somebody to write.
    if (!(await stat(path)).isFile()) throw refused(basename(path), 'is no regular file')
    const handle = await open(path, 'r')
    const { size, mtimeMs } = await handle.stat()
    return new DiskFile(basename(path), size, mtimeMs, handle)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  async hash(): Promise<string> {
    const hash = createHash('sha256')
    for await (const chunk of this.read(0)) hash.update(chunk)
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

  async *read(fromBytes: number): AsyncGenerator<Uint8Array> {
    for (let at = fromBytes; at < this.sizeBytes; ) {
      const length = Math.min(chunkBytes, this.sizeBytes - at)
      const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(length), 0, length, at)
      // Its end is told by whoever counts the bytes.
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  }
}
