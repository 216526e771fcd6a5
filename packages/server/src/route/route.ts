// One declaration per route: what it asks of its caller, what it takes, what it answers, and the function that does
// it. Registration, access checks and the OpenAPI document all come from it.
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { Eventspine, Logger } from 'eventspine'
import type { z } from 'zod'
import type { InFlight } from '../access/in-flight.js'
import type { Access, Gate, Principal } from '../access/principal.js'
import type { ConsoleFiles } from '../console/files.js'
import type { RequestMetrics } from '../http/request-metrics.js'
import type { Boards } from '../overview/boards.js'
import type { ProblemCode } from '../problem/catalog.js'
import type { Problem } from '../problem/problem.js'
import { inPlace, readValues } from './read.js'

/** What a route may use. */
export interface Surroundings extends Gate {
  readonly spine: Eventspine
  readonly logger: Logger
  /** Aborts when the server stops: streams end on it. */
  readonly stopping: AbortSignal
  /** What the overview of each cell shows. */
  readonly boards: Boards
  /** Counts open streams. */
  readonly tails: InFlight
  /** The OpenAPI document as JSON text. */
  readonly openApi: () => string
  /** Undefined: this server has none. */
  readonly console: ConsoleFiles | undefined
  /** Requests that ended. */
  readonly requests: RequestMetrics
}

/** One request, before its parts are checked. */
export interface Incoming extends Surroundings {
  readonly principal: Principal
  readonly request: IncomingMessage
  readonly pathValues: unknown
  readonly queryValues: unknown
  /** The checked JSON of a control route's body. Asked once. */
  readonly bodyValue: () => Promise<unknown>
  /** Adds to the access log. Never payloads. */
  readonly note: (fields: AccessNote) => void
}

export interface AccessNote {
  readonly tenant?: string
  readonly eventIds?: readonly string[]
}

/** One request with its parts checked by the route's schemas. */
export interface Call<Path, Query, Body> extends Incoming {
  readonly path: Path
  readonly query: Query
  readonly body: Body
}

export interface Answer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON; a stream as it is. */
  readonly body: unknown
  /** Sends `body`, a text, under this content type. */
  readonly contentType?: string
}

/** A body that the route reads itself: its content types with their schemas. */
export type RawBody = Readonly<Record<string, z.ZodType>>

export interface Success {
  readonly status: number
  readonly description: string
  readonly schema: z.ZodType
  /** Default application/json. */
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface RouteFacts {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Segments that start with a colon are parameters. */
  readonly url: string
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  readonly rawBody?: RawBody
  readonly successes: readonly Success[]
  /** What a browser is shown instead of problem+json. */
  readonly problemPage?: (problem: Problem) => Answer
  /** Schemas that the document names, beside its own. */
  readonly named?: Readonly<Record<string, z.ZodType>>
  /** Beside those that every route can have. */
  readonly problems: readonly ProblemCode[]
}

interface Declaration<Path extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>
  extends RouteFacts {
  readonly path: Path
  readonly query: Query
  readonly body?: Body
  readonly handle: (call: Call<z.output<Path>, z.output<Query>, z.output<Body>>) => Answer | Promise<Answer>
}

export interface Route extends RouteFacts {
  readonly path: z.ZodObject
  readonly query: z.ZodObject
  readonly body: z.ZodType | undefined
  /** Checks all parts, then does it. */
  readonly answer: (incoming: Incoming) => Promise<Answer>
}

/** A route from its declaration; the types of its parts come from their schemas. */
export function defineRoute<
  Path extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType = z.ZodUndefined,
>(declaration: Declaration<Path, Query, Body>): Route {
  const { path, query, body, handle, ...facts } = declaration
  return {
    ...facts,
    path,
    query,
    body,
    answer: async (incoming) => {
      const call = {
        ...incoming,
        path: readValues(path, incoming.pathValues, '/path'),
        query: readValues(query, incoming.queryValues, '/query'),
        body: (body === undefined
          ? undefined
          : readValues(body, await incoming.bodyValue(), '')) as z.output<Body>,
      }
      try {
        return await handle(call)
      } catch (error) {
        throw inPlace(error, path, query)
      }
    },
  }
}

/** The caller is a browser, with a person before it. */
export const takesHtml = ({ headers }: IncomingMessage) => /\btext\/html\b/.test(headers.accept ?? '')

export const isStream = (body: unknown): body is Readable =>
  typeof body === 'object' && body !== null && 'pipe' in body
