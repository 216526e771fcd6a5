// What a schema lets be written: its references followed, its unions taken apart, and what must all hold brought together.
import { isDeepStrictEqual } from 'node:util'
import { canonical, type JsonSchema, type JsonSchemaObject } from './json-schema.js'

const allTypes = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
/** Unions within unions multiply. */
const alternativesMax = 256
const referencesMax = 100

type Parts = readonly JsonSchemaObject[]

/** What one alternative of a schema lets be written. */
export interface Written {
  readonly types: ReadonlySet<string>
  /** Nothing but these, where they are listed. */
  readonly values: readonly unknown[] | undefined
  readonly properties: ReadonlyMap<string, JsonSchema>
  readonly required: ReadonlySet<string>
  /** Of names that are not among the properties. */
  readonly others: readonly JsonSchema[]
  readonly items: JsonSchema
  readonly firstItems: readonly JsonSchema[]
  /** The tightest bound under one of these keywords. */
  bound(keywords: readonly string[]): readonly [keyword: string, value: number] | undefined
  /** Whether some part of it says just this. */
  says(keyword: string, value: unknown): boolean
}

/** What must all hold, without references and `allOf`; false where nothing can be. */
export function partsOf(schema: JsonSchema, root: JsonSchema, followed = 0): Parts | false {
  if (schema === false) return false
  if (schema === true || followed > referencesMax) return []
  const { $ref, allOf, $defs: _defs, definitions: _definitions, ...own } = schema
  const inner: JsonSchema[] = [...(typeof $ref === 'string' ? [target($ref, root)] : []), ...schemas(allOf)]
  const parts: JsonSchemaObject[] = canonical(own) === '{}' ? [] : [own]
  for (const each of inner) {
    const found = partsOf(each, root, followed + 1)
    if (found === false) return false
    parts.push(...found)
  }
  return parts
}

/** Each of what may be written, without unions. Undefined where there are more than 256. */
export function alternativesOf(schema: JsonSchema, root: JsonSchema): readonly Parts[] | undefined {
  const parts = partsOf(schema, root)
  if (parts === false) return []
  const found: Parts[] = []
  return expand(parts, root, found) ? found : undefined
}

function expand(parts: Parts, root: JsonSchema, found: Parts[]): boolean {
  if (found.length >= alternativesMax) return false
  const united = parts.find((part) => choicesOf(part) !== undefined)
  if (united === undefined) return found.push(parts) <= alternativesMax
  const [beside, choices] = choicesOf(united) as readonly [JsonSchemaObject, readonly JsonSchema[]]
  const rest = parts.filter((part) => part !== united)
  return choices.every((choice) => {
    const chosen = partsOf(choice, root)
    if (chosen === false) return true
    const own = canonical(beside) === '{}' ? [] : [beside]
    return expand([...rest, ...own, ...chosen], root, found)
  })
}

/** The first union of a part, and what stands beside it. */
function choicesOf(part: JsonSchemaObject): readonly [JsonSchemaObject, readonly JsonSchema[]] | undefined {
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    const { [keyword]: union, ...beside } = part
    if (union !== undefined) return [beside, schemas(union)]
  }
  if (!Array.isArray(part.type) || part.type.length < 2) return undefined
  const { type, ...beside } = part
  return [beside, (type as string[]).map((each) => ({ type: each }))]
}

/** What these parts together let be written. */
export function writtenBy(parts: Parts): Written {
  const properties = new Map<string, JsonSchema>()
  for (const part of parts)
    for (const [name, property] of Object.entries((part.properties ?? {}) as Record<string, JsonSchema>))
      properties.set(name, both(properties.get(name), property))
  return {
    types: parts
      .map(typesOf)
      .reduce((common, types) => intersection(common, types), new Set<string>(allTypes)),
    values: parts
      .map(valuesOf)
      .reduce(
        (common, values) =>
          common && values ? common.filter((each) => has(values, each)) : (common ?? values),
        undefined,
      ),
    properties,
    required: new Set(parts.flatMap(({ required }) => (Array.isArray(required) ? required.map(String) : []))),
    // Who says nothing of other names writes none.
    others: parts.flatMap((part) => [
      ...(isSchema(part.additionalProperties) && part.additionalProperties !== false
        ? [part.additionalProperties]
        : []),
      ...schemas(Object.values((part.patternProperties ?? {}) as object)),
    ]),
    items: parts.reduce<JsonSchema>((all, { items }) => (isSchema(items) ? both(all, items) : all), true),
    firstItems: parts.reduce<readonly JsonSchema[]>((all, part) => firstOf(all, part), []),
    bound: (keywords) => boundOf(parts, keywords),
    says: (keyword, value) =>
      parts.some((part) => canonical({ [keyword]: part[keyword] }) === canonical({ [keyword]: value })),
  }
}

function firstOf(all: readonly JsonSchema[], { prefixItems, items }: JsonSchemaObject) {
  const own = schemas(prefixItems)
  const beyond = isSchema(items) ? items : true
  const length = Math.max(all.length, own.length)
  return Array.from({ length }, (_, at) => both(all[at], own[at] ?? beyond))
}

function boundOf(parts: Parts, keywords: readonly string[]): readonly [string, number] | undefined {
  const given = parts.flatMap((part) =>
    keywords.flatMap((keyword): [string, number][] => {
      const value = part[keyword]
      return typeof value === 'number' ? [[keyword, value]] : []
    }),
  )
  const isLow = keywords[0]?.startsWith('min')
  // Of equal ones the exclusive one is tighter.
  return given.sort(([a, one], [b, other]) => (isLow ? other - one : one - other) || b.length - a.length)[0]
}

/** Whether nothing that is written can fit a choice of the reader's, as far as that can be seen. */
export function isDisjoint(written: Written, choice: JsonSchema, root: JsonSchema): boolean {
  const alternatives = alternativesOf(choice, root)
  return alternatives?.every((parts) => excludes(written, writtenBy(parts), root)) ?? false
}

function excludes(written: Written, read: Written, root: JsonSchema): boolean {
  if (intersection(written.types, read.types).size === 0) return true
  if (written.values !== undefined && read.values !== undefined)
    return !written.values.some((value) => has(read.values ?? [], value))
  return [...written.properties].some(([name, property]) => {
    const other = read.properties.get(name)
    if (other === undefined || !written.required.has(name)) return false
    const [writes, reads] = [listedValues(property, root), listedValues(other, root)]
    return writes !== undefined && reads !== undefined && !writes.some((value) => has(reads, value))
  })
}

const listedValues = (schema: JsonSchema, root: JsonSchema) => {
  const parts = partsOf(schema, root)
  return parts === false ? [] : writtenBy(parts).values
}

/** Types that a part takes. */
export function typesOf(of: JsonSchemaObject): ReadonlySet<string> {
  if (of.type === undefined) return new Set(allTypes)
  const named = new Set(Array.isArray(of.type) ? (of.type as string[]) : [String(of.type)])
  if (named.has('number')) named.add('integer')
  return named
}

/** Values that a part lists. */
export function valuesOf(of: JsonSchemaObject): readonly unknown[] | undefined {
  if (of.const !== undefined) return [of.const]
  return Array.isArray(of.enum) ? of.enum : undefined
}

function target(reference: string, root: JsonSchema): JsonSchema {
  const parts = reference.replace(/^#\/?/, '').split('/').filter(Boolean)
  const found = parts.reduce<unknown>(
    (at, part) =>
      (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')],
    root,
  )
  return isSchema(found) ? found : true
}

const both = (one: JsonSchema | undefined, other: JsonSchema): JsonSchema =>
  one === undefined || one === true ? other : { allOf: [one, other] }
const intersection = (one: ReadonlySet<string>, other: ReadonlySet<string>) =>
  new Set([...one].filter((each) => other.has(each)))
const has = (values: readonly unknown[], value: unknown) =>
  values.some((each) => isDeepStrictEqual(each, value))
const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
const schemas = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : [])
