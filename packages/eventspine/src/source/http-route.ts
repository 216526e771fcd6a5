// A source: a route of the app's own HTTP interface. Each request becomes one event, and may be answered by a later one.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyEventDefinition, EventOf, InputOf } from '../event/index.js'
import { checkOptions } from '../kernel/index.js'

export type RouteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Who may ask: whoever has an API key with this scope (`routes`: or with `publish`), or anyone. */
export type RouteAccess = 'routes' | 'publish' | 'read' | 'operate' | 'open'

/** Names of the parameters of a path: `'customer' | 'order'` of `/shop/:customer/orders/:order`. */
export type PathNames<Path extends string> = Path extends `${infer Head}/${infer Rest}`
  ? PathNames<Head> | PathNames<Rest>
  : Path extends `:${infer Name}`
    ? Name
    : never

/** Who asks. */
export interface RouteCaller {
  /** The id of the API key, or `anonymous`. */
  readonly id: string
  /** The name of the key, for people. */
  readonly actor: string
  /** The one tenant that the key is limited to. */
  readonly tenant: string | undefined
}

/** A request whose parts fit their schemas. */
export interface RouteCall<Path extends string = string, Query = unknown, Body = unknown> {
  readonly params: Readonly<Record<PathNames<Path>, string>>
  readonly query: Query
  readonly body: Body
  readonly principal: RouteCaller
  /** By lower-case name. Without `authorization` where the route asks for an API key: nobody else is to know it. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** The event that a request becomes. */
export interface RouteEvent<Definition extends AnyEventDefinition = AnyEventDefinition> {
  readonly event: Definition
  readonly data: NoInfer<InputOf<Definition>>
  /** Within the idempotency window (7 days) a repeat under it is the same event. Default: the header `Idempotency-Key`. */
  readonly id?: string
  /** Overrides the definition's key. */
  readonly key?: string
  /** Default: that of the API key, else of the app. */
  readonly tenant?: string
}

export interface ReplyAnswer {
  /** One of `answers`. Default 200. */
  readonly status?: number
  /** Sent as JSON. */
  readonly body: unknown
}

type ReplyEvents = AnyEventDefinition | readonly AnyEventDefinition[]

export interface RouteReplyOptions<On extends ReplyEvents> {
  /** The first of these that the request leads to is its reply: handlers and workflows pass the correlation on. */
  readonly event: On
  /** What the caller is answered. It runs at each asking, so let it only translate, within 30 s. */
  readonly to: (event: EventOf<On>) => ReplyAnswer | Promise<ReplyAnswer>
  /** What may be answered, by status: the schema of its body, or null for any. Default `{ 200: null }`. */
  readonly answers?: Readonly<Record<number, StandardSchemaV1 | null>>
  /** Without a reply after so long, whoever asks is told so (504). One that comes later is answered all the same.
   *  Default 60,000; 1,000 to 604,800,000, a week. */
  readonly withinMs?: number
}

export interface HttpRouteOptions<
  Path extends string,
  Definition extends AnyEventDefinition,
  Query,
  Body,
  On extends ReplyEvents,
> {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** Default POST. */
  readonly method?: RouteMethod
  /** Such as `/shop/orders/:customer`. Parts that begin with a colon are parameters. */
  readonly path: Path
  /** Any Standard Schema, of the parts of the query: texts, and lists of texts where a name is repeated. Default: there is none. */
  readonly query?: StandardSchemaV1<unknown, Query>
  /** Any Standard Schema, of the JSON body. Default: there is none. */
  readonly body?: StandardSchemaV1<unknown, Body>
  /** Default `routes`: a key with that scope can ask such routes, and publish nothing else. One with `publish` does as well. */
  readonly access?: RouteAccess
  /**
   * What a request becomes. It may run more than once for the same request, so let it only translate, within 30 s, and
   * leave out of the data what differs between a request and its repeat. An EventspineError that it throws with the code FORBIDDEN
   * (403), NOT_FOUND (404) or REQUEST_INVALID (400, with `field`) is told to the caller, with its message. Whatever else it throws, and data that do
   * not fit the event, are a fault of the route: the caller is answered 500. In either case nothing is stored.
   */
  readonly to: (
    call: RouteCall<Path, Query, Body>,
  ) => RouteEvent<Definition> | Promise<RouteEvent<Definition>>
  /** How what comes of the request is answered. Default: the request is answered once its event is stored, and that is all. */
  readonly reply?: RouteReplyOptions<On>
  /** Requests that are translated and stored at once; more are told to come again. Default 100. */
  readonly inFlightMax?: number
  readonly description?: string
}

/** How a request is answered by an event. */
export interface RouteReply {
  readonly events: readonly AnyEventDefinition[]
  readonly to: (event: never) => ReplyAnswer | Promise<ReplyAnswer>
  readonly answers: Readonly<Record<number, StandardSchemaV1 | null>>
  readonly withinMs: number
}

export interface HttpRoute {
  readonly kind: 'source'
  readonly transport: 'http-route'
  readonly name: string
  readonly method: RouteMethod
  readonly path: string
  readonly query: StandardSchemaV1 | undefined
  readonly body: StandardSchemaV1 | undefined
  readonly access: RouteAccess
  readonly to: (call: never) => RouteEvent | Promise<RouteEvent>
  readonly reply: RouteReply | undefined
  readonly inFlightMax: number
  readonly description: string | undefined
}

const inFlightMaxDefault = 100
const withinMsDefault = 60_000

const optionNames: Readonly<
  Record<keyof HttpRouteOptions<string, AnyEventDefinition, unknown, unknown, ReplyEvents>, true>
> = {
  name: true,
  method: true,
  path: true,
  query: true,
  body: true,
  access: true,
  to: true,
  reply: true,
  inFlightMax: true,
  description: true,
}

/** A route of the app's own. List it in `defineApp({ sources: […] })`; `@eventspine/server` serves it under its path. */
export function httpRoute<
  const Path extends string,
  Definition extends AnyEventDefinition,
  Query = undefined,
  Body = undefined,
  const On extends ReplyEvents = readonly [],
>(options: HttpRouteOptions<Path, Definition, Query, Body, On>): HttpRoute {
  checkOptions('httpRoute', options, optionNames)
  const { name, method = 'POST', path, query, body, access = 'routes', to, description } = options
  const { reply, inFlightMax = inFlightMaxDefault } = options
  return Object.freeze({
    ...{ kind: 'source' as const, transport: 'http-route' as const },
    ...{ name, method, path, query, body, access, inFlightMax, description },
    to: to as HttpRoute['to'],
    reply: reply === undefined ? undefined : replyOf(reply),
  })
}

function replyOf<On extends ReplyEvents>(reply: RouteReplyOptions<On>): RouteReply {
  const { event, to, answers = { 200: null }, withinMs = withinMsDefault } = reply
  const events = Array.isArray(event)
    ? (event as readonly AnyEventDefinition[])
    : [event as AnyEventDefinition]
  return Object.freeze({ events, to, answers, withinMs })
}
