// The OpenAPI 3.1 document, from the same route table that the server runs: neither can know a route alone.
import { z } from 'zod'
import type { ServerSettings } from '../options.js'
import { type ProblemCode, problemKinds } from '../problem/catalog.js'
import { problemContentType } from '../problem/problem.js'
import type { Route, Success } from '../route/route.js'
import { namedContractViews } from '../schema/contracts.js'
import { namedMapViews } from '../schema/map.js'
import { namedOverviewViews } from '../schema/overview.js'
import { namedTraceViews } from '../schema/trace.js'
import { namedViews } from '../schema/views.js'
import { namedWorkflowViews } from '../schema/workflow-views.js'
import { SchemaBook } from './schema-book.js'

const about = `The event table at the centre of a system: publish events, see what became of them, send again what failed.

**Keys.** \`Authorization: Bearer es_…\`. A key has scopes: \`routes\` (the app's own routes), \`publish\` (any event, and
those routes), \`read\`, \`operate\` (pause, redrive, replay, breakers) and \`admin\` (keys, discard). A key may be limited to one tenant: then lists show that tenant's part, other tenants' things answer 404
as if there were none, publishing for another tenant answers 403, and so do routes whose answer spans tenants.

**Development.** A server started for development listens on loopback only, makes a key of an admin and prints it. There,
requests without a key may read and publish, as long as they name this machine in the Host header, came through no proxy, and
were not sent by a page of another origin (Origin, Sec-Fetch-Site). \`operate\` always needs the key. \`/metrics\` needs a key
off loopback only; \`/\`, \`/healthz\`, \`/readyz\` and this document never do, nor \`/approvals/…\`, whose link is one. No other origin may read answers: there is no CORS.

**Sessions.** The console gives its key once to \`POST /console/session\` and gets a cookie that scripts cannot read. Every route
takes it in place of the key, with the same scopes and tenant; a change needs \`X-CSRF-Token\` and an \`Origin\` of this server too.

**Refusals** are application/problem+json (RFC 9457). \`type\` and \`code\` are stable, \`detail\` says what to send instead,
\`field\` is a JSON Pointer to the fault (\`/query/…\`, \`/path/…\` and \`/headers/…\` for other parts than the body), \`instance\`
has the request id of the log. Nothing of a refused request is stored. 429 and 503 carry Retry-After.

**Lists** are pages \`{ items, cursor }\`; the next one has \`?cursor=\` and is named by a Link header. The cursor is null at the
end. With several databases \`cell\` names the one to ask.`

/** What any route can answer besides its own problems. */
const commonProblems: readonly ProblemCode[] = [
  'HTTP_MALFORMED',
  'REQUEST_INVALID',
  'HOST_REFUSED',
  'INTERNAL',
  'STOPPED',
]
const keyProblems: readonly ProblemCode[] = [
  'UNAUTHENTICATED',
  'SCOPE_MISSING',
  'ORIGIN_REFUSED',
  'CSRF_REFUSED',
  'IN_FLIGHT_MAX',
  'UNAVAILABLE',
]
const bodyProblems: readonly ProblemCode[] = [
  'JSON_INVALID',
  'BODY_TOO_LARGE',
  'CONTENT_TYPE_UNSUPPORTED',
  'CONTENT_ENCODING_UNSUPPORTED',
]

export function openApiDocument(routes: readonly Route[], settings: ServerSettings): Record<string, unknown> {
  const named = Object.assign({}, ...routes.map((route) => route.named ?? {})) as Route['named']
  const book = new SchemaBook({
    ...namedViews,
    ...namedWorkflowViews,
    ...namedOverviewViews,
    ...namedMapViews,
    ...namedContractViews,
    ...namedTraceViews,
    ...named,
  })
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = route.url.replaceAll(/:([a-zA-Z][a-zA-Z0-9]*)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, book) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Eventspine',
      version: settings.version,
      description: about,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: book.schemas,
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'es_<id>_<secret>' } },
    },
  }
}

function securityOf({ scope, orScope }: Route['access']): Record<string, string[]>[] {
  if (scope === 'open') return []
  const others = orScope === undefined ? [] : [{ apiKey: [orScope] }]
  return [{ apiKey: [scope] }, ...others]
}

function operation(route: Route, book: SchemaBook): Record<string, unknown> {
  const { access, rawBody, body } = route
  const contents = rawBody ?? (body === undefined ? undefined : { 'application/json': body })
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: securityOf(access),
    'x-scope': access.scope,
    ...(access.orScope === undefined ? {} : { 'x-or-scope': access.orScope }),
    'x-tenancy': access.tenancy,
    // A page's own state, which the server has no part in.
    ...(route.query.safeParse({ anything: '' }).success && { 'x-query': 'any' }),
    parameters: [...parameters(route.path, 'path', book), ...parameters(route.query, 'query', book)],
    ...(contents === undefined ? {} : { requestBody: requestBody(contents, book) }),
    responses: responses(route, book),
  }
}

function parameters(
  schema: z.ZodObject,
  place: 'path' | 'query',
  book: SchemaBook,
): Record<string, unknown>[] {
  return Object.entries(schema.shape).map(([name, value]) => {
    const { description, ...rest } = book.schema(value as z.ZodType)
    return {
      name,
      in: place,
      required: place === 'path' || !(value as z.ZodType).safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }
  })
}

function requestBody(
  contents: Readonly<Record<string, z.ZodType>>,
  book: SchemaBook,
): Record<string, unknown> {
  const entries = Object.entries(contents).map(([type, schema]) => [type, { schema: book.schema(schema) }])
  // An empty body is read as {}.
  const required = Object.values(contents).every((schema) => !schema.safeParse({}).success)
  return { required, content: Object.fromEntries(entries) }
}

function responses(route: Route, book: SchemaBook): Record<string, unknown> {
  const successes = route.successes.map((success) => successResponse(success, book))
  const problems = problemResponses(codesOf(route), route.problemPage !== undefined)
  const all: Record<string, Response> = {}
  for (const [status, response] of [...successes, ...problems]) all[status] = both(all[status], response)
  return all
}

interface Response {
  readonly description: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly content: Readonly<Record<string, unknown>>
}

/** What a route of the app answers may have the status of a problem. */
const both = (one: Response | undefined, other: Response): Response =>
  one === undefined
    ? other
    : {
        description: `${one.description}. ${other.description}`,
        headers: { ...one.headers, ...other.headers },
        content: { ...one.content, ...other.content },
      }

function successResponse(success: Success, book: SchemaBook): [status: string, Response] {
  const { status, description, contentType = 'application/json', schema, headers } = success
  const headerEntries = Object.entries({
    'X-Request-Id': 'The id of this request in the log',
    ...headers,
  }).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }])
  const content = { [contentType]: { schema: book.schema(schema) } }
  return [String(status), { description, headers: Object.fromEntries(headerEntries), content }]
}

function codesOf({ access, body, rawBody, problems }: Route): readonly ProblemCode[] {
  return [
    ...commonProblems,
    ...(access.scope === 'open' ? [] : keyProblems),
    ...(access.tenancy === 'system' ? (['TENANT_FORBIDDEN'] as const) : []),
    ...(body === undefined && rawBody === undefined ? [] : bodyProblems),
    ...problems,
  ]
}

// One response per status, which names every code that has it.
function problemResponses(codes: readonly ProblemCode[], pages: boolean): [status: string, Response][] {
  return [...groups(codes)]
    .sort(([a], [b]) => a - b)
    .map(([status, of]) => [String(status), problemResponse(status, of, pages)])
}

function groups(codes: readonly ProblemCode[]): Map<number, ProblemCode[]> {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of new Set(codes)) {
    const { status } = problemKinds[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return byStatus
}

/** `pages`: a browser is shown a page instead. */
function problemResponse(status: number, codes: readonly ProblemCode[], pages: boolean): Response {
  const description = codes.map((code) => `\`${code}\`: ${problemKinds[code].title}.`).join(' ')
  const retry =
    status === 429 || status === 503
      ? { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } }
      : {}
  return {
    description,
    headers: {
      'X-Request-Id': { description: 'The id of this request in the log', schema: { type: 'string' } },
      ...retry,
    },
    content: {
      [problemContentType]: { schema: { $ref: '#/components/schemas/Problem' } },
      ...(pages ? { 'text/html': { schema: { type: 'string' } } } : {}),
    },
  }
}
