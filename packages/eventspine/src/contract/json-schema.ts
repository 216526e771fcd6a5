// The contract of an event: what publishers may write as its data, as JSON Schema (draft 2020-12). It is made of the
// schema by the schema library itself, through Standard JSON Schema: https://standardschema.dev/json-schema
import { createHash } from 'node:crypto'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyEventDefinition } from '../event/index.js'

/** A schema in JSON form. `true` takes everything, `false` nothing. */
export type JsonSchema = boolean | JsonSchemaObject
export interface JsonSchemaObject {
  readonly [keyword: string]: unknown
}

/** One version of an event, as it is registered. */
export interface Contract {
  readonly type: string
  readonly version: number
  /** Null where the schema library cannot say it in JSON Schema: it is neither compared nor exported then. */
  readonly schema: JsonSchemaObject | null
  /** Of what of it decides which data fit. Empty where `schema` is null. */
  readonly fingerprint: string
  readonly description: string | null
}

/** What decides which data fit. All else is for people, or for the library's own use: a title, a default, an owner. */
const keywords = new Set([
  ...['$ref', '$defs', 'definitions', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'],
  ...['type', 'enum', 'const', 'multipleOf', 'minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'],
  ...['minLength', 'maxLength', 'pattern', 'format', 'contentEncoding', 'contentMediaType'],
  ...[
    'items',
    'prefixItems',
    'minItems',
    'maxItems',
    'uniqueItems',
    'contains',
    'minContains',
    'maxContains',
  ],
  ...[
    'properties',
    'patternProperties',
    'additionalProperties',
    'propertyNames',
    'required',
    'minProperties',
  ],
  ...['maxProperties', 'dependentRequired', 'dependentSchemas', 'unevaluatedItems', 'unevaluatedProperties'],
])
/** Their members are named by users, and none of these names is a keyword. */
const namedByUsers = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
/** Definitions do not change, and an app may be started many times. */
const known = new WeakMap<AnyEventDefinition, Contract>()

/** The contract of a definition. */
export function contractOf(definition: AnyEventDefinition): Contract {
  const before = known.get(definition)
  if (before !== undefined) return before
  const contract = made(definition)
  known.set(definition, contract)
  return contract
}

function made(definition: AnyEventDefinition): Contract {
  const schema = jsonSchemaOf(definition.schema)
  return {
    type: definition.type,
    version: definition.version,
    schema,
    fingerprint: schema === null ? '' : fingerprintOf(schema),
    description: definition.description ?? null,
  }
}

/** What a schema takes, as its library writes it in JSON Schema 2020-12; null where it cannot. */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonSchemaObject | null {
  const standard = schema['~standard'] as Partial<StandardJSONSchemaV1.Props>
  try {
    return standard.jsonSchema?.input({ target: 'draft-2020-12' }) ?? null
  } catch {
    // A type without a form in JSON, such as a Date: the library says so by throwing.
    return null
  }
}

function fingerprintOf(schema: JsonSchemaObject): string {
  return createHash('sha256').update(canonical(schema)).digest('hex')
}

/** As text that is the same for schemas that differ in the order of names and in annotations alone. */
export function canonical(schema: JsonSchema): string {
  return JSON.stringify(essence(schema))
}

function essence(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(essence)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([keyword]) => keywords.has(keyword))
  return Object.fromEntries(
    sorted(kept).map(([keyword, value]): [string, unknown] => {
      if (keyword === 'enum' && Array.isArray(value)) return [keyword, ordered(value)]
      if (keyword === 'const') return [keyword, value]
      if (keyword === 'required' && Array.isArray(value)) return [keyword, ordered(value)]
      return [keyword, namedByUsers.has(keyword) ? named(value) : essence(value)]
    }),
  )
}

const named = (schemas: unknown) =>
  typeof schemas === 'object' && schemas !== null
    ? Object.fromEntries(sorted(Object.entries(schemas)).map(([name, schema]) => [name, essence(schema)]))
    : schemas

const ordered = (all: readonly unknown[]) =>
  all
    .map((each) => [JSON.stringify(each), each] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, each]) => each)
const sorted = (entries: [string, unknown][]) => entries.sort(([one], [other]) => (one < other ? -1 : 1))
