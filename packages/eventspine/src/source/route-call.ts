// A request on its way to the event that it becomes: its parts against the schemas of its route. Nothing is stored before.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Issue, issuesOf } from '../event/index.js'
import { EventspineError } from '../kernel/index.js'
import type { HttpRoute, RouteCall, RouteCaller } from './http-route.js'

/** A request as a server has read it. */
export interface RouteRequest {
  /** By the names of the path. */
  readonly params: Readonly<Record<string, string>>
  /** Texts, and lists of texts where a name is repeated. */
  readonly query: Readonly<Record<string, unknown>>
  /** The body as JSON; undefined where there is none. */
  readonly body: unknown
  /** By lower-case name. `idempotency-key` and `traceparent` mean what they say. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly principal: RouteCaller
  /** The tenant that the caller may publish for, who asks for this one; throws where it may not. Default: as asked. */
  readonly tenantOf?: (asked: string | undefined) => string | undefined
}

/** The caller is told so many faults. */
const issuesMax = 20

/** What `to` is given. Throws REQUEST_INVALID with the fields of what does not fit: below `/query` that of the query, others of the body. */
export async function routeCallOf(route: HttpRoute, request: RouteRequest): Promise<RouteCall> {
  const parts = await Promise.all([
    checked(route.query, request.query, '/query'),
    checked(route.body, request.body, ''),
  ])
  const issues = parts.flatMap((part) => part.issues).slice(0, issuesMax)
  if (issues.length > 0) throw unfit(issues)
  const [query, body] = parts.map((part) => part.value)
  const { params, principal, headers } = request
  return { params, query, body, principal, headers: shown(route, headers) }
}

interface Checked {
  readonly value?: unknown
  readonly issues: readonly Issue[]
}

async function checked(schema: StandardSchemaV1 | undefined, value: unknown, at: string): Promise<Checked> {
  if (schema === undefined) return { issues: namesIn(value).map((name) => unknownName(`${at}/${name}`)) }
  const result = await schema['~standard'].validate(value)
  return result.issues === undefined
    ? { value: result.value, issues: [] }
    : { issues: issuesOf(result.issues, at) }
}

const nameCharactersMax = 100

/** Of a part that a route does not have. An empty body may be written as `{}`. */
function namesIn(value: unknown): readonly string[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ['']
  const names = Object.keys(value).slice(0, issuesMax)
  return names.map((name) => name.slice(0, nameCharactersMax).replaceAll('~', '~0').replaceAll('/', '~1'))
}

const unknownName = (field: string): Issue => ({
  field: field.replace(/\/$/, ''),
  message: 'is not known here; remove it',
})

function unfit(issues: readonly Issue[]): EventspineError {
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return new EventspineError('REQUEST_INVALID', `${first?.field || 'The body'}: ${first?.message}${more}.`, {
    field: first?.field ?? '',
    issues,
  })
}

function shown({ access }: HttpRoute, { authorization, ...headers }: RouteRequest['headers']) {
  return access === 'open' && authorization !== undefined ? { ...headers, authorization } : headers
}

const keyCharactersMax = 180
const quotedForm = /^"([^"]*)"$/

/** The id of a request that its caller may send again, of the header `Idempotency-Key`: a text in quotes, or one without
 *  spaces. Undefined where there is none. Throws REQUEST_INVALID. */
export function idempotencyKeyOf(headers: RouteRequest['headers']): string | undefined {
  const given = headers[idempotencyHeader]
  if (given === undefined) return undefined
  const [, quoted] = quotedForm.exec(given) ?? []
  const key = quoted ?? given
  const message = faultOfKey(key, quoted !== undefined)
  if (message === undefined) return key
  throw unfit([{ field: `/headers/${idempotencyHeader}`, message: `${message}; take a new UUID, say` }])
}

function faultOfKey(key: string, isQuoted: boolean): string | undefined {
  if (key === '') return 'is empty'
  if (key.length > keyCharactersMax)
    return `has ${key.length} characters, and at most ${keyCharactersMax} are taken`
  if (/[^\x20-\x7e]/.test(key)) return 'has a character that is not printable ASCII'
  if (isQuoted) return key.includes('\\') ? 'has a backslash between its quotes' : undefined
  if (key.includes('"')) return 'has a quote within'
  return key.includes(' ') ? 'has a space, which only a text in double quotes may have' : undefined
}

export const idempotencyHeader = 'idempotency-key'
