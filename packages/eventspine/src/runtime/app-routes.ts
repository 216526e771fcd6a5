// The HTTP routes of an app, checked as a whole. Whether a server can serve their paths is said by the server.
import { type HttpRoute, isHttpRoute, type RouteReply, type Source } from '../source/index.js'
import { printed } from './app-values.js'
import { isDefinition } from './publication.js'

const methods = ['POST', 'PUT', 'PATCH', 'DELETE']
const scopes = ['routes', 'publish', 'read', 'operate', 'open']
const pathCharactersMax = 200
const pathForm = /^\/[a-zA-Z0-9_~.-]+(\/(:[a-zA-Z][a-zA-Z0-9]*|[a-zA-Z0-9_~.-]+))*$/
/** Those that say there is none yet, or that have no body. */
const statusesUnfit = ['202', '204', '205', '304']
const replyEventsMax = 16
const withinMs = { min: 1_000, max: 604_800_000 }

type Fault = (message: string) => void

/** Of one route. */
export function checkRoute(route: HttpRoute, fault: Fault): void {
  const { method, path, access, query, body, to, reply } = route
  if (!methods.includes(method)) fault(`method is ${printed(method)}; write one of ${methods.join(', ')}`)
  if (!scopes.includes(access)) fault(`access is ${printed(access)}; write one of ${scopes.join(', ')}`)
  checkPath(path, fault)
  for (const [name, schema] of Object.entries({ query, body }))
    if (schema !== undefined && !isSchema(schema))
      fault(`${name} must be a Standard Schema (zod, valibot, arktype …), such as z.object({ … })`)
  if (typeof to !== 'function')
    fault('to must be a function; write to: ({ body }) => ({ event: orderPlaced, data: body })')
  if (reply !== undefined) checkReply(reply, fault)
}

function checkPath(path: unknown, fault: Fault): void {
  if (typeof path !== 'string' || path.length > pathCharactersMax || !pathForm.test(path))
    return fault(
      `path is ${printed(path)}; write one of at most ${pathCharactersMax} characters such as /shop/orders/:customer: it begins with a name, and ends without a slash`,
    )
  const names = path.split('/').filter((part) => part.startsWith(':'))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) fault(`path names ${twice} twice; give each parameter a name of its own`)
  if (path.split('/').some((part) => part === '.' || part === '..'))
    fault(`path is ${path}; clients resolve "." and "..", and never send them`)
}

const isSchema = (value: unknown) =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value

function checkReply({ events, to, answers, withinMs: ms }: RouteReply, fault: Fault): void {
  if (events.length === 0 || events.length > replyEventsMax || !events.every(isDefinition))
    fault(`reply.event must be 1 to ${replyEventsMax} events made by defineEvent({ … })`)
  if (typeof to !== 'function')
    fault('reply.to must be a function; write to: (event) => ({ status: 200, body: event.data })')
  if (!Number.isInteger(ms) || ms < withinMs.min || ms > withinMs.max)
    fault(
      `reply.withinMs is ${ms}; write a whole number from ${withinMs.min.toLocaleString('en')} to ${withinMs.max.toLocaleString('en')}`,
    )
  const entries = Object.entries(answers ?? {})
  if (entries.length === 0) fault('reply.answers names no status; leave it out, or write { 200: null }')
  for (const [status, schema] of entries) {
    if (!/^[2-5]\d\d$/.test(status) || statusesUnfit.includes(status))
      fault(`reply.answers names ${status}; write statuses from 200 to 599 but ${statusesUnfit.join(', ')}`)
    if (schema !== null && !isSchema(schema))
      fault(`reply.answers[${status}] must be a Standard Schema, or null for any body`)
  }
}

/** No two have one address. */
export function checkAddresses(sources: readonly Source[], faults: string[]): void {
  const seen = new Map<string, string>()
  for (const { name, method, path } of sources.filter(isHttpRoute)) {
    const address = `${method} ${String(path).replaceAll(/:[^/]+/g, ':')}`
    const before = seen.get(address)
    if (before !== undefined)
      faults.push(
        `source "${name}": ${method} ${path} is the address of "${before}" already; give each its own`,
      )
    seen.set(address, name)
  }
}
