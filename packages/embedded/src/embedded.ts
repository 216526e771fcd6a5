// The embedded database as a program sees it: start() gives an address that keeps working until stop(). Several
// processes may start the same directory and share one server; the last one to stop ends it. Between the two it is
// watched: a server that dies is started again on the same port.
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { TemporaryGuard } from './guard.js'
import { type Layout, prepareLayout } from './layout.js'
import { withLock } from './lock.js'
import { joinMembers, leaveMembers } from './members.js'
import { findPostmaster, type Postmaster, stopPostmaster } from './postmaster.js'
import { isAlive, signal } from './processes.js'
import { addressOf, ensureServer } from './server.js'

/** How an embedded database is set up. */
export type EmbeddedPostgresOptions = {
  /** The folder that holds everything; made when missing. Keep it out of version control. */
  readonly directory: string
  /** TCP port on 127.0.0.1. Default: the one of the last start, else a free one. */
  readonly port?: number
  /** Called with one line of text for what a person may want to know. Default: silence. */
  readonly log?: (line: string) => void
  /** Path of a PostgreSQL server program (15 or newer) to run instead of the packaged one. */
  readonly postgresBinary?: string
  /** For tests: nothing is forced to disk, and the folder is removed at the end. Default: false. */
  readonly temporary?: boolean
}

type Running = { readonly layout: Layout; readonly member: string; server: Postmaster }

const watchMs = process.platform === 'linux' ? 100 : 2_000
const recoverWaitMsMax = 10_000
const recoverTriesMax = 20

/** A real PostgreSQL server beside this process. Errors are `EmbeddedDatabaseError`s. */
export class EmbeddedPostgres {
  readonly #options: EmbeddedPostgresOptions
  readonly #log: (line: string) => void
  #opening: Promise<Running> | undefined
  #closing: Promise<void> | undefined
  #running: Running | undefined
  #watch: NodeJS.Timeout | undefined
  #recovery: Promise<void> | undefined
  #guard: TemporaryGuard | undefined

  constructor(options: EmbeddedPostgresOptions) {
    this.#options = options
    this.#log = options.log ?? (() => {})
  }

  /** Starts the server, or joins the one that runs in the directory. Safe to call again: the address is the same. */
  async start(): Promise<{ readonly url: string }> {
    await this.#closing
    this.#opening ??= this.#open()
    try {
      const { layout, server } = await this.#opening
      return { url: addressOf(layout, server) }
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  /** Leaves the server, and ends it unless another process still uses it. Safe to call twice or before start. */
  async stop(): Promise<void> {
    this.#closing ??= this.#close()
    try {
      await this.#closing
    } finally {
      this.#closing = undefined
    }
  }

  async #open(): Promise<Running> {
    const layout = prepareLayout(this.#options.directory)
    if (this.#temporary) this.#guard = new TemporaryGuard(layout)
    try {
      this.#running = await withLock(layout.lock, async () => {
        const server = await ensureServer(layout, this.#choices(this.#options.port))
        return { layout, member: joinMembers(layout), server }
      })
    } catch (error) {
      this.#clearTemporary(layout)
      throw error
    }
    leaveAtExit.add(this.#leaveAtOnce)
    this.#watch = setInterval(() => this.#look(), watchMs)
    this.#watch.unref()
    return this.#running
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {})
    clearInterval(this.#watch)
    await this.#recovery
    const running = this.#running
    if (running === undefined) return
    const ended = await withLock(running.layout.lock, () => this.#leave(running))
    leaveAtExit.delete(this.#leaveAtOnce)
    this.#running = undefined
    this.#opening = undefined
    if (ended) this.#clearTemporary(running.layout)
  }

  /** True when the server was ended, false when another process still uses it. */
  async #leave({ layout, member }: Running): Promise<boolean> {
    if (!leaveMembers(layout, member)) {
      this.#log('PostgreSQL keeps running for another process that uses it.')
      return false
    }
    const server = findPostmaster(layout)
    if (server !== undefined) await stopPostmaster(layout, server, this.#temporary ? 'immediate' : 'fast')
    this.#log('PostgreSQL stopped.')
    return true
  }

  #clearTemporary(layout: Layout): void {
    if (!this.#temporary) return
    rmSync(layout.directory, { recursive: true, force: true, maxRetries: 10 })
    this.#guard?.dismiss()
  }

  // Reading one line of the process table ten times a second costs nothing that can be measured, and works alike
  // for a server that this process started and for one that it joined.
  #look(): void {
    const running = this.#running
    if (running === undefined || this.#recovery !== undefined || isAlive(running.server)) return
    this.#log('PostgreSQL ended unexpectedly; starting it again.')
    this.#recovery = this.#recover(running).finally(() => {
      this.#recovery = undefined
    })
  }

  async #recover(running: Running): Promise<void> {
    for (let tries = 1; tries <= recoverTriesMax && this.#closing === undefined; tries += 1) {
      try {
        running.server = await withLock(running.layout.lock, () =>
          ensureServer(running.layout, this.#choices(running.server.port)),
        )
        return
      } catch (error) {
        this.#log(`PostgreSQL could not be started again: ${error instanceof Error ? error.message : error}`)
        await delay(Math.min(100 * 2 ** tries, recoverWaitMsMax))
      }
    }
    clearInterval(this.#watch)
  }

  // When the process ends without stop(), there is time for a signal but not to wait for what it does.
  readonly #leaveAtOnce = (): void => {
    const running = this.#running
    if (running === undefined || !leaveMembers(running.layout, running.member)) return
    const server = findPostmaster(running.layout)
    if (server !== undefined) signal(server.pid, this.#temporary ? 'SIGQUIT' : 'SIGINT')
  }

  #choices(port: number | undefined) {
    const { postgresBinary } = this.#options
    return { postgresBinary, temporary: this.#temporary, port, log: this.#log }
  }

  get #temporary(): boolean {
    return this.#options.temporary === true
  }
}

const leaveAtExit = new Set<() => void>()
process.on('exit', () => {
  for (const leave of leaveAtExit) leave()
})
