// Tells when source files below a folder change, once for a burst of changes. Folders are watched one by one: watching
// recursively would walk node_modules.
import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { extname, join, relative } from 'node:path'

const quietMs = 80
const foldersMax = 2_000
const passedOver = new Set(['node_modules', 'dist', 'coverage', 'test'])
const extensions = new Set(['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'])

export class FolderWatch {
  readonly #folder: string
  readonly #changed: (path: string) => void
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #running = false

  /** `changed` is given a path relative to the folder. */
  constructor(folder: string, changed: (path: string) => void) {
    this.#folder = folder
    this.#changed = changed
  }

  /** Safe to call twice. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.#add(this.#folder)
  }

  /** Safe to call twice, or before start. */
  stop(): void {
    this.#running = false
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #add(folder: string): void {
    if (this.#watchers.has(folder) || this.#watchers.size >= foldersMax) return
    try {
      const watcher = watch(folder, (_event, name) => this.#noticed(folder, name))
      watcher.on('error', () => this.#remove(folder))
      this.#watchers.set(folder, watcher)
    } catch {
      // Gone again, or more than the system can watch: what is watched already goes on.
      return
    }
    for (const child of foldersIn(folder)) this.#add(child)
  }

  #remove(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #noticed(folder: string, name: string | null): void {
    if (name === null || name.startsWith('.') || passedOver.has(name)) return
    const path = join(folder, name)
    if (!extensions.has(extname(name))) return this.#folderChanged(folder)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#changed(relative(this.#folder, path)), quietMs)
  }

  // Something without a known extension came or went: it may be a folder.
  #folderChanged(folder: string): void {
    for (const child of foldersIn(folder)) this.#add(child)
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !passedOver.has(entry.name))
      .map((entry) => join(folder, entry.name))
  } catch {
    return []
  }
}
