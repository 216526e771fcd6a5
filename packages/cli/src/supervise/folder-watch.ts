// Tells when files below a folder change that may be source, once for a burst of changes. Folders are watched one by one: watching
// recursively would walk node_modules. What lies below in a package of its own, as the members of a workspace do, is no
// part of the app. A folder that is put in the place of another, as git does, is watched anew.
import { existsSync, type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { basename, extname, join, relative, sep } from 'node:path'

const quietMs = 80
const returnPollMs = 200
const foldersMax = 2_000
const passedOver = new Set(['node_modules', 'dist', 'coverage', 'test'])
const extensions = new Set(['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'])

export class FolderWatch {
  readonly #folder: string
  readonly #changed: (path: string) => void
  readonly #concerns: (path: string) => boolean
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #returning: NodeJS.Timeout | undefined
  #running = false

  /** `changed` is given a path relative to the folder; of those alone that `concerns`, given the whole path, says yes to. */
  constructor(
    folder: string,
    changed: (path: string) => void,
    concerns: (path: string) => boolean = () => true,
  ) {
    this.#folder = folder
    this.#changed = changed
    this.#concerns = concerns
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
    clearInterval(this.#returning)
    this.#removeBelow(this.#folder)
  }

  #add(folder: string): void {
    if (this.#watchers.has(folder) || this.#watchers.size >= foldersMax) return
    try {
      const watcher = watch(folder, (event, name) => this.#noticed(folder, event, name))
      watcher.on('error', () => this.#removeBelow(folder))
      this.#watchers.set(folder, watcher)
    } catch {
      // Gone again, or more than the system can watch: what is watched already goes on.
      return
    }
    for (const child of foldersIn(folder)) this.#add(child)
  }

  #removeBelow(folder: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue
      watcher.close()
      this.#watchers.delete(path)
    }
  }

  #noticed(folder: string, event: string, name: string | null): void {
    if (folder === this.#folder && isOwnEnd(folder, event, name)) return this.#awaitReturn()
    if (name === null || isPassedOver(name)) return
    const path = join(folder, name)
    if (extensions.has(extname(name))) this.#tell(path)
    else if (event === 'rename' && isOwnFolder(path)) this.#renew(path)
  }

  // What was watched under this name may be another folder now.
  #renew(folder: string): void {
    this.#removeBelow(folder)
    this.#add(folder)
    this.#tell(folder)
  }

  #awaitReturn(): void {
    this.#removeBelow(this.#folder)
    clearInterval(this.#returning)
    this.#returning = setInterval(() => {
      if (!existsSync(this.#folder)) return
      clearInterval(this.#returning)
      this.#renew(this.#folder)
    }, returnPollMs)
  }

  #tell(path: string): void {
    if (!this.#concerns(path)) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#changed(relative(this.#folder, path) || '.'), quietMs)
  }
}

// The system tells the removal of a watched folder under that folder's own name.
const isOwnEnd = (folder: string, event: string, name: string | null) =>
  event === 'rename' && name === basename(folder) && !existsSync(join(folder, name))

const isPassedOver = (name: string) => name.startsWith('.') || passedOver.has(name)

function isOwnFolder(path: string): boolean {
  return (
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true &&
    !existsSync(join(path, 'package.json'))
  )
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !isPassedOver(entry.name))
      .map((entry) => join(folder, entry.name))
      .filter(isOwnFolder)
  } catch {
    return []
  }
}
