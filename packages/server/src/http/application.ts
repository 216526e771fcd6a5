// The web server from the route table: guards first, then the route, then its answer or a problem.

import { parseJson } from 'eventspine/ingress'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { InFlight } from '../access/in-flight.js'
import { refuseForeignHost } from '../access/origin.js'
import { authorise, callerOf } from '../access/principal.js'
import { problemOf } from '../problem/from-error.js'
import { Problem } from '../problem/problem.js'
import { readBody } from '../publish/body.js'
import { jsonType, mediaType, refuseEncoded } from '../publish/content-type.js'
import { type Answer, type Incoming, isStream, type Route, type Surroundings } from '../route/route.js'
import { AllowedMethods } from './allowed-methods.js'
import { Exchange, requestIdOf } from './exchange.js'
import { Pipelines } from './pipelines.js'
import { isTimeout, Wire } from './wire.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    route?: Route
  }
}

const pathPartCharactersMax = 3_000

export interface ApplicationParts extends Surroundings {
  readonly routes: readonly Route[]
}

export class Application {
  readonly fastify: FastifyInstance
  readonly #parts: ApplicationParts
  readonly #allowed: AllowedMethods
  readonly #inFlight: InFlight
  readonly #wire: Wire
  readonly #exchanges = new WeakMap<FastifyRequest, Exchange>()

  constructor(parts: ApplicationParts) {
    this.#parts = parts
    this.#allowed = new AllowedMethods(parts.routes)
    this.#inFlight = new InFlight('requests', parts.settings.limits.inFlightPerCredentialMax)
    this.#wire = new Wire(parts.logger)
    this.fastify = this.#build()
  }

  /** Stops listening; resolves when the last request is answered. Call after `stopping`. */
  async close(): Promise<void> {
    const closed = this.fastify.close()
    this.#wire.close()
    await closed
  }

  #build(): FastifyInstance {
    const wire = this.#wire
    const pipelines = new Pipelines(this.#parts.settings.limits)
    const app = Fastify({
      ...serverSettings(this.#parts),
      clientErrorHandler: (error, socket) => {
        const refuse = () => wire.refuse(error, socket)
        if (!isTimeout(error) || !pipelines.excuses(socket, refuse)) refuse()
      },
      frameworkErrors: (error, request, reply) => this.#refuse(error, request, reply),
    })
    pipelines.limit(app.server)
    wire.attach(app.server)
    app.server.maxConnections = this.#parts.settings.limits.connectionsMax
    // The size of the headers is limited. A limit of their number would drop the rest of them silently.
    app.server.maxHeadersCount = 0
    // Bodies are read by the routes: under their own limits, by a parser of our own.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    app.addHook('onRoute', ({ config, method, url }) => {
      if (config?.route === undefined) throw new Error(`${String(method)} ${url} is not in the route table.`)
    })
    app.addHook('onRequest', async (request, reply) => this.#admit(request, reply))
    app.addHook('onSend', async (_request, reply, payload) => {
      if (this.#parts.stopping.aborted) reply.header('connection', 'close')
      return payload
    })
    app.setErrorHandler((error, request, reply) => this.#refuse(error, request, reply))
    app.setNotFoundHandler((request, reply) => this.#unmatched(request, reply))
    for (const route of this.#parts.routes) {
      const { method, url } = route
      app.route({
        method,
        url,
        config: { route },
        handler: (request, reply) => this.#answer(route, request, reply),
      })
    }
    return app
  }

  // In this order: who is meant, what is sent, who sends it, how much of it.
  async #admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const exchange = this.#exchange(request, reply)
    const { settings, stopping } = this.#parts
    refuseForeignHost(request.raw, settings)
    if (stopping.aborted)
      throw new Problem('STOPPED', 'This server is stopping. Try again.', { retryAfterMs: 1_000 })
    refuseEncoded(request.headers['content-encoding'])
    refuseTransferEncoded(request.headers['transfer-encoding'])
    refuseMisencodedQuery(request.raw.url ?? '')
    const { route } = request.routeOptions.config
    // Here and not in fastify's own handler: before that it has reasons of its own to refuse a method.
    if (route === undefined) return this.#unmatched(request, reply)
    // Before the refusal: the log names whose key was refused.
    exchange.principal = await callerOf(request.raw, route.access, this.#parts)
    authorise(exchange.principal, route.access)
    if (route.access.scope !== 'open') {
      reply.raw.once('close', this.#inFlight.enter(exchange.principal.id))
    }
    return undefined
  }

  async #answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const exchange = this.#exchange(request, reply)
    const { principal } = exchange
    if (principal === undefined) throw new Error('A route was reached without its access check.')
    const incoming: Incoming = {
      ...this.#parts,
      principal,
      request: request.raw,
      pathValues: request.params,
      queryValues: request.query,
      bodyValue: () => this.#controlBody(request),
      note: (fields) => exchange.note(fields),
    }
    return send(reply, await route.answer(incoming))
  }

  async #controlBody(request: FastifyRequest): Promise<unknown> {
    const { bodyBytesMax, discardedBytesMax } = this.#parts.settings.limits
    const bytes = await readBody(request.raw, { bytesMax: bodyBytesMax, discardedBytesMax })
    if (bytes.length === 0) return {}
    const type = mediaType(request.headers['content-type'])
    if (type === jsonType) return parseJson(bytes)
    throw new Problem('CONTENT_TYPE_UNSUPPORTED', `This route takes "Content-Type: ${jsonType}".`, {
      field: '/headers/content-type',
    })
  }

  #unmatched(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const [path = ''] = request.url.split('?')
    const allowed = path === '*' ? 'GET, HEAD, POST, DELETE, OPTIONS' : this.#allowed.of(path)
    if (allowed === undefined) {
      throw new Problem(
        'ROUTE_UNKNOWN',
        `There is no "${path.slice(0, 200)}". GET /openapi.json lists all routes.`,
      )
    }
    if (request.method === 'OPTIONS') return reply.code(204).header('allow', allowed).send()
    throw new Problem('METHOD_NOT_ALLOWED', `"${path.slice(0, 200)}" has the methods ${allowed}.`, {
      headers: { allow: allowed },
    })
  }

  #refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = problemOf(error)
    if (problem.code === 'INTERNAL') {
      this.#parts.logger.error('request failed', { requestId: request.id, error: problem.cause })
    }
    this.#exchange(request, reply).refuse(problem)
  }

  #exchange(request: FastifyRequest, reply: FastifyReply): Exchange {
    const known = this.#exchanges.get(request)
    if (known !== undefined) return known
    const exchange = new Exchange(request, reply, this.#parts)
    this.#exchanges.set(request, exchange)
    return exchange
  }
}

function serverSettings({ settings }: ApplicationParts) {
  const { limits } = settings
  return {
    logger: false,
    genReqId: requestIdOf,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.keepAliveMsMax,
    connectionTimeout: limits.stallMsMax,
    return503OnClosing: false,
    routerOptions: { maxParamLength: pathPartCharactersMax },
    http: {
      maxHeaderSize: limits.headersBytesMax,
      headersTimeout: limits.headersMsMax,
      requestTimeout: limits.requestMsMax,
      // How exactly the two timeouts are kept.
      connectionsCheckingInterval: Math.min(1_000, limits.headersMsMax / 2),
      insecureHTTPParser: false,
      // Refused by us, as a problem.
      requireHostHeader: false,
    },
  } as const
}

// Taken as text it would look for something else than was meant, and find nothing.
function refuseMisencodedQuery(url: string): void {
  const at = url.indexOf('?')
  if (at < 0) return
  try {
    decodeURIComponent(url.slice(at + 1))
  } catch {
    throw new Problem(
      'REQUEST_INVALID',
      'The query has a broken percent-encoding. Write "%" itself as "%25", and text as UTF-8.',
      { field: '/query' },
    )
  }
}

// `gzip, chunked` would reach the parser of JSON as it is: say so rather than "not JSON".
function refuseTransferEncoded(encoding: string | undefined): void {
  if (encoding === undefined || encoding.trim().toLowerCase() === 'chunked') return
  throw new Problem('HTTP_MALFORMED', 'The only Transfer-Encoding here is "chunked". Send the body as it is.')
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status ?? 200).headers(answer.headers ?? {})
  if (answer.contentType !== undefined || isStream(answer.body)) {
    return reply.type(answer.contentType ?? 'application/octet-stream').send(answer.body)
  }
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.body))
}
