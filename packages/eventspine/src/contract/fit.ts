// Does all that one schema lets be written fit another one that reads it? Judged as messages are: who writes leaves out what
// is not in its schema, who reads passes over what it does not know. So a new optional field breaks nobody, although a reader
// of the letter of JSON Schema would say that it might have held anything before.
//
// What cannot be decided by comparing (a pattern against another, `not`, `if`) counts as fitting only where both say the same.
import { canonical, type JsonSchema, type JsonSchemaObject } from './json-schema.js'

/** Data that may be written and cannot be read. */
export interface Misfit {
  /** JSON Pointer into the data; `*` stands for any element of a list or any name of a record. */
  readonly path: string
  readonly message: string
}

const allTypes = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
const misfitsMax = 50
const shownValuesMax = 5

/**
 * Why data that `written` allows may not fit `read`; empty when all of it does. At most 50.
 * @param written the schema of who publishes
 * @param read the schema of who handles
 */
export function misfits(written: JsonSchema, read: JsonSchema): Misfit[] {
  const found: Misfit[] = []
  new Comparison(written, read, found).compare(written, read, '')
  return found.slice(0, misfitsMax)
}

class Comparison {
  readonly #writtenRoot: JsonSchema
  readonly #readRoot: JsonSchema
  readonly #found: Misfit[]
  /** Pairs that are being compared: a schema that holds itself fits if the rest of it does. */
  readonly #open: Set<string>

  constructor(writtenRoot: JsonSchema, readRoot: JsonSchema, found: Misfit[], open = new Set<string>()) {
    this.#writtenRoot = writtenRoot
    this.#readRoot = readRoot
    this.#found = found
    this.#open = open
  }

  compare(writtenSchema: JsonSchema, readSchema: JsonSchema, path: string): void {
    const written = resolved(writtenSchema, this.#writtenRoot)
    const read = resolved(readSchema, this.#readRoot)
    if (read === true || written === false || this.#found.length >= misfitsMax) return
    const pair = `${canonical(written)}\n${canonical(read)}`
    if (this.#open.has(pair)) return
    this.#open.add(pair)
    if (read === false) this.#say(path, 'is taken by no reader')
    else this.#compareParts(written === true ? {} : written, read, path)
    this.#open.delete(pair)
  }

  #compareParts(written: JsonSchemaObject, read: JsonSchemaObject, path: string): void {
    for (const all of schemas(read.allOf)) this.compare(written, all, path)
    const branches = alternatives(written)
    if (branches !== undefined) {
      for (const branch of branches) this.compare(branch, read, path)
      return
    }
    const choices = alternatives(read)
    if (choices !== undefined && !this.#fitsOne(written, choices, path)) return
    this.#compareKeywords(merged(written, this.#writtenRoot), read, path)
  }

  /** Whether one of the choices takes it. Says why not, of the choice that came nearest. */
  #fitsOne(written: JsonSchemaObject, choices: readonly JsonSchema[], path: string): boolean {
    let nearest: readonly Misfit[] | undefined
    for (const choice of choices) {
      const found: Misfit[] = []
      const attempt = new Comparison(this.#writtenRoot, this.#readRoot, found, new Set(this.#open))
      attempt.compare(written, choice, path)
      if (found.length === 0) return true
      if (nearest === undefined || found.length < nearest.length) nearest = found
    }
    this.#found.push(...(nearest ?? [{ path: path || '/', message: 'is taken by no reader' }]))
    return false
  }

  #compareKeywords(written: JsonSchemaObject, read: JsonSchemaObject, path: string): void {
    if (!this.#compareValues(written, read, path)) return
    const types = typesOf(written)
    if (types.has('number') || types.has('integer')) this.#compareBounds(written, read, path, numbers)
    if (types.has('string')) this.#compareBounds(written, read, path, strings)
    if (types.has('array')) this.#compareLists(written, read, path)
    if (types.has('object')) this.#compareObjects(written, read, path)
    for (const [keyword, type] of aboutType) {
      if (read[keyword] === undefined || same(written[keyword], read[keyword])) continue
      if (isAbout(type, types)) this.#say(path, `may not fit the reader's "${keyword}"`)
    }
  }

  /** Types and listed values. False where the rest need not be looked at. */
  #compareValues(written: JsonSchemaObject, read: JsonSchemaObject, path: string): boolean {
    const [writes, reads] = [valuesOf(written), valuesOf(read)]
    if (writes !== undefined) {
      const isTaken = (value: unknown) =>
        typesOf(read).has(typeOf(value)) && (reads === undefined || reads.some((other) => same(value, other)))
      const strange = writes.filter((value) => !isTaken(value))
      if (strange.length > 0) this.#say(path, `may be ${listed(strange)}, which the reader does not take`)
      const { const: _one, enum: _several, ...bounds } = read
      for (const value of writes) if (isTaken(value)) this.#compareKeywords(exactly(value), bounds, path)
      return false
    }
    const taken = typesOf(read)
    const strange = [...typesOf(written)].filter((type) => !taken.has(type))
    if (strange.length > 0) {
      const reader = read.type === undefined ? '' : ` (it takes ${listed([...taken].filter(isNamed))})`
      this.#say(path, `may be ${listed(strange.filter(isNamed))}, which the reader does not take${reader}`)
      return false
    }
    if (reads !== undefined)
      this.#say(path, `may be other than ${listed(reads)}, which is all the reader takes`)
    return reads === undefined
  }

  #compareBounds(written: JsonSchemaObject, read: JsonSchemaObject, path: string, bounds: Bounds): void {
    for (const [keywords, isTighter, said] of bounds) {
      const [[keyword, wanted] = [], [given, has] = []] = [
        boundOf(read, keywords),
        boundOf(written, keywords),
      ]
      if (wanted === undefined) continue
      const equalButOpen = has === wanted && keyword !== given && keyword?.startsWith('exclusive')
      if (has === undefined || isTighter(wanted, has) || equalButOpen)
        this.#say(path, `${said} ${wanted}, which is the reader's "${keyword}"`)
    }
  }

  #compareLists(written: JsonSchemaObject, read: JsonSchemaObject, path: string): void {
    this.#compareBounds(written, read, path, lists)
    if (read.uniqueItems === true && written.uniqueItems !== true)
      this.#say(path, 'may hold an element twice, which the reader does not take')
    const [writes, reads] = [schemas(written.prefixItems), schemas(read.prefixItems)]
    for (let at = 0; at < Math.max(writes.length, reads.length); at++)
      this.compare(writes[at] ?? schema(written.items), reads[at] ?? schema(read.items), `${path}/${at}`)
    this.compare(schema(written.items), schema(read.items), `${path}/*`)
  }

  #compareObjects(written: JsonSchemaObject, read: JsonSchemaObject, path: string): void {
    this.#compareBounds(written, read, path, objects)
    const [writes, reads] = [properties(written), properties(read)]
    const always = new Set(names(written.required))
    for (const name of names(read.required))
      if (!always.has(name)) this.#say(`${path}/${escaped(name)}`, 'may be missing, and the reader needs it')
    for (const [name, property] of writes) {
      const reader = reads.get(name) ?? schema(read.additionalProperties)
      if (reader === false)
        this.#say(`${path}/${escaped(name)}`, 'is not known to the reader, which refuses such')
      else this.compare(property, reader, `${path}/${escaped(name)}`)
    }
    // Who says nothing of other names writes none.
    const others = written.additionalProperties
    if (others === undefined || others === false) return
    this.compare(schema(others), schema(read.additionalProperties), `${path}/*`)
    for (const [name, reader] of reads)
      if (!writes.has(name)) this.compare(schema(others), reader, `${path}/${escaped(name)}`)
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

/** The tighter one of a bound that may stand under two keywords. */
function boundOf(of: JsonSchemaObject, keywords: readonly string[]): [string, number] | undefined {
  const given = keywords.flatMap((keyword): [string, number][] =>
    typeof of[keyword] === 'number' ? [[keyword, of[keyword]]] : [],
  )
  const isLow = keywords[0]?.startsWith('min')
  return given.sort(([, one], [, other]) => (isLow ? other - one : one - other))[0]
}

/** Compared by being the same, with the type that they are about. */
const aboutType: ReadonlyMap<string, string> = new Map(
  Object.entries({
    string: ['pattern', 'format', 'contentEncoding', 'contentMediaType'],
    number: ['multipleOf'],
    array: ['contains', 'minContains', 'maxContains', 'unevaluatedItems'],
    object: [
      ...['patternProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas'],
      'unevaluatedProperties',
    ],
    any: ['not', 'if', 'then', 'else'],
  }).flatMap(([type, keywords]) => keywords.map((keyword): [string, string] => [keyword, type])),
)

const isAbout = (type: string, types: ReadonlySet<string>) =>
  type === 'any' || types.has(type) || (type === 'number' && types.has('integer'))

function typesOf(of: JsonSchema): ReadonlySet<string> {
  if (typeof of === 'boolean' || of.type === undefined) return new Set(of === false ? [] : allTypes)
  const named = new Set(Array.isArray(of.type) ? (of.type as string[]) : [String(of.type)])
  if (named.has('number')) named.add('integer')
  return named
}

/** "number" says "integer" too. */
const isNamed = (type: string, _at: number, all: readonly string[]) =>
  type !== 'integer' || !all.includes('number')

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

function valuesOf(of: JsonSchemaObject): readonly unknown[] | undefined {
  if (of.const !== undefined) return [of.const]
  return Array.isArray(of.enum) ? of.enum : undefined
}

/** A schema that a value fits, as narrow as bounds can be. */
function exactly(value: unknown): JsonSchemaObject {
  const type = typeOf(value)
  if (typeof value === 'number') return { type, minimum: value, maximum: value }
  return typeof value === 'string' ? { type, minLength: value.length, maxLength: value.length } : { type }
}

/** Of what may be one of several, each with all that stands beside it. */
function alternatives(of: JsonSchemaObject): readonly JsonSchema[] | undefined {
  const { anyOf, oneOf, ...beside } = of
  const list = schemas(anyOf ?? oneOf)
  if (list.length > 0) {
    const isAlone = canonical(beside) === '{}'
    return isAlone ? list : list.map((each) => ({ allOf: [beside, each] }))
  }
  if (!Array.isArray(of.type) || of.type.length < 2) return undefined
  return of.type.map((type) => ({ ...of, type }))
}

/** One schema of those that must all hold: enough for objects in parts, as intersections are written. */
function merged(of: JsonSchemaObject, root: JsonSchema): JsonSchemaObject {
  const { allOf, ...own } = of
  return schemas(allOf).reduce<JsonSchemaObject>((sum, each) => {
    const part = resolved(each, root)
    if (typeof part === 'boolean') return sum
    const whole = merged(part, root)
    return {
      ...sum,
      ...whole,
      properties: { ...(sum.properties as object), ...(whole.properties as object) },
      required: [...names(sum.required), ...names(whole.required)],
    }
  }, own)
}

function resolved(of: JsonSchema, root: JsonSchema): JsonSchema {
  let current = of
  for (let steps = 0; steps < 100; steps++) {
    if (typeof current === 'boolean' || typeof current.$ref !== 'string') return current
    const parts = current.$ref.replace(/^#\/?/, '').split('/').filter(Boolean)
    const target = parts.reduce<unknown>(
      (at, part) =>
        (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')],
      root,
    )
    current = schema(target)
  }
  return true
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
const schema = (value: unknown): JsonSchema => (isSchema(value) ? value : true)
const schemas = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : [])
const names = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const properties = (of: JsonSchemaObject) =>
  new Map(Object.entries((of.properties as Record<string, JsonSchema> | undefined) ?? {}))
const same = (one: unknown, other: unknown) => canonical(one as JsonSchema) === canonical(other as JsonSchema)
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

function listed(all: readonly unknown[]): string {
  const shown = all.slice(0, shownValuesMax).map((value) => JSON.stringify(value))
  return all.length > shownValuesMax
    ? `${shown.join(', ')} and ${all.length - shownValuesMax} more`
    : shown.join(', ')
}
