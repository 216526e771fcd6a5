// Holds one answer against what is promised: the OpenAPI document, problem+json for every refusal, no word of the
// inside. Answers the violations, none when all is well.
import type { Operation } from '../openapi.js'
import type { Case } from '../request/case.js'
import { misfit, type Schema, type Schemas } from '../schema/check.js'
import type { Outcome } from './connection.js'
import type { Reply } from './reply.js'

/** What the server may say below its routes, whatever the route: it is not repeated for each in the document. */
const anywhere: ReadonlySet<number> = new Set([400, 404, 405, 408, 413, 414, 415, 417, 421, 431])
/** Cut off instead of answered: what is read and thrown away of a body has an end, as have headers. */
const bodyBytesCut = 8 * 1024 * 1024
const headBytesCut = 16 * 1024
const problemType = 'application/problem+json'
const pageType = 'text/html'
const pointerForm = /^(\/([^~]|~[01])*)?$/
const sentenceForm = /^\S.{8,}[.!?)]$/su

export interface Secret {
  readonly name: string
  readonly bytes: Buffer
}

export class Judge {
  readonly #schemas: Schemas
  readonly #secrets: readonly Secret[]

  constructor(schemas: Schemas, secrets: readonly Secret[]) {
    this.#schemas = schemas
    this.#secrets = secrets
  }

  violations(asked: Case, outcome: Outcome): readonly string[] {
    const { reply, end } = outcome
    if (end === 'hang') return [`neither answered nor closed in ${Math.round(outcome.ms)} ms`]
    if (end === 'broken') return [`not HTTP: ${outcome.fault}`]
    if (reply === undefined) return mayBeCut(asked) ? [] : ['closed without an answer']
    return [...this.#leaks(reply), ...this.#answered(asked, reply), ...this.#expected(asked, reply)]
  }

  #leaks(reply: Reply): string[] {
    const head = Buffer.from([...reply.headers.values()].join('\n'), 'latin1')
    return this.#secrets
      .filter(({ bytes }) => reply.body.includes(bytes) || head.includes(bytes))
      .map(({ name }) => `the answer holds ${name}`)
  }

  #answered(asked: Case, reply: Reply): string[] {
    const { status, headers } = reply
    const faults: string[] = []
    if (!headers.has('x-request-id')) faults.push('no X-Request-Id')
    if (headers.get('x-content-type-options') !== 'nosniff') faults.push('no X-Content-Type-Options')
    // What routes of the app reply may have any status, as the document says.
    const replies = asked.operation?.answers.get(status)?.has(mediaTypeOf(reply)) === true
    if (status >= 400 && (!replies || mediaTypeOf(reply) === problemType || mediaTypeOf(reply) === pageType))
      return [...faults, ...this.#refusal(asked, reply)]
    if (status === 204 && asked.method === 'OPTIONS') return faults
    if (asked.operation === undefined) {
      return status === 200 || status === 202 ? faults : [...faults, `status ${status} is promised nowhere`]
    }
    return [...faults, ...this.#success(asked, asked.operation, reply)]
  }

  #success(asked: Case, operation: Operation, reply: Reply): string[] {
    const contents = operation.answers.get(reply.status)
    if (contents === undefined) return [`status ${reply.status} is not in the document`]
    const type = mediaTypeOf(reply)
    const schema = contents.get(type) ?? contents.get('*/*')
    if (schema === undefined) return [`content type "${type}" is not in the document`]
    if (asked.method === 'HEAD' || type !== 'application/json') return []
    return this.#shape(schema, reply)
  }

  #shape(schema: Schema, reply: Reply): string[] {
    try {
      const fault = misfit(schema, JSON.parse(reply.body.toString('utf8')), this.#schemas)
      return fault === undefined ? [] : [`the answer does not fit the document: ${fault}`]
    } catch {
      return ['the answer is not JSON']
    }
  }

  #refusal(asked: Case, reply: Reply): string[] {
    const { status, headers } = reply
    const faults: string[] = []
    if (asked.operation !== undefined && !anywhere.has(status) && !asked.operation.answers.has(status))
      faults.push(`status ${status} is not in the document`)
    if ((status === 429 || status === 503) && !/^[1-9]\d*$/.test(headers.get('retry-after') ?? ''))
      faults.push(`status ${status} without Retry-After`)
    if (status === 405 && !headers.has('allow')) faults.push('405 without Allow')
    if (status === 401 && !headers.has('www-authenticate')) faults.push('401 without WWW-Authenticate')
    if (mediaTypeOf(reply) === pageType && showsPages(asked))
      return status < 500 || status === 503 ? faults : [...faults, `${status} as a page`]
    // What a function replied, asked for without its body: the document has GET alone.
    if (asked.method === 'HEAD' && headers.has('content-location')) return faults
    if (mediaTypeOf(reply) !== problemType) return [...faults, `a refusal as "${mediaTypeOf(reply)}"`]
    if (asked.method !== 'HEAD') return [...faults, ...this.#problem(asked, reply)]
    // Without its body nobody knows which one it is: what passes has one of these.
    return status < 500 || passing.has(status) ? faults : [...faults, `${status} to a HEAD`]
  }

  #problem(asked: Case, reply: Reply): string[] {
    const shape = this.#shape(this.#schemas.Problem ?? {}, reply)
    if (shape.length > 0) return shape
    const problem = JSON.parse(reply.body.toString('utf8')) as Record<string, string> & { issues?: Issue[] }
    const faults: string[] = []
    if (Number(problem.status) !== reply.status) faults.push(`the problem says ${problem.status}`)
    if (reply.status >= 500 && !isPassing(problem, asked.operation?.id))
      faults.push(`${reply.status} ${problem.code}`)
    if (problem.type !== `urn:eventspine:error:${problem.code}`) faults.push(`type ${problem.type}`)
    if (problem.instance !== `urn:eventspine:request:${reply.headers.get('x-request-id')}`)
      faults.push(`instance ${problem.instance}`)
    if (!sentenceForm.test(problem.detail ?? '')) faults.push(`detail "${problem.detail}" tells nothing`)
    return [...faults, ...fields(problem.field, problem.issues), ...fieldOfPart(asked, problem.field)]
  }

  // The server may know more reasons to refuse than the document; to accept what it forbids there is none.
  #expected(asked: Case, reply: Reply): string[] {
    const { status } = reply
    if (asked.expectation === 'refused' && status < 400) return [`${status} for what has to be refused`]
    if (asked.expectation === 'accepted' && refusesForm(asked, reply)) {
      return [`refused what the document allows: ${reply.body.toString('utf8').slice(0, 300)}`]
    }
    return asked.tenant === undefined || status >= 300 ? [] : foreignTenants(asked.tenant, reply)
  }
}

// A browser asked, and the document says that refusals of this route are pages, too.
function showsPages({ operation, headers }: Case): boolean {
  const asksForPages = headers.some(
    ([name, value]) => name.toLowerCase() === 'accept' && value.includes(pageType),
  )
  const refusals = [...(operation?.answers ?? [])].filter(([status]) => status >= 400)
  return asksForPages && refusals.some(([, contents]) => contents.has(pageType))
}

// Too much at once; a reply that the app of the target never gives (to odd counts), asked for after its minute; and the one command
// that another one has overtaken, which says so.
const isPassing = ({ code, detail = '' }: Readonly<Record<string, string>>, operation: string | undefined) =>
  code === 'OVERLOADED' ||
  (code === 'TIMED_OUT' &&
    operation === 'reply-ask-thing' &&
    detail.startsWith('There was no reply within 60 s')) ||
  (code === 'UNAVAILABLE' && detail.endsWith(' meanwhile. Ask again.'))

/** Of those. */
const passing: ReadonlySet<number> = new Set([503, 504])

interface Issue {
  readonly field: string
  readonly message: string
}

// An empty field is left out, so the place of the first issue may stand alone.
function fields(field: string | undefined, issues: readonly Issue[] | undefined): string[] {
  const places = [field ?? '', ...(issues ?? []).map((issue) => issue.field)]
  const faults = places.filter((place) => !pointerForm.test(place)).map((place) => `field "${place}"`)
  const first = issues?.[0]?.field
  if (first !== undefined && first !== (field ?? ''))
    faults.push(`field "${field}" is not the first of issues`)
  if ((issues ?? []).some(({ message }) => message === '')) faults.push('an issue without a message')
  return faults
}

// What has no body can have no fault in it.
function fieldOfPart(asked: Case, field: string | undefined): string[] {
  if (asked.body !== undefined || asked.operation === undefined || field === undefined) return []
  return /^\/(query|path|headers)(\/|$)/.test(field) ? [] : [`field "${field}" of a request without a body`]
}

const stateful: ReadonlySet<string> = new Set(['CELL_UNKNOWN', 'CLOUDEVENT_INVALID'])
const stateParameters = /\/(query|headers)\/(cursor|pattern|lastEventId|last-event-id)|"\/filter"/

function refusesForm(asked: Case, reply: Reply): boolean {
  if (![400, 413, 414, 415, 431].includes(reply.status)) return false
  const text = reply.body.toString('utf8')
  if (asked.method === 'HEAD' || stateParameters.test(text)) return false
  return ![...stateful].some((code) => text.includes(`"code":"${code}"`))
}

function foreignTenants(tenant: string, reply: Reply): string[] {
  const named = reply.body.toString('utf8').matchAll(/"tenant":"([^"]*)"/g)
  const foreign = [...named].find(([, name]) => name !== tenant && name !== '')
  return foreign === undefined ? [] : [`the key of ${tenant} sees tenant ${foreign[1]}`]
}

const mediaTypeOf = (reply: Reply) => (reply.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''

function mayBeCut(asked: Case): boolean {
  const headBytes = asked.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
  return (asked.body?.length ?? 0) > bodyBytesCut || headBytes + asked.target.length > headBytesCut
}
