// One request from its seed and number: an operation, a request that its document allows, then at most two faults.
import type { Dice as DiceType } from '../dice.js'
import { Dice } from '../dice.js'
import type { Description, Operation } from '../openapi.js'
import { misfit, type Schema } from '../schema/check.js'
import { Generator } from '../schema/generate.js'
import type { Keys } from '../target/protocol.js'
import { type Case, type Expectation, type Header, requestIdOf } from './case.js'
import { textOf } from './json-text.js'
import { mutatedBytes } from './mutate-bytes.js'
import { hostileHeaders } from './mutate-headers.js'
import { encoded, mutatedPath, mutatedQuery, type QueryPair, queryText } from './mutate-target.js'
import { mutatedValue } from './mutate-value.js'
import { completed, inHeaders } from './publish.js'
import type { State } from './state.js'

/** How often, beside the others, which have 10. A replay runs on behind its answer, over the whole log. */
const weights: Readonly<Record<string, number>> = {
  publishEvents: 150,
  listEvents: 16,
  doctor: 1,
  metrics: 2,
  openApi: 2,
  startReplay: 4,
  startRedrive: 4,
  pauseSubscription: 2,
  // There are 1,000 at most.
  createKey: 2,
  tailEvents: 3,
  followOverview: 2,
  // What they need is rare.
  ...{ approveWorkflow: 15, retryWorkflow: 15 },
}
const weightDefault = 10

const tenantOfKey = 'acme'
const allMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']

/** A request under construction. */
interface Draft {
  operation: Operation | undefined
  method: string
  path: string
  query: string
  headers: Header[]
  body: Buffer | undefined
  expectation: Expectation
  readonly says: string[]
}

const anyType = '*/*'
const formType = 'application/x-www-form-urlencoded'

const formOf = (value: unknown) =>
  typeof value === 'object' && value !== null
    ? new URLSearchParams(
        Object.entries(value).map(([name, each]): [string, string] => [name, String(each)]),
      ).toString()
    : textOf(value)

export class Composer {
  readonly #description: Description
  readonly #state: State
  readonly #keys: Keys
  readonly #host: string
  readonly #canary: string
  readonly #weights: Readonly<Record<string, number>>

  constructor(description: Description, state: State, keys: Keys, host: string, canary: string) {
    this.#description = description
    this.#state = state
    this.#keys = keys
    this.#host = host
    this.#canary = canary
    this.#weights = Object.fromEntries(
      description.operations.map(({ id }) => [id, weights[id] ?? weightDefault]),
    )
  }

  /** The request `index` of the run of `seed`. What it refers to by chance may be another thing in another run. */
  compose(seed: number, index: number): Case {
    const dice = new Dice(seed, index)
    const id = dice.weighted(this.#weights)
    const operation = this.#description.operations.find((each) => each.id === id) as Operation
    const known = (name: string) => this.#state.known(dice, operation, name)
    const generator = new Generator(dice, this.#description.schemas, known)
    const kind = dice.weighted({
      none: 30,
      value: 28,
      bytes: 8,
      query: 12,
      headers: 12,
      path: 6,
      method: 4,
      key: 8,
      again: 4,
    })
    const draft = this.#drafted(operation, generator, dice, kind === 'value' || kind === 'again')
    if (kind === 'query' || kind === 'again') this.#breakQuery(draft, operation, generator, dice)
    if (kind === 'bytes') breakBytes(draft, dice)
    if (kind === 'headers') breakHeaders(draft, dice)
    if (kind === 'path') breakPath(draft, dice)
    if (kind === 'method') breakMethod(draft, dice)
    const tenant = this.#authorise(draft, operation, dice, kind === 'key')
    return this.#finished(draft, index, dice, tenant)
  }

  #drafted(operation: Operation, generator: Generator, dice: DiceType, broken: boolean): Draft {
    const draft: Draft = {
      operation,
      method: operation.method,
      path: pathOf(operation, generator),
      query: queryText(queryOf(operation, generator, dice)),
      headers: [],
      body: undefined,
      expectation: 'accepted',
      says: [],
    }
    if (operation.method === 'GET' && dice.chance(0.03)) draft.method = 'HEAD'
    if (operation.bodies.size > 0) this.#writeBody(draft, operation, generator, dice, broken)
    return draft
  }

  #writeBody(
    draft: Draft,
    operation: Operation,
    generator: Generator,
    dice: DiceType,
    broken: boolean,
  ): void {
    const [type, schema] = dice.pick([...operation.bodies])
    const publishes = operation.id === 'publishEvents'
    const made = generator.value(schema)
    const value = publishes ? completed(dice, made, this.#canary) : made
    const binary = publishes && !broken && type.includes('cloudevents+') && dice.chance(0.4)
    if (binary) {
      const event = value as Record<string, unknown>
      draft.headers.push(['content-type', 'application/json'], ...inHeaders(event))
      draft.body = Buffer.from(textOf(event.data))
      draft.says.push('binary mode')
      return
    }
    const { value: sent, says } = broken ? mutatedValue(dice, value) : { value, says: '' }
    draft.headers.push(['content-type', type])
    draft.body = Buffer.from(type === formType ? formOf(sent) : textOf(sent))
    if (!broken) return
    draft.says.push(says)
    // Everything in a form is text: what is broken as JSON may fit there.
    // Of a form, and of what a sender of webhooks writes, the document says little: the route refuses what it must.
    if (type === formType || type === anyType) return void (draft.expectation = undefined)
    draft.expectation = this.#judged(draft.body, schema, publishes)
  }

  // What the document forbids has to be refused. What it still allows may be refused for another reason.
  #judged(body: Buffer, schema: Schema, publishes: boolean): Expectation {
    // An empty body is read as {}.
    if (body.length === 0) return undefined
    try {
      const value: unknown = JSON.parse(body.toString('utf8'))
      return misfit(schema, publishes ? withoutNulls(value) : value, this.#description.schemas) === undefined
        ? undefined
        : 'refused'
    } catch {
      return 'refused'
    }
  }

  #breakQuery(draft: Draft, operation: Operation, generator: Generator, dice: DiceType): void {
    const names = operation.parameters.filter((each) => each.in === 'query').map(({ name }) => name)
    const { text, says, refused } = mutatedQuery(dice, queryOf(operation, generator, dice), names)
    draft.query = text
    draft.says.push(says)
    // A body that is read first may be refused first: both are refusals.
    if (refused && !operation.anyQuery) draft.expectation = 'refused'
    else if (draft.expectation === 'accepted') draft.expectation = undefined
  }

  /** The tenant that the answer is limited to. */
  #authorise(draft: Draft, operation: Operation, dice: DiceType, broken: boolean): string | undefined {
    const bearer = (key: string) => draft.headers.push(['authorization', `Bearer ${key}`])
    if (!broken) {
      const limited = operation.tenancy === 'filtered' && dice.chance(0.15)
      bearer(limited ? this.#keys.tenant : this.#keys.all)
      if (limited && draft.expectation === 'accepted') draft.expectation = undefined
      return limited ? tenantOfKey : undefined
    }
    const open = operation.scope === 'open' || operation.id === 'metrics'
    const kind = dice.pick(['none', 'wrong', 'reader', 'form'] as const)
    draft.says.push(`key: ${kind}`)
    if (kind === 'reader') bearer(this.#keys.reader)
    if (kind === 'wrong') bearer(mutatedKey(dice, this.#keys.all))
    if (kind === 'form')
      draft.headers.push([
        'authorization',
        dice.pick(['Bearer', 'Basic YTpi', `es_${'0'.repeat(16)}`, 'Bearer a b']),
      ])
    const lacks = kind !== 'reader' || operation.scope !== 'read'
    if (!open && lacks) draft.expectation = 'refused'
    return undefined
  }

  #finished(draft: Draft, index: number, dice: DiceType, tenant: string | undefined): Case {
    const { operation, method, path, query, body, expectation, says } = draft
    const own = new Set(draft.headers.map(([name]) => name))
    const first: Header[] = [['host', this.#host]]
    if (!own.has('x-request-id')) first.push(['x-request-id', requestIdOf(index)])
    if (body !== undefined) {
      if (dice.chance(0.1)) first.push(['transfer-encoding', 'chunked'])
      else first.push(['content-length', String(body.length)])
    }
    const headers = [...first, ...draft.headers]
    const told = `${operation?.id ?? 'no route'}${says.length === 0 ? '' : `: ${says.join('; ')}`}`
    return { index, says: told, operation, method, target: path + query, headers, body, expectation, tenant }
  }
}

const pathOf = (operation: Operation, generator: Generator) =>
  operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const schema = operation.parameters.find((each) => each.in === 'path' && each.name === name)?.schema
    return encoded(String(generator.value(schema ?? { type: 'string' }, name)))
  })

function queryOf(operation: Operation, generator: Generator, dice: DiceType): QueryPair[] {
  return operation.parameters
    .filter((each) => each.in === 'query')
    .filter(() => dice.chance(0.2))
    .map(({ name, schema }) => [name, String(generator.value(schema, name))] as const)
}

// In CloudEvents an attribute that is null is as good as absent.
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null || !('specversion' in value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name, part]) => name === 'data' || part !== null))
}

function breakBytes(draft: Draft, dice: DiceType): void {
  if (draft.body === undefined) return breakHeaders(draft, dice)
  const { body, says, headers } = mutatedBytes(dice, draft.body)
  draft.body = body
  draft.headers.push(...headers)
  draft.says.push(says)
  draft.expectation = says.startsWith('Content-Encoding') || says.endsWith('bomb') ? 'refused' : undefined
}

function breakHeaders(draft: Draft, dice: DiceType): void {
  const { headers, says } = hostileHeaders(dice)
  const replaced = new Set<string>(headers.map(([name]) => name).filter((name) => name === 'content-type'))
  draft.headers = [...draft.headers.filter(([name]) => !replaced.has(name)), ...headers]
  draft.says.push(says)
  draft.expectation = undefined
}

function breakPath(draft: Draft, dice: DiceType): void {
  const { path, says } = mutatedPath(dice, draft.path)
  Object.assign(draft, { path, operation: undefined, expectation: undefined })
  draft.says.push(says)
}

function breakMethod(draft: Draft, dice: DiceType): void {
  const method = dice.pick(allMethods)
  draft.says.push(`method ${method}`)
  if (method === draft.method) return
  Object.assign(draft, { method, operation: undefined, expectation: undefined })
}

function mutatedKey(dice: DiceType, key: string): string {
  const at = dice.between(3, key.length - 1)
  const other = key[at] === 'a' ? 'b' : 'a'
  return key.slice(0, at) + other + key.slice(at + 1)
}
