// The files of the console in memory. In a checkout that has no build of it, or an older one, they are built first,
// while the server serves the API already.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildConsole, isBuilt } from './build.js'
import { builtIn, home } from './sources.js'

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

interface ConsoleFile {
  readonly contentType: string
  readonly bytes: Buffer
  readonly gzipped: Buffer
}

type State = 'stopped' | 'building' | 'ready' | 'failed'

export class Console {
  readonly #folder: string
  #files: ReadonlyMap<string, ConsoleFile> = new Map()
  #state: State = 'stopped'
  #failure: string | undefined
  #building: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined

  /** `folder`: of the package. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** `ready`: every file can be had. */
  get state(): State {
    return this.#state
  }

  /** Why it could not be built. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** By its path below /console/, such as `index.html`. Undefined when there is none. */
  file(path: string): ConsoleFile | undefined {
    return this.#files.get(path)
  }

  /** Reads the files, or begins to build them. Safe to call twice. */
  start(): void {
    if (this.#state === 'building' || this.#state === 'ready') return
    if (isBuilt(this.#folder)) return this.#load()
    this.#state = 'building'
    const abort = new AbortController()
    const ended = buildConsole(this.#folder, abort.signal)
      .then(() => this.#load())
      .catch((error: unknown) => this.#fail(error))
    this.#building = { abort, ended }
  }

  /** Ends a build that runs. Safe to call twice, or before start. */
  async stop(): Promise<void> {
    const building = this.#building
    this.#building = undefined
    building?.abort.abort()
    await building?.ended
    this.#state = 'stopped'
  }

  #load(): void {
    const built = builtIn(this.#folder)
    const paths = readdirSync(built, { recursive: true, encoding: 'utf8' })
    const files = paths.filter((path) => statSync(join(built, path)).isFile())
    this.#files = new Map(files.flatMap((path) => entryOf(built, path)))
    this.#state = 'ready'
  }

  #fail(error: unknown): void {
    this.#failure = error instanceof Error ? error.message : String(error)
    this.#state = 'failed'
  }
}

/** The console of this package, for the option `console` of a server, which starts and stops it. */
export const createConsole = () => new Console(home)

function entryOf(built: string, path: string): [string, ConsoleFile][] {
  const contentType = contentTypes[extname(path)]
  if (contentType === undefined) return []
  const bytes = readFileSync(join(built, path))
  return [[path.split(sep).join('/'), { contentType, bytes, gzipped: gzipSync(bytes) }]]
}
