// What one serving process runs: an app that delivers, an HTTP API, or both.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { HttpServer } from '@eventspine/server'
import { Eventspine, jsonLogger, type Logger } from 'eventspine'
import { CommandError } from '../failure.js'
import { loadApp } from '../project/app-file.js'
import { findAppFile, findProject } from '../project/project.js'
import { chooseCells, type EmbeddedUse } from '../project/session.js'
import type { Settings } from '../project/settings.js'
import type { Ready } from './messages.js'

export interface ServingOptions extends Settings {
  /** Serves the HTTP API. */
  readonly api: boolean
  /** Delivers. */
  readonly work: boolean
  readonly migrate: boolean
  /** A key is made, and reading and publishing need none from this machine. */
  readonly development: boolean
  readonly embeddedUse: EmbeddedUse
  readonly host?: string
  readonly port?: number
  /** File of API keys. */
  readonly keys?: string
  readonly shutdownMs?: number
  /** Called with the file of the app before it is loaded. */
  readonly watches?: (file: string) => void
}

export class Serving {
  readonly #options: ServingOptions
  readonly #stops: (() => Promise<void>)[] = []
  #starting: Promise<Ready> | undefined

  constructor(options: ServingOptions) {
    this.#options = options
  }

  /** Safe to call twice. */
  start(): Promise<Ready> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  /** Drains; safe to call twice, before start and during it. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => {})
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await stop()
  }

  async #start(): Promise<Ready> {
    const { work, migrate, api, shutdownMs } = this.#options
    // Begins to load while the database is being opened.
    if (api) void import('@eventspine/server').catch(() => {})
    const logger = jsonLogger('info', Date.now, (line) => process.stderr.write(line))
    const file = findAppFile(process.cwd(), this.#options.app)
    this.#options.watches?.(file)
    const loaded = await loadApp(file)
    const { options, database } = await chooseCells(this.#options, loaded, this.#options.embeddedUse)
    if (database !== undefined) this.#stops.push(() => database.stop())
    if (api && this.#options.development) await this.#openApprovals()
    const drains = shutdownMs === undefined ? {} : { shutdownMs }
    const spine = new Eventspine(loaded.app, { logger, ...options, ...drains, work, migrate })
    this.#stops.push(() => spine.stop())
    await spine.start()
    const server = api ? await this.#serve(spine, logger) : undefined
    return {
      kind: 'ready',
      processId: process.pid,
      app: loaded.app.name,
      subscriptions: work ? loaded.app.subscriptions.map(({ name }) => name) : [],
      embedded: database !== undefined,
      url: server?.address?.url,
      key: server?.developmentKey,
    }
  }

  // What links to approvals are signed with in production, the development key stands for here.
  async #openApprovals(): Promise<void> {
    const { developmentKey } = await import('@eventspine/server')
    const { key } = await developmentKey(developmentKeyFile())
    const secret = createHash('sha256').update(`approval links ${key}`).digest('base64url')
    process.env.EVENTSPINE_APPROVAL_SECRET ||= secret
    // A free port is known once it is taken.
    const { port = 4600 } = this.#options
    if (port !== 0) process.env.EVENTSPINE_URL ||= `http://127.0.0.1:${port}`
  }

  async #serve(spine: Eventspine, logger: Logger): Promise<HttpServer> {
    const { host, port, development, keys } = this.#options
    const [{ createServer }, { createConsole }] = await Promise.all([
      import('@eventspine/server'),
      import('@eventspine/console'),
    ])
    const access = development
      ? { development, keyFile: developmentKeyFile() }
      : { apiKeys: keys === undefined ? [] : await (await import('../input/key-file.js')).readKeys(keys) }
    const server = createServer(spine, {
      ...access,
      ...publicHost(host),
      logger,
      console: createConsole(),
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
    })
    this.#stops.push(() => server.stop())
    await server.start().catch(explain)
    if (development && server.address !== undefined) process.env.EVENTSPINE_URL ||= server.address.url
    return server
  }
}

// Links lead there, so requests come by that name. Off loopback every name is taken anyhow.
function publicHost(host = '127.0.0.1'): { readonly allowedHosts?: readonly string[] } {
  const url = process.env.EVENTSPINE_URL
  const isLoopback = host === 'localhost' || host === '::1' || host.startsWith('127.')
  return isLoopback && url !== undefined && URL.canParse(url) ? { allowedHosts: [new URL(url).hostname] } : {}
}

const keysNeeded = (cause: Error) =>
  new CommandError(
    'KEYS_NEEDED',
    'The HTTP API needs a key, and the database holds none. Make one: eventspine keys create --name you --role admin. Or give --keys FILE, or leave the API out with --no-api.',
    { field: '--keys', cause },
  )

const developmentKeyFile = () =>
  join(findProject(process.cwd(), process.env).dataDirectory, 'development-key')

// The library calls a taken port UNAVAILABLE, as it does a database that is away. To a script they differ.
function explain(error: unknown): never {
  if (error instanceof Error && 'field' in error && error.field === '/apiKeys') throw keysNeeded(error)
  const cause = error instanceof Error ? error.cause : undefined
  const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
  if (!isTaken || !(error instanceof Error)) throw error
  throw Object.assign(new Error(`${error.message} (--port, or PORT)`), {
    code: 'PORT_TAKEN',
    field: '--port',
  })
}
