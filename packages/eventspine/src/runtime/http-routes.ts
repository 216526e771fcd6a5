// Routes of an app: from a request to its event, and from the event that replies to what the caller is answered. Whose fault
// something is decides everything: the caller is told what to mend, and a fault of the route stores nothing.
import { createHash } from 'node:crypto'
import { type PublishOptions, prepare, type StoredEvent } from '../event/index.js'
import { Cancellation, EventspineError, randomHex, unknownOptions } from '../kernel/index.js'
import type { Metrics } from '../observe/metrics.js'
import {
  type HttpRoute,
  idempotencyHeader,
  idempotencyKeyOf,
  isHttpRoute,
  isPassing,
  type ReplyAnswer,
  type RouteCall,
  type RouteEvent,
  type RouteReply,
  type RouteRequest,
  refusalOf,
  routeCallOf,
  within,
} from '../source/index.js'
import type { Cell } from './cell.js'
import type { InHand } from './in-hand.js'
import { isDefinition, type Publication } from './publication.js'
import type { SourcesServices } from './sources.js'

/** A request that is stored for good. */
export interface RouteReceipt {
  readonly event: {
    readonly id: string
    readonly type: string
    readonly version: number
    readonly tenant: string
  }
  /** What its reply is asked for by: nobody can guess it who does not know the request. Undefined for a route without. */
  readonly reply: string | undefined
}

export interface ReplyRequest {
  /** The one tenant whose replies the caller may see. */
  readonly tenant?: string | undefined
  /** How long to wait for it. Default 0. */
  readonly waitMs?: number
  /** The request was taken a moment ago. */
  readonly begins?: boolean
  /** Ends the waiting: the answer is how it stands then. */
  readonly signal?: AbortSignal
}

export type ReplyStanding =
  | { readonly state: 'replied'; readonly status: number; readonly body: unknown }
  | { readonly state: 'open'; readonly retryAfterMs: number }

export interface HttpRoutesServices extends SourcesServices {
  readonly metrics: Metrics
  readonly inHand: InHand
}

const retryAfterMs = { min: 1_000, max: 30_000 }
const correlationBytes = 16

export class HttpRoutes {
  readonly #services: HttpRoutesServices

  constructor(services: HttpRoutesServices) {
    this.#services = services
  }

  /** Those of the app. */
  list(): readonly HttpRoute[] {
    return this.#services.app.sources.filter(isHttpRoute)
  }

  /**
   * Takes a request. When it answers, its event is stored for good; a repeat under the same `Idempotency-Key`, or the id that
   * the route gives, is the same event. Throws REQUEST_INVALID with the field, FORBIDDEN, IDEMPOTENCY_CONFLICT,
   * EVENT_TOO_LARGE, OVERLOADED, UNAVAILABLE, and ROUTE_FAULT where the route itself is wrong; before anything is stored.
   */
  async take(name: string, request: RouteRequest): Promise<RouteReceipt> {
    const route = this.#find(name)
    const { metrics, inHand } = this.#services
    let leave = () => {}
    try {
      leave = inHand.enter(route)
      const receipt = await this.#take(route, request)
      metrics.received(name, 'published')
      return receipt
    } catch (error) {
      metrics.received(name, isFault(error) ? 'failed' : refusalOf(error))
      throw error
    } finally {
      leave()
    }
  }

  async #take(route: HttpRoute, request: RouteRequest): Promise<RouteReceipt> {
    const id = idempotencyKeyOf(request.headers)
    const call = await faultOf(route, () => routeCallOf(route, request), ['REQUEST_INVALID'])
    const made = await this.#made(route, call)
    const given = { ...made, id: made.id ?? id, tenant: (request.tenantOf ?? asAsked)(made.tenant) }
    const publication = { ...made, options: optionsOf(route, given, request.headers['traceparent']) }
    try {
      return await faultOf(route, () => this.#publish(route, publication as Publication), theirs)
    } catch (error) {
      throw toldOf(error, made.id === undefined ? `/headers/${idempotencyHeader}` : '')
    }
  }

  // Whatever a function of the user's answers.
  async #made(route: HttpRoute, call: RouteCall): Promise<RouteEvent> {
    const answer = async () => within(this.#services.clock, answerOf(route, call))
    const made = await faultOf(route, answer, refusals)
    if (!isDefinition((made as RouteEvent | undefined)?.event))
      throw fault(route, 'its "to" answers no event; write to: ({ body }) => ({ event: …, data: … })')
    unknownOptions(made, routeEventNames, '', (message) => {
      throw fault(route, `what its "to" answers is not understood: ${message}`)
    })
    if (route.reply?.events.some(({ type }) => type === made.event.type) === true)
      throw fault(route, `"${made.event.type}" is both the request and its reply; take two events`)
    return made
  }

  async #publish(route: HttpRoute, { event, data, options = {} }: Publication): Promise<RouteReceipt> {
    const correlationId = route.reply && (await this.#correlation(route, { event, data, options }))
    const published = await this.#services.publish({
      ...{ event, data },
      options: correlationId === undefined ? options : { ...options, correlationId },
    })
    const { id, type, version, tenant } = published
    const reply = correlationId === undefined ? undefined : placeOf(tenant, correlationId)
    return { event: { id, type, version, tenant }, reply }
  }

  // A repeat has that of the first, which says nothing to whoever knows its id and not the rest: the log then refuses the
  // request. So an address is as hard to guess as the request is.
  async #correlation(route: HttpRoute, { event, data, options = {} }: Publication): Promise<string> {
    const { random, preparation } = this.#services
    if (options.id === undefined) return `${route.name}:${randomHex(correlationBytes, random)}`
    const { tenant, id, fingerprint } = await prepare(event, data, options, preparation)
    const whole = JSON.stringify([route.name, tenant, id, fingerprint])
    return `${route.name}:${createHash('sha256')
      .update(whole)
      .digest('hex')
      .slice(0, 2 * correlationBytes)}`
  }

  /**
   * How the reply to a request stands: what the route makes of it, or that there is none yet. Throws NOT_FOUND where there was
   * no such request, TIMED_OUT where its time for a reply is over, UNAVAILABLE and ROUTE_FAULT.
   * @param place `reply` of the receipt
   */
  async reply(name: string, place: string, request: ReplyRequest = {}): Promise<ReplyStanding> {
    const route = this.#find(name)
    const question = questionOf(route, place)
    if (question === undefined || (request.tenant !== undefined && request.tenant !== question.tenant))
      throw unknownReply()
    const cell = this.#cellOf(question.tenant)
    const { waitMs: ms = 0, begins = false, signal } = request
    const { reply } = route as { readonly reply: RouteReply }
    const event = await cell.replies.of(question, { ms, begins, signal })
    if (event !== null) return { state: 'replied', ...(await this.#answer(route, reply, event)) }
    const asked = await cell.store.firsts([question.correlationId])
    const first = asked.find(({ tenant }) => tenant === question.tenant)
    if (first === undefined) throw unknownReply()
    const ageMs = this.#services.clock.now() - first.recordedAtMs
    if (ageMs >= reply.withinMs) throw late(reply)
    // Who has waited long need not ask often.
    const laterMs = Math.min(Math.max(ageMs / 5, retryAfterMs.min), retryAfterMs.max)
    return { state: 'open', retryAfterMs: laterMs }
  }

  async #answer(route: HttpRoute, reply: RouteReply, stored: StoredEvent): Promise<Required<ReplyAnswer>> {
    const { clock } = this.#services
    const { runner } = this.#cellOf(stored.tenant)
    const cancellation = new Cancellation()
    const answer = async () => {
      const event = await runner.shown(stored, cancellation)
      return await reply.to(event as never)
    }
    try {
      const made = await faultOf(route, async () => within(clock, answer()))
      return await faultOf(route, () => fitting(route, reply, made))
    } finally {
      cancellation.cancel(undefined)
    }
  }

  // A tenant that lives nowhere was made up by the caller.
  #cellOf(tenant: string): Cell {
    try {
      return this.#services.cell(this.#services.placement(tenant))
    } catch (error) {
      throw isPassing(error) ? error : unknownReply()
    }
  }

  #find(name: string): HttpRoute {
    const route = this.list().find((each) => each.name === name)
    if (route !== undefined) return route
    throw new EventspineError('NOT_FOUND', `There is no route "${name}".`, { field: '/source' })
  }
}

const asAsked = (tenant: string | undefined) => tenant
const answerOf = async (route: HttpRoute, call: RouteCall) => route.to(call as never)

const routeEventNames = ['event', 'data', 'id', 'key', 'tenant']

/** What "to" may say of a request: the caller's fault, and not the route's. */
const refusals = ['REQUEST_INVALID', 'FORBIDDEN', 'NOT_FOUND']

/** What publishing says of a request whose parts fit. All else is said of the route. */
const theirs = ['IDEMPOTENCY_CONFLICT', 'EVENT_TOO_LARGE']

/** Of what a route does, only what passes and what these codes say reaches the caller as it is. */
async function faultOf<Made>(
  route: HttpRoute,
  work: () => Promise<Made>,
  codes: readonly string[] = [],
): Promise<Made> {
  try {
    return await work()
  } catch (error) {
    if (isPassing(error) || (error instanceof EventspineError && codes.includes(error.code))) throw error
    throw isFault(error) ? error : fault(route, error instanceof Error ? error.message : String(error), error)
  }
}

const isFault = (error: unknown) => error instanceof EventspineError && error.code === 'ROUTE_FAULT'

const fault = ({ name }: HttpRoute, message: string, cause?: unknown) =>
  new EventspineError('ROUTE_FAULT', `The route "${name}" is wrong: ${message}`, { cause })

/** In words of the request: of its event the caller knows nothing. `place` is that of its id. */
function toldOf(error: unknown, place: string): unknown {
  if (!(error instanceof EventspineError) || !theirs.includes(error.code)) return error
  const conflict = error.code === 'IDEMPOTENCY_CONFLICT'
  const message = conflict
    ? 'The id of this request was used for another one. Repeat the same request, or give this one an id (Idempotency-Key) of its own.'
    : 'What this request becomes is larger than the log takes. Send less, and keep the large part elsewhere.'
  return new EventspineError(error.code, message, { field: conflict ? place : '', cause: error })
}

function optionsOf(
  { name }: HttpRoute,
  { id, key, tenant }: Partial<Record<'id' | 'key' | 'tenant', string | undefined>>,
  traceparent: string | undefined,
): PublishOptions {
  const given = Object.entries({ id, key, tenant, traceparent }).filter(([, value]) => value !== undefined)
  return { source: `/sources/${name}`, ...Object.fromEntries(given) }
}

async function fitting(
  route: HttpRoute,
  { answers }: RouteReply,
  made: ReplyAnswer | undefined,
): Promise<Required<ReplyAnswer>> {
  unknownOptions(made ?? {}, ['status', 'body'], '', (message) => {
    throw fault(route, `what its reply's "to" answers is not understood: ${message}`)
  })
  const { status = 200, body = null } = made ?? {}
  const schema = Object.hasOwn(answers, status) ? answers[status] : undefined
  if (schema === undefined)
    throw fault(route, `its reply has status ${status}, which "answers" does not name`)
  const result = await schema?.['~standard'].validate(body)
  if (result?.issues === undefined) return { status, body }
  const [issue] = result.issues
  throw fault(route, `the body of its reply does not fit answers[${status}]: ${issue?.message}`)
}

// ── where a reply is asked for ──

const placeOf = (tenant: string, correlationId: string) =>
  `${Buffer.from(tenant).toString('base64url')}.${correlationId.slice(correlationId.indexOf(':') + 1)}`

function questionOf({ name, reply }: HttpRoute, place: string) {
  const [, tenant, secret] = /^([A-Za-z0-9_-]{1,600})\.([0-9a-f]{32})$/.exec(place) ?? []
  if (reply === undefined || tenant === undefined) return undefined
  return {
    correlationId: `${name}:${secret}`,
    tenant: Buffer.from(tenant, 'base64url').toString('utf8'),
    types: reply.events.map(({ type }) => type),
  }
}

const unknownReply = () =>
  new EventspineError('NOT_FOUND', 'There is no such request. Use the address that its answer gave.', {
    field: '/reply',
  })

const late = ({ withinMs }: RouteReply) =>
  new EventspineError(
    'TIMED_OUT',
    `There was no reply within ${withinMs / 1_000} s. The request is stored, and may still be worked on: ask again later, or ask whoever runs this.`,
  )
