// Does all that one schema lets be written fit another one that reads it? Judged as messages are: who writes leaves out what
// is not in its schema, who reads passes over what it does not know. So a new optional field breaks nobody, although a reader
// of the letter of JSON Schema would say that it might have held anything before.
//
// What cannot be decided by comparing (a pattern against another, `not`, `if`) counts as fitting only where both say the same.
import { isDeepStrictEqual } from 'node:util'
import { canonical, type JsonSchema, type JsonSchemaObject } from './json-schema.js'
import { alternativesOf, isDisjoint, partsOf, typesOf, valuesOf, type Written, writtenBy } from './written.js'

/** Data that may be written and cannot be read. */
export interface Misfit {
  /** JSON Pointer into the data; `*` stands for any element of a list or any name of a record. */
  readonly path: string
  readonly message: string
}

const misfitsMax = 50
const shownValuesMax = 5

/**
 * Why data that `written` allows may not fit `read`; empty when all of it does. At most 50.
 * @param written the schema of who publishes
 * @param read the schema of who handles
 */
export function misfits(written: JsonSchema, read: JsonSchema): Misfit[] {
  const found: Misfit[] = []
  const left = { comparisons: comparisonsMax }
  new Comparison({ written, read, left }, found).compare(written, read, '')
  return found.slice(0, misfitsMax)
}

/** Unions within unions are compared each with each: what takes more than so many comparisons is not decided. */
const comparisonsMax = 10_000

/** The whole schemas, what references point into, and how many comparisons are left for them. */
interface Roots {
  readonly written: JsonSchema
  readonly read: JsonSchema
  readonly left: { comparisons: number }
}

class Comparison {
  readonly #roots: Roots
  readonly #found: Misfit[]
  /** Pairs that are being compared: a schema that holds itself fits if the rest of it does. */
  readonly #open: Set<string>

  constructor(roots: Roots, found: Misfit[], open = new Set<string>()) {
    this.#roots = roots
    this.#found = found
    this.#open = open
  }

  compare(written: JsonSchema, read: JsonSchema, path: string): void {
    if (read === true || written === false || this.#found.length >= misfitsMax) return
    if (--this.#roots.left.comparisons < 0) return this.#say(path, 'has too many alternatives to be compared')
    const [one, other] = [canonical(written), canonical(read)]
    if (one === other && (!one.includes('"$ref"') || this.#sameDefinitions)) return
    const pair = `${one}\n${other}`
    if (this.#open.has(pair)) return
    this.#open.add(pair)
    const alternatives = alternativesOf(written, this.#roots.written)
    if (alternatives === undefined) this.#say(path, 'has too many alternatives to be compared')
    for (const parts of alternatives ?? []) this.#against(writtenBy(parts), read, path)
    this.#open.delete(pair)
  }

  get #sameDefinitions(): boolean {
    const { written, read } = this.#roots
    return canonical(written) === canonical(read)
  }

  #against(written: Written, read: JsonSchema, path: string): void {
    const parts = partsOf(read, this.#roots.read)
    if (parts === false) this.#say(path, 'is taken by no reader')
    else for (const part of parts) this.#againstPart(written, part, path)
  }

  #againstPart(written: Written, part: JsonSchemaObject, path: string): void {
    const { anyOf, oneOf, ...beside } = part
    if (anyOf !== undefined) this.#oneFits(written, schemas(anyOf), path)
    if (oneOf !== undefined) this.#onlyOneFits(written, schemas(oneOf), path)
    const types = Array.isArray(part.type) && part.type.length > 1 ? part.type : undefined
    if (types === undefined) this.#compareKeywords(written, beside, path)
    else
      this.#oneFits(
        written,
        types.map((type): JsonSchema => ({ ...beside, type })),
        path,
      )
  }

  /** Which of the choices takes it. Says why none does, of the one that came nearest. */
  #oneFits(written: Written, choices: readonly JsonSchema[], path: string): JsonSchema | undefined {
    let nearest: readonly Misfit[] = [{ path: path || '/', message: 'is taken by no reader' }]
    for (const [index, choice] of choices.entries()) {
      const found: Misfit[] = []
      new Comparison(this.#roots, found, new Set(this.#open)).#against(written, choice, path)
      if (found.length === 0) return choice
      if (index === 0 || found.length < nearest.length) nearest = found
    }
    this.#found.push(...nearest)
    return undefined
  }

  // What fits two of them is refused.
  #onlyOneFits(written: Written, choices: readonly JsonSchema[], path: string): void {
    const fitting = this.#oneFits(written, choices, path)
    if (fitting === undefined) return
    const others = choices.filter((choice) => choice !== fitting)
    if (!others.every((choice) => isDisjoint(written, choice, this.#roots.read)))
      this.#say(path, 'may fit several of the reader\'s choices, of which it takes one alone ("oneOf")')
  }

  #compareKeywords(written: Written, read: JsonSchemaObject, path: string): void {
    if (!this.#compareValues(written, read, path)) return
    const { types } = written
    if (types.has('number') || types.has('integer')) this.#compareBounds(written, read, path, numbers)
    if (types.has('string')) this.#compareBounds(written, read, path, strings)
    if (types.has('array')) this.#compareLists(written, read, path)
    if (types.has('object')) this.#compareObjects(written, read, path)
    for (const [keyword, type] of aboutType) {
      if (read[keyword] === undefined || !isAbout(type, types)) continue
      if (!written.says(keyword, read[keyword])) this.#say(path, `may not fit the reader's "${keyword}"`)
    }
  }

  /** Types and listed values. False where the rest need not be looked at. */
  #compareValues(written: Written, read: JsonSchemaObject, path: string): boolean {
    const reads = valuesOf(read)
    const taken = typesOf(read)
    if (written.values !== undefined) {
      const isTaken = (value: unknown) =>
        taken.has(typeOf(value)) &&
        (reads === undefined || reads.some((other) => isDeepStrictEqual(value, other)))
      const strange = written.values.filter((value) => !isTaken(value))
      if (strange.length > 0) this.#say(path, `may be ${listed(strange)}, which the reader does not take`)
      const { const: _one, enum: _several, ...bounds } = read
      for (const value of written.values)
        if (isTaken(value)) this.#compareKeywords(exactly(value), withoutMet(bounds, value), path)
      return false
    }
    const strange = [...written.types].filter((type) => !taken.has(type))
    if (strange.length > 0) {
      const reader = read.type === undefined ? '' : ` (it takes ${listed([...taken].filter(isNamed))})`
      this.#say(path, `may be ${listed(strange.filter(isNamed))}, which the reader does not take${reader}`)
      return false
    }
    if (reads !== undefined)
      this.#say(path, `may be other than ${listed(reads)}, which is all the reader takes`)
    return reads === undefined
  }

  #compareBounds(written: Written, read: JsonSchemaObject, path: string, bounds: Bounds): void {
    for (const [keywords, isTighter, said] of bounds) {
      for (const keyword of keywords) {
        const wanted = read[keyword]
        if (typeof wanted !== 'number') continue
        const [given, has] = written.bound(keywords) ?? []
        const equalButOpen = has === wanted && keyword.startsWith('exclusive') && given !== keyword
        if (has === undefined || isTighter(wanted, has) || equalButOpen)
          this.#say(path, `${said} ${wanted}, which is the reader's "${keyword}"`)
      }
    }
  }

  #compareLists(written: Written, read: JsonSchemaObject, path: string): void {
    this.#compareBounds(written, read, path, lists)
    if (read.uniqueItems === true && !written.says('uniqueItems', true))
      this.#say(path, 'may hold an element twice, which the reader does not take')
    const reads = schemas(read.prefixItems)
    const first = Math.max(written.firstItems.length, reads.length)
    for (let at = 0; at < first; at++)
      this.compare(written.firstItems[at] ?? written.items, reads[at] ?? schema(read.items), `${path}/${at}`)
    this.compare(written.items, schema(read.items), `${path}/*`)
  }

  #compareObjects(written: Written, read: JsonSchemaObject, path: string): void {
    this.#compareBounds(written, read, path, objects)
    const reads = properties(read)
    for (const name of names(read.required))
      if (!written.required.has(name))
        this.#say(`${path}/${escaped(name)}`, 'may be missing, and the reader needs it')
    for (const [name, property] of written.properties) {
      const reader = reads.get(name) ?? schema(read.additionalProperties)
      if (reader === false)
        this.#say(`${path}/${escaped(name)}`, 'is not known to the reader, which refuses such')
      else this.compare(property, reader, `${path}/${escaped(name)}`)
    }
    for (const others of written.others) {
      this.compare(others, schema(read.additionalProperties), `${path}/*`)
      for (const [name, reader] of reads)
        if (!written.properties.has(name)) this.compare(others, reader, `${path}/${escaped(name)}`)
    }
  }

  #say(path: string, message: string): void {
    this.#found.push({ path: path || '/', message })
  }
}

/** Keywords of one bound, whether the first value asks for more than the second gives, and what is said then. */
type Bounds = readonly (readonly [
  keywords: readonly string[],
  isTighter: (wanted: number, has: number) => boolean,
  said: string,
])[]
const above = (wanted: number, has: number) => wanted > has
const below = (wanted: number, has: number) => wanted < has
const numbers: Bounds = [
  [['minimum', 'exclusiveMinimum'], above, 'may be below'],
  [['maximum', 'exclusiveMaximum'], below, 'may be above'],
]
const strings: Bounds = [
  [['minLength'], above, 'may be shorter than'],
  [['maxLength'], below, 'may be longer than'],
]
const lists: Bounds = [
  [['minItems'], above, 'may have fewer elements than'],
  [['maxItems'], below, 'may have more elements than'],
]
const objects: Bounds = [
  [['minProperties'], above, 'may have fewer names than'],
  [['maxProperties'], below, 'may have more names than'],
]

/** Compared by being the same, with the type that they are about. */
const aboutType: ReadonlyMap<string, string> = new Map(
  Object.entries({
    string: ['pattern', 'format', 'contentEncoding', 'contentMediaType'],
    number: ['multipleOf'],
    array: ['contains', 'minContains', 'maxContains'],
    object: ['patternProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas'],
    any: ['not', 'if', 'then', 'else', 'unevaluatedProperties', 'unevaluatedItems'],
  }).flatMap(([type, keywords]) => keywords.map((keyword): [string, string] => [keyword, type])),
)
const isAbout = (type: string, types: ReadonlySet<string>) =>
  type === 'any' || types.has(type) || (type === 'number' && types.has('integer'))

/** "number" says "integer" too. */
const isNamed = (type: string, _at: number, all: readonly string[]) =>
  type !== 'integer' || !all.includes('number')

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

/** What writes one value alone, as narrow as bounds can say it. */
function exactly(value: unknown): Written {
  const type = typeOf(value)
  if (typeof value === 'number') return writtenBy([{ type, minimum: value, maximum: value }])
  if (typeof value !== 'string') return writtenBy([{ type }])
  return writtenBy([{ type, minLength: value.length, maxLength: value.length }])
}

/** Of what a reader asks, without what this value is seen to meet. */
function withoutMet(read: JsonSchemaObject, value: unknown): JsonSchemaObject {
  const { pattern, ...rest } = read
  if (typeof pattern !== 'string' || typeof value !== 'string') return read
  try {
    return new RegExp(pattern, 'u').test(value) ? rest : read
  } catch {
    return read
  }
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
const schema = (value: unknown): JsonSchema => (isSchema(value) ? value : true)
const schemas = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : [])
const names = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const properties = (of: JsonSchemaObject) =>
  new Map(Object.entries((of.properties as Record<string, JsonSchema> | undefined) ?? {}))
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

function listed(all: readonly unknown[]): string {
  const shown = all.slice(0, shownValuesMax).map((value) => JSON.stringify(value))
  return all.length > shownValuesMax
    ? `${shown.join(', ')} and ${all.length - shownValuesMax} more`
    : shown.join(', ')
}
