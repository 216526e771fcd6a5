// The contracts of a cell, told to the tools of others: AsyncAPI 3.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0)
// and bare JSON Schemas.
import type { Reader } from './check.js'
import type { JsonSchemaObject } from './json-schema.js'
import type { RegisteredContract } from './port.js'

const draft = 'https://json-schema.org/draft/2020-12/schema'
const pointerPart = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')
const messageName = ({ type, version }: RegisteredContract) => `${type}.v${version}`
/** Of an operation: AsyncAPI gives its names no form, generators do. */
const plain = (name: string) => name.replaceAll(/[^\w.-]/g, '_')

/** Its file name, and the schema of each contract that has one. */
export function jsonSchemas(contracts: readonly RegisteredContract[]): [name: string, JsonSchemaObject][] {
  return contracts.flatMap((each): [string, JsonSchemaObject][] => {
    const { type, version, schema, description } = each
    if (schema === null) return []
    const named = {
      $schema: draft,
      title: `${type} version ${version}`,
      ...(description !== null && { description }),
    }
    return [[`${messageName(each)}.schema.json`, { ...named, ...schema }]]
  })
}

/**
 * An AsyncAPI 3.0 document: a channel per type, a message per version, an operation for each subscription that takes a type.
 */
export function asyncApi(
  title: string,
  contracts: readonly RegisteredContract[],
  readers: readonly Reader[],
): Readonly<Record<string, unknown>> {
  const types = [...new Set(contracts.map(({ type }) => type))]
  const of = (type: string) => contracts.filter((each) => each.type === type)
  const channel = (type: string) => ({ $ref: `#/channels/${pointerPart(type)}` })
  const inChannel = (each: RegisteredContract) => ({
    $ref: `#/channels/${pointerPart(each.type)}/messages/v${each.version}`,
  })
  const receives = readers.flatMap((reader) =>
    types.filter(reader.takes).map((type): [string, unknown] => [
      plain(`${reader.name}.takes.${type}`),
      {
        action: 'receive',
        channel: channel(type),
        messages: of(type).map(inChannel),
        ...{ 'x-app': reader.app, 'x-subscription': reader.name, 'x-reads-version': reader.reads(type) },
      },
    ]),
  )
  return {
    asyncapi: '3.0.0',
    info: { title, version: String(contracts.length === 0 ? 0 : Math.max(...contracts.map(registeredDay))) },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      types.map((type) => [type, { address: type, messages: Object.fromEntries(of(type).map(messageRef)) }]),
    ),
    operations: Object.fromEntries(receives),
    components: { messages: Object.fromEntries(contracts.map((each) => [messageName(each), message(each)])) },
  }
}

/** As a number that grows with each registration and reads as a day. */
const registeredDay = ({ registeredAtMs }: RegisteredContract) =>
  Number(new Date(registeredAtMs).toISOString().slice(0, 10).replaceAll('-', ''))

const messageRef = (each: RegisteredContract): [string, unknown] => [
  `v${each.version}`,
  { $ref: `#/components/messages/${messageName(each)}` },
]

function message(each: RegisteredContract): unknown {
  const { type, version, description, schema } = each
  return {
    name: type,
    title: `${type} version ${version}`,
    ...(description !== null && { summary: description }),
    contentType: 'application/json',
    'x-registered-by': each.app,
    correlationId: { location: '$message.header#/correlationid' },
    ...(schema !== null && {
      payload: { schemaFormat: 'application/schema+json;version=draft-2020-12', schema: moved(schema, each) },
    }),
  }
}

/** References point into the whole document now. */
function moved(schema: JsonSchemaObject, each: RegisteredContract): unknown {
  const place = `#/components/messages/${pointerPart(messageName(each))}/payload/schema`
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([keyword, inner]) => [
        keyword,
        keyword === '$ref' && typeof inner === 'string' && inner.startsWith('#')
          ? `${place}${inner.slice(1)}`
          : move(inner),
      ]),
    )
  }
  return move(schema)
}
