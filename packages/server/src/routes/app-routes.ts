// Routes that the app declares (`httpRoute`): each under its own path, and where it is answered by an event, the address at
// which its reply is asked for.
import { EventspineError } from 'eventspine'
import type { HttpRoute } from 'eventspine/source'
import { z } from 'zod'
import type { Access } from '../access/principal.js'
import { publishedTenant } from '../access/tenancy.js'
import { foreignProperties, foreignSchema } from '../openapi/foreign-schema.js'
import { problemOf } from '../problem/from-error.js'
import { waitOf, whileWanted } from '../route/prefer.js'
import { readValues } from '../route/read.js'
import { type Answer, defineRoute, type Incoming, type Route, type Success } from '../route/route.js'
import { identifier, noQuery, text } from '../schema/parts.js'

const eventView = z.object({ id: z.string(), type: z.string(), version: z.number().int() })
const takenView = z.object({
  event: eventView,
  reply: z.string().describe('Where its reply is asked for, as in Location').optional(),
})
const replyPath = z.strictObject({ reply: text(1_000).describe('Of the answer to the request. Opaque') })
const nothing = z.strictObject({})
const openView = z.object({ reply: z.string().describe('Where to ask again') })

const waits =
  '`Prefer: wait=10` (RFC 7240) asks to wait so many seconds for the reply, at most 60, and to be answered by it.'
const repeats =
  'The header `Idempotency-Key` (a new UUID, say) makes repeats one: each is answered as the first, and another request under the same key is refused with 409.'

/** For the app's routes. Throws APP_INVALID where one lies among `own`, the server's. */
export function appRoutes(routes: readonly HttpRoute[], own: readonly Route[]): readonly Route[] {
  refuseShadows(routes, own)
  return routes.flatMap((route) =>
    route.reply === undefined ? [asking(route)] : [asking(route), replying(route)],
  )
}

const firstOf = (url: string) => url.split('/')[1] ?? ''

/** Beside those of today's routes: what the server may grow into. */
const kept = ['v1', 'replies', 'console']

function refuseShadows(routes: readonly HttpRoute[], own: readonly Route[]): void {
  const taken = new Set([...kept, ...own.map(({ url }) => firstOf(url))])
  taken.delete('')
  const shadows = routes.filter(({ path }) => taken.has(firstOf(path)))
  if (shadows.length === 0) return
  const named = shadows.map(({ name, method, path }) => `"${name}" (${method} ${path})`)
  throw new EventspineError(
    'APP_INVALID',
    `Routes of the app lie where the server has its own: ${named.join(', ')}. Begin their paths with another name than ${[...taken].sort().join(', ')}; such as /shop.`,
  )
}

const accessOf = ({ access }: HttpRoute): Access => ({
  scope: access,
  // Who may publish any event may publish what a route makes.
  ...(access === 'routes' && { orScope: 'publish' }),
  tenancy: access === 'open' ? 'none' : 'filtered',
})

const problems = [
  ...(['FORBIDDEN', 'NOT_FOUND', 'TENANT_FORBIDDEN', 'IDEMPOTENCY_CONFLICT', 'EVENT_TOO_LARGE'] as const),
  ...(['OVERLOADED', 'UNAVAILABLE', 'UNKNOWN_OUTCOME'] as const),
]

function asking(route: HttpRoute): Route {
  const { name, method, path: url, query, body, reply, description } = route
  const path = pathOf(route)
  const named = body === undefined ? {} : { [`${name}.body`]: foreignSchema(body, `${name}.body`) }
  const queryNamed = query === undefined ? {} : { [`${name}.query`]: foreignSchema(query, `${name}.query`) }
  const taken: Success = {
    ...{ status: 202, description: 'Stored, durably', schema: takenView },
    ...(reply === undefined ? {} : { headers: { Location: 'Where its reply is asked for' } }),
  }
  const answers = answersOf(route)
  return {
    ...{ method, url, path, operationId: `route-${name}`, tag: 'App', access: accessOf(route) },
    summary: description ?? name,
    description: [repeats, ...(reply === undefined ? [] : [waits])].join('\n\n'),
    query: query === undefined ? noQuery : z.object(foreignProperties(query, `${name}.query`)),
    body: undefined,
    rawBody: { 'application/json': named[`${name}.body`] ?? nothing },
    named: { ...named, ...queryNamed, ...answers.named },
    successes: [taken, ...answers.successes],
    problems,
    answer: (incoming) => take(route, path, incoming),
  }
}

function pathOf({ path }: HttpRoute): z.ZodObject {
  const names = path.split('/').filter((part) => part.startsWith(':'))
  return z.strictObject(Object.fromEntries(names.map((name) => [name.slice(1), identifier])))
}

function answersOf({ name, reply }: HttpRoute) {
  const schemas = Object.entries(reply?.answers ?? {}).map(
    ([status, schema]) => [status, foreignSchema(schema, `${name}.${status}`)] as const,
  )
  return {
    named: Object.fromEntries(schemas.map(([status, schema]) => [`${name}.${status}`, schema])),
    successes: schemas.map(([status, schema]) => ({
      ...{ status: Number(status), description: 'The reply', schema },
      headers: { 'Content-Location': 'Where it is asked for' },
    })),
  }
}

async function take(route: HttpRoute, path: z.ZodObject, incoming: Incoming): Promise<Answer> {
  const { spine, principal, request, note, logger } = incoming
  const { event, reply } = await spine.sources.routes.take(route.name, {
    params: readValues(path, incoming.pathValues, '/path') as Record<string, string>,
    query: incoming.queryValues as Record<string, unknown>,
    body: await incoming.bodyValue(),
    headers: headersOf(incoming),
    principal: { id: principal.id, actor: principal.actor, tenant: principal.tenant },
    tenantOf: (asked) => publishedTenant(principal, asked, ''),
  })
  const { tenant, ...stored } = event
  note({ tenant, eventIds: [event.id] })
  if (reply === undefined) return { status: 202, body: { event: stored } }
  const location = `/replies/${route.name}/${reply}`
  const taken = { status: 202, headers: { location }, body: { event: stored, reply: location } }
  const seconds = waitOf(request)
  if (seconds === 0) return taken
  // It is stored: whatever keeps its reply from being seen now is said where that is asked for.
  const answer = await replied(route, reply, incoming, true).catch((error: unknown) => {
    if (problemOf(error).code === 'INTERNAL')
      logger.error('the reply to a request cannot be given', { route: route.name, eventId: event.id, error })
    return undefined
  })
  if (answer !== undefined && answer.status !== 202) return answer
  return { ...taken, headers: { ...answer?.headers, ...appliedTo(seconds), location } }
}

const headersOf = ({ request }: Incoming): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  )

function replying(route: HttpRoute): Route {
  const { name } = route
  const answers = answersOf(route)
  return defineRoute({
    method: 'GET',
    url: `/replies/${name}/:reply`,
    operationId: `reply-${name}`,
    tag: 'App',
    summary: `The reply to a request of ${name}`,
    description: `202 until there is one. ${waits}`,
    access: accessOf(route),
    path: replyPath,
    query: noQuery,
    successes: [
      {
        ...{ status: 202, description: 'There is none yet', schema: openView },
        headers: { 'Retry-After': 'Seconds to wait' },
      },
      ...answers.successes,
    ],
    problems: ['NOT_FOUND', 'TIMED_OUT', 'UNAVAILABLE'],
    handle: (call) => replied(route, call.path.reply, call, false),
  })
}

const appliedTo = (seconds: number): Record<string, string> =>
  seconds === 0 ? {} : { 'preference-applied': `wait=${seconds}` }

async function replied(
  route: HttpRoute,
  reply: string,
  incoming: Incoming,
  begins: boolean,
): Promise<Answer> {
  const { spine, principal, request } = incoming
  const seconds = waitOf(request)
  const standing = await whileWanted(incoming, (signal) =>
    spine.sources.routes.reply(route.name, reply, {
      ...{ tenant: principal.tenant, waitMs: seconds * 1_000, begins, signal },
    }),
  )
  const location = `/replies/${route.name}/${reply}`
  const applied = appliedTo(seconds)
  if (standing.state === 'replied')
    return {
      ...{ status: standing.status, body: standing.body },
      headers: { ...applied, 'content-location': location },
    }
  const later = String(Math.ceil(standing.retryAfterMs / 1_000))
  return { status: 202, headers: { ...applied, 'retry-after': later }, body: { reply: location } }
}
