// Refusals below the routes: what the HTTP parser rejects, written to the socket by hand as any other problem.
import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'eventspine'
import { Problem, problemContentType } from '../problem/problem.js'
import { securityHeaders } from './security-headers.js'

interface Open {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Knows the open requests of each connection: so a refusal is never taken for the answer to an earlier one. */
export class Wire {
  readonly #open = new Map<Socket, Set<Open>>()
  readonly #logger: Logger
  #closing = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  attach(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, new Set())
      socket.once('close', () => this.#open.delete(socket))
    })
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const entry = { request, response }
      this.#open.get(request.socket)?.add(entry)
      response.once('close', () => {
        this.#open.get(request.socket)?.delete(entry)
        if (this.#closing) this.#closeIdle()
      })
    })
    server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
      const problem = new Problem(
        'EXPECTATION_FAILED',
        'Only "Expect: 100-continue" is known. Leave the header out.',
      )
      const { headers, body } = this.#answer(problem)
      response.writeHead(problem.status, headers).end(body)
    })
  }

  /** Closes connections without a request now, and the others when theirs are answered. Node by itself keeps those on
   *  which nothing was sent yet, and those whose answer began before. */
  close(): void {
    this.#closing = true
    this.#closeIdle()
  }

  #closeIdle(): void {
    for (const [socket, open] of this.#open) if (open.size === 0) socket.destroySoon()
  }

  /** For what could not be read as a request. */
  refuse(error: Error, socket: Socket): void {
    if (!socket.writable || codeOf(error) === 'ECONNRESET' || !this.#mayAnswer(socket)) {
      socket.destroy()
      return
    }
    const problem = problemOfParser(error)
    const { headers, body } = this.#answer(problem)
    const lines = Object.entries({ ...headers, connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}`,
    )
    const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`
    socket.write(`${[status, ...lines].join('\r\n')}\r\n\r\n${body}`)
    socket.destroySoon()
  }

  // With nothing open the fault is in a new request. With one that is still arriving it is in that one.
  #mayAnswer(socket: Socket): boolean {
    const [first, second] = this.#open.get(socket) ?? []
    if (first === undefined) return true
    return second === undefined && !first.request.complete && !first.response.headersSent
  }

  #answer(problem: Problem): { readonly headers: Record<string, string>; readonly body: string } {
    const requestId = randomUUID()
    const body = JSON.stringify(problem.body(requestId))
    this.#logger.info('request refused', { requestId, status: problem.status, problem: problem.code })
    return {
      headers: {
        ...securityHeaders,
        ...problem.headers,
        'x-request-id': requestId,
        'content-type': problemContentType,
        'content-length': String(Buffer.byteLength(body)),
      },
      body,
    }
  }
}

function problemOfParser(error: Error): Problem {
  const code = codeOf(error)
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem(
      'HEADERS_TOO_LARGE',
      'URL and headers together are too large. Send fewer or shorter headers.',
    )
  }
  if (isTimeout(error)) {
    return new Problem('REQUEST_TIMEOUT', 'The request took too long to arrive. Send it in one go.')
  }
  return new Problem(
    'HTTP_MALFORMED',
    'The request could not be read as HTTP/1.1. Use an HTTP client library.',
  )
}

/** A request that did not arrive in its time. */
export const isTimeout = (error: Error) => codeOf(error) === 'ERR_HTTP_REQUEST_TIMEOUT'

const codeOf = (error: Error) => ('code' in error ? String(error.code) : '')
