// The HTTP server: starts and stops, holds the keys. Everything else is in the route table.
import type { AddressInfo } from 'node:net'
import { type Eventspine, EventspineError, type Logger } from 'eventspine'
import { type ApiKey, KeyRing } from './access/api-key.js'
import { InFlight } from './access/in-flight.js'
import { developmentKey } from './access/key-file.js'
import { Sessions } from './access/sessions.js'
import { StoredKeys } from './access/stored-keys.js'
import type { ConsoleFiles } from './console/files.js'
import { Application } from './http/application.js'
import { RequestMetrics } from './http/request-metrics.js'
import { openApiDocument } from './openapi/document.js'
import { type ServerOptions, type ServerSettings, settingsOf } from './options.js'
import { Boards } from './overview/boards.js'
import type { Route } from './route/route.js'
import { checkRoutes, routeTable } from './route/table.js'
import { appRoutes } from './routes/app-routes.js'

export interface ServerAddress {
  readonly host: string
  readonly port: number
  /** Such as http://127.0.0.1:4600 */
  readonly url: string
}

interface Running {
  readonly application: Application
  readonly stopping: AbortController
  readonly boards: Boards
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

export class HttpServer {
  readonly #spine: Eventspine
  readonly #settings: ServerSettings
  readonly #keyFile: string | undefined
  readonly #logger: Logger
  readonly #routes: readonly Route[]
  readonly #openApi: string
  readonly #keys: KeyRing
  readonly #sessions: Sessions
  readonly #storedKeys: StoredKeys
  readonly #console: ConsoleFiles | undefined
  readonly #requests = new RequestMetrics()
  #given: readonly ApiKey[]
  #development: { readonly key: string; readonly record: ApiKey } | undefined
  #running: Running | undefined
  #address: ServerAddress | undefined
  #starting: Promise<ServerAddress> | undefined
  #ending: Promise<void> | undefined

  /** Throws when the options are unsafe, a route has no declared permission and schema, or one of the app lies among the
   *  server's. */
  constructor(spine: Eventspine, options: ServerOptions, routes: readonly Route[] = routeTable) {
    this.#settings = settingsOf(options)
    refuseUnsafe(this.#settings)
    this.#spine = spine
    this.#routes = [...routes, ...appRoutes(spine.sources.routes.list(), routes)]
    checkRoutes(this.#routes)
    this.#keyFile = options.keyFile
    this.#console = options.console
    this.#logger = options.logger ?? silent
    this.#given = options.apiKeys ?? []
    this.#keys = new KeyRing(this.#given)
    const { limits } = this.#settings
    this.#sessions = new Sessions(spine, this.#keys, limits)
    this.#storedKeys = new StoredKeys(spine, this.#keys, limits.storedKeysEveryMs, this.#logger)
    this.#openApi = JSON.stringify(openApiDocument(this.#routes, this.#settings))
  }

  /** Where it listens; undefined while it does not. */
  get address(): ServerAddress | undefined {
    return this.#address
  }

  /** In development, once started: the key for everything. To be shown to the person at the keyboard only. */
  get developmentKey(): string | undefined {
    return this.#development?.key
  }

  /** From the next request on these keys are valid, and the development key. */
  replaceKeys(keys: readonly ApiKey[]): void {
    this.#given = keys
    this.#keys.replace(this.#development === undefined ? keys : [...keys, this.#development.record])
  }

  /** Listens. Safe to call twice. Throws UNAVAILABLE when the port is taken, REQUEST_INVALID when there is no API key at all. */
  start(): Promise<ServerAddress> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  async #start(): Promise<ServerAddress> {
    await this.#ending
    if (this.#settings.development) {
      this.#development ??= await developmentKey(this.#keyFile)
      this.replaceKeys(this.#given)
    }
    await this.#storedKeys.start()
    if (this.#keys.size === 0) {
      this.#storedKeys.stop()
      throw nobodysServer()
    }
    const stopping = new AbortController()
    const boards = new Boards(this.#spine, this.#settings.limits, this.#logger)
    const application = new Application({
      spine: this.#spine,
      settings: this.#settings,
      logger: this.#logger,
      keys: this.#keys,
      sessions: this.#sessions,
      storedKeys: this.#storedKeys,
      routes: this.#routes,
      stopping: stopping.signal,
      boards,
      tails: new InFlight('streams', this.#settings.limits.tailsPerCredentialMax),
      openApi: () => this.#openApi,
      requests: this.#requests,
      console: this.#console,
    })
    this.#running = { application, stopping, boards }
    this.#address = await listen(application, this.#settings)
    boards.start()
    this.#console?.start()
    return this.#address
  }

  /** Refuses new requests, ends streams, waits for requests in flight up to `drainMsMax`. Safe to call twice, or
   *  before start. */
  stop(): Promise<void> {
    this.#ending ??= this.#stop().finally(() => {
      this.#ending = undefined
    })
    return this.#ending
  }

  async #stop(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    const running = this.#running
    this.#running = undefined
    this.#starting = undefined
    this.#address = undefined
    if (running === undefined) return
    const { fastify } = running.application
    running.stopping.abort()
    running.boards.stop()
    this.#storedKeys.stop()
    const cut = setTimeout(() => fastify.server.closeAllConnections(), this.#settings.limits.drainMsMax)
    await running.application.close().finally(() => clearTimeout(cut))
    await this.#console?.stop()
  }
}

/** A server for `spine`, not started yet. Throws when the options are unsafe. */
export function createServer(spine: Eventspine, options: ServerOptions = {}): HttpServer {
  return new HttpServer(spine, options)
}

function refuseUnsafe(settings: ServerSettings): void {
  if (!settings.development || settings.loopback) return
  throw new EventspineError(
    'REQUEST_INVALID',
    `Development opens reading and publishing without a key, so it listens on loopback only, and host is "${settings.host}". Leave host out, or give apiKeys instead of development.`,
  )
}

const nobodysServer = () =>
  new EventspineError(
    'REQUEST_INVALID',
    'Without an API key nobody could use this server, and the database holds none. Make one: eventspine keys create --name you --role admin. Or give apiKeys: [createApiKey({ scopes: ["publish", "read"] }).record], or development: true on loopback.',
    { field: '/apiKeys' },
  )

async function listen({ fastify }: Application, { host, port }: ServerSettings): Promise<ServerAddress> {
  try {
    await fastify.listen({ host, port })
  } catch (cause) {
    await fastify.close()
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause
    throw new EventspineError(
      'UNAVAILABLE',
      `Port ${port} on ${host} is taken. Stop what listens there, or choose another port.`,
      {
        cause,
      },
    )
  }
  const bound = fastify.server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return { host, port: bound.port, url: `http://${name}:${bound.port}` }
}
