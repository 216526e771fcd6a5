// One run over a folder: look twice, and what did not change in between is whole. A file gets its second name, in the archive,
// before its event is stored, and loses its first behind that. So whoever dies in between leaves a file that comes again as the same.
import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { type FileHandle, link, lstat, mkdir, open, opendir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EventspineError } from '../kernel/index.js'
import type { SourceRun } from './custom.js'
import type { ArrivedFile } from './folder.js'
import { isPassing } from './translating.js'

export interface Folder {
  readonly folder: string
  readonly archive: string
  readonly pattern: RegExp | undefined
  readonly settleMs: number
}

/** Of one look; what is behind them comes when these are gone. */
const filesPerLookMax = 10_000
const chunkBytes = 1024 * 1024
const pauseMs = 1_000

/** The state of a file by which it is seen to change. */
const stateOf = ({ ino, size, mtimeMs }: Stats) => `${ino}:${size}:${mtimeMs}`

export class Arrivals {
  readonly #folder: Folder
  readonly #run: SourceRun
  /** By name, at the last look. */
  #seen = new Map<string, string>()

  constructor(folder: Folder, run: SourceRun) {
    this.#folder = folder
    this.#run = run
  }

  /** Until its signal aborts. Throws where the folder cannot be read, or the archive not be written. */
  async run(): Promise<void> {
    const { signal, pause } = this.#run
    while (!signal.aborted) {
      const faults: unknown[] = []
      for (const name of await this.#whole(faults)) {
        if (signal.aborted) return
        // One that cannot be read holds back no other, and is told behind them.
        await this.#take(name).catch((error: unknown) => void faults.push(error))
      }
      if (faults.length > 0 && !signal.aborted) throw faults[0]
      // The time between two looks, so not less than that for which a file must rest.
      await pause(this.#folder.settleMs)
    }
  }

  /** Those that are as they were at the last look. */
  async #whole(faults: unknown[]): Promise<readonly string[]> {
    const seen = new Map<string, string>()
    for await (const entry of await opendir(this.#folder.folder)) {
      if (seen.size >= filesPerLookMax || this.#run.signal.aborted) break
      if (!entry.isFile() || entry.name.startsWith('.') || !this.#matches(entry.name)) continue
      const stats = await found(lstat(join(this.#folder.folder, entry.name)))
      if (stats !== undefined) seen.set(entry.name, stateOf(stats))
      else if (entry.name.includes('\ufffd')) seen.set(entry.name, unnamedState)
    }
    const rested = [...seen].filter(([name, state]) => this.#seen.get(name) === state)
    this.#seen = seen
    const named = rested.filter(([, state]) => state !== unnamedState)
    const [nameless] = rested.find(([, state]) => state === unnamedState) ?? []
    if (nameless !== undefined) faults.push(unnamed(nameless, this.#folder))
    return named.map(([name]) => name)
  }

  // Not by test(): a pattern with the flag g remembers where it was.
  #matches(name: string): boolean {
    return this.#folder.pattern === undefined || name.search(this.#folder.pattern) >= 0
  }

  async #take(name: string): Promise<void> {
    const path = join(this.#folder.folder, name)
    const handle = await found(open(path, 'r'))
    if (handle === undefined) return
    try {
      const stats = await handle.stat()
      if (stateOf(stats) !== this.#seen.get(name)) return
      const sha256 = await this.#hashed(handle)
      if (sha256 === undefined) return
      const id = hashOf([name, sha256, String(stats.mtimeMs)])
      const archived = join(this.#folder.archive, id.slice(0, 2), id, name)
      const isNew = await this.#archive(handle, path, archived)
      // Whoever still writes to it writes to the archive, too: it is whole when that has ended.
      const isOther = isNew && stateOf(await lstat(archived)) !== stateOf(stats)
      // Another was renamed into its place between the two: that one is taken at a later look.
      if (isOther || stateOf(await handle.stat()) !== stateOf(stats)) {
        if (isNew) await rm(archived)
        return
      }
      const modifiedAt = stats.mtime.toISOString()
      const stored = await this.#store(id, {
        path: archived,
        name,
        sizeBytes: stats.size,
        modifiedAt,
        sha256,
      })
      // By now the name may be another file's.
      const there = stored ? await found(lstat(path)) : undefined
      if (there !== undefined && stateOf(there) === stateOf(stats)) await rm(path, { force: true })
    } finally {
      await handle.close()
    }
  }

  /** Undefined when this is to stop meanwhile: a file may be larger than any memory. */
  async #hashed(handle: FileHandle): Promise<string | undefined> {
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(chunkBytes)
    for (let at = 0; ; ) {
      if (this.#run.signal.aborted) return undefined
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, at)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
  }

  // On the disk with its content and its name, before anybody is told of it. False where the same file was there before: its worker
  // died, or it was sent twice.
  async #archive(handle: FileHandle, path: string, archived: string): Promise<boolean> {
    const shelf = dirname(archived)
    await mkdir(shelf, { recursive: true })
    const isNew = await link(path, archived).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'EEXIST') return false
        throw explained(error, path, this.#folder)
      },
    )
    await handle.sync()
    for (const folder of [shelf, dirname(shelf), this.#folder.archive]) await sync(folder)
    return isNew
  }

  async #store(id: string, file: ArrivedFile): Promise<boolean> {
    const { receive, signal, pause } = this.#run
    while (!signal.aborted) {
      try {
        await receive({ id, headers: { file: file.name }, body: JSON.stringify(file) })
        return true
      } catch (error) {
        if (!isPassing(error) || error.code === 'STOPPED') throw error
        await pause(error.retryAfterMs ?? pauseMs)
      }
    }
    return false
  }
}

const hashOf = (parts: readonly string[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

/** Undefined for a file that somebody else has taken away. */
async function found<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

// Under the name that was made of its bytes there is no file.
const unnamedState = 'unnamed'
const unnamed = (name: string, { folder }: Folder) =>
  new EventspineError(
    'REQUEST_INVALID',
    `A file of ${folder} cannot be taken, since its name is not in UTF-8: "${name}", where \ufffd stands for what is none. Rename it.`,
  )

function explained(error: unknown, path: string, { archive }: Folder): unknown {
  const code = codeOf(error)
  if (code !== 'EXDEV' && code !== 'EPERM') return error
  const advice =
    code === 'EXDEV'
      ? 'Give the source an archive on the same file system'
      : 'Let the worker own it, or write to it, and take its attributes away (chattr -i); or give the source an archive on a file system that has hard links'
  return new EventspineError(
    'REQUEST_INVALID',
    `The file ${path} cannot be linked into ${archive} (${code}). ${advice}.`,
    { cause: error },
  )
}
