// The views over HTTP, for pages: GET alone, as JSON. The server of the API takes requests that become events and no others, so
// what only reads stands beside it, and in a process of its own where pages shall cost the alarms nothing.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Database } from './database.js'
import type { KeyChain } from './keys.js'
import { parameterNames } from './rules/parameters.js'
import { alarms, board, chart, reports, stepsOf } from './views.js'

export interface ViewServerOptions {
  readonly database: Database
  readonly keys: KeyChain
  /** Whom a request comes from may see the ward. */
  readonly mayRead: (request: IncomingMessage) => boolean | Promise<boolean>
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
}

const range = z.object({
  span: z.enum(['minute', 'hour']).default('minute'),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
})
const parameter = z.enum(parameterNames)

/** Answers undefined for what is not there. */
type View = (options: ViewServerOptions, place: string, query: URLSearchParams) => Promise<unknown>

const views: readonly (readonly [path: RegExp, view: View])[] = [
  [/^\/wards\/([^/]+)\/board$/, ({ database }, ward) => board(database, ward)],
  [/^\/wards\/([^/]+)\/alarms$/, ({ database }, ward) => alarms(database, { ward })],
  [/^\/wards\/([^/]+)\/reports$/, ({ database }, ward) => reports(database, ward)],
  [/^\/beds\/([^/]+)\/alarms$/, ({ database }, bed) => alarms(database, { bed })],
  [
    /^\/beds\/([^/]+)\/chart$/,
    ({ database }, bed, query) => {
      const { parameter: of, ...rest } = Object.fromEntries(query)
      return chart(database, { bed, parameter: parameter.parse(of), ...range.parse(rest) })
    },
  ],
  [/^\/alarms\/([^/]+)\/steps$/, ({ database }, alarm) => stepsOf(database, alarm)],
  // What a browser subscribes with: `applicationServerKey`.
  [/^\/(push-key)$/, async ({ keys }) => ({ publicKey: (await keys.read()).vapid.publicKey })],
]

export class ViewServer {
  readonly #options: ViewServerOptions
  #server: Server | undefined

  constructor(options: ViewServerOptions) {
    this.#options = options
  }

  async start(): Promise<{ readonly url: string }> {
    const { host = '127.0.0.1', port } = this.#options
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    return { url: `http://${host}:${(this.#server.address() as AddressInfo).port}` }
  }

  /** Safe to call twice, and before start. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, body] = await this.#view(request).catch((error: unknown) =>
      error instanceof z.ZodError
        ? ([400, { message: z.prettifyError(error) }] as const)
        : ([503, { message: 'The ward cannot be read at the moment. Ask again.' }] as const),
    )
    response
      .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(JSON.stringify(body))
  }

  async #view(request: IncomingMessage): Promise<readonly [number, unknown]> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://ward')
    if (request.method !== 'GET') return [405, { message: 'Views are read: GET.' }]
    if (!(await this.#options.mayRead(request))) return [403, { message: 'The ward is not for everybody.' }]
    for (const [path, view] of views) {
      const [, place] = path.exec(pathname) ?? []
      if (place !== undefined)
        return [200, await view(this.#options, decodeURIComponent(place), searchParams)]
    }
    return [404, { message: `There is no view ${pathname}.` }]
  }
}
