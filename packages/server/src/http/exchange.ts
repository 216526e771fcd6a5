// One request and its answer: identity, caller, what the access log says of it.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../access/principal.js'
import type { Problem } from '../problem/problem.js'
import { problemContentType } from '../problem/problem.js'
import { type AccessNote, type Route, type Surroundings, takesHtml } from '../route/route.js'
import type { RequestFacts } from './request-metrics.js'
import { securityHeaders } from './security-headers.js'

const givenIdForm = /^[A-Za-z0-9._-]{1,100}$/

/** The caller's X-Request-Id when it is harmless, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && givenIdForm.test(given) ? given : randomUUID()
}

export class Exchange {
  principal: Principal | undefined
  problem: Problem | undefined
  #notes: AccessNote = {}
  readonly #beganAt = performance.now()
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #route: Route | undefined

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    { logger, requests }: Pick<Surroundings, 'logger' | 'requests'>,
  ) {
    this.#request = request
    this.#reply = reply
    this.#route = request.routeOptions.config?.route
    reply.headers({ ...securityHeaders, 'x-request-id': request.id })
    reply.raw.once('close', () => {
      logger.info('request', this.#fields())
      requests.ended(this.#facts())
    })
  }

  note(fields: AccessNote): void {
    this.#notes = { ...this.#notes, ...fields }
  }

  refuse(problem: Problem): void {
    this.problem = problem
    // Whoever wrote this request cannot be trusted to know where it ends.
    if (problem.code === 'HTTP_MALFORMED') this.#reply.header('connection', 'close')
    this.#reply.code(problem.status).headers(problem.headers)
    const page = takesHtml(this.#request.raw) ? this.#route?.problemPage?.(problem) : undefined
    if (page !== undefined) {
      this.#reply
        .headers(page.headers ?? {})
        .type(page.contentType ?? 'text/html')
        .send(page.body)
      return
    }
    this.#reply
      .header('content-type', problemContentType)
      // As bytes: to a text fastify would add a charset, which this type does not have.
      .send(Buffer.from(JSON.stringify(problem.body(this.#request.id))))
  }

  #facts(): RequestFacts {
    const { raw } = this.#reply
    return {
      route: this.#route?.url ?? 'none',
      method: this.#request.method,
      status: raw.headersSent ? raw.statusCode : undefined,
      seconds: (performance.now() - this.#beganAt) / 1_000,
    }
  }

  // The route's pattern, never the URL: ids and filters may be personal.
  #fields(): Record<string, unknown> {
    const { principal, problem } = this
    return {
      requestId: this.#request.id,
      method: this.#request.method,
      route: this.#route?.url ?? 'none',
      status: this.#reply.raw.statusCode,
      durationMs: Math.round((performance.now() - this.#beganAt) * 10) / 10,
      ...(this.#reply.raw.writableFinished ? {} : { aborted: true }),
      ...(principal === undefined ? {} : { credential: principal.id, actor: principal.actor }),
      ...(principal?.tenant === undefined ? {} : { tenant: principal.tenant }),
      ...this.#notes,
      ...(problem === undefined ? {} : { problem: problem.code }),
    }
  }
}
