// A catalogue of events that people browse: a page per context (what stands before the first dot of a type), in markdown.
import type { Reader } from './check.js'
import type { JsonSchema, JsonSchemaObject } from './json-schema.js'
import type { RegisteredContract } from './port.js'

const depthMax = 6

/** File names and their text. `README.md` lists the contexts. */
export function catalogue(
  title: string,
  contracts: readonly RegisteredContract[],
  readers: readonly Reader[],
): [name: string, text: string][] {
  const contexts = [...new Set(contracts.map(contextOf))].sort()
  const pages = contexts.map((context): [string, string] => {
    const own = contracts.filter((each) => contextOf(each) === context)
    return [`contexts/${context}.md`, contextPage(context, own, readers)]
  })
  return [['README.md', indexPage(title, contexts, contracts, readers)], ...pages]
}

const contextOf = ({ type }: RegisteredContract) => type.split('.')[0] as string
const typesOf = (contracts: readonly RegisteredContract[]) => [...new Set(contracts.map(({ type }) => type))]
const anchor = (type: string) => type.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '')
/** What others wrote, in a cell of a table: no line end, no bar, no HTML. */
const cell = (text: string) =>
  text.replaceAll(/\s+/g, ' ').replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;')
const code = (text: string) =>
  `\`${text.replaceAll('`', "'").replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')}\``
const row = (...cells: readonly string[]) => `| ${cells.join(' | ')} |`
const header = (...cells: readonly string[]) => [row(...cells), row(...cells.map(() => '---'))]

function indexPage(
  title: string,
  contexts: readonly string[],
  contracts: readonly RegisteredContract[],
  readers: readonly Reader[],
): string {
  const lines = contexts.flatMap((context) =>
    typesOf(contracts.filter((each) => contextOf(each) === context)).map((type) => {
      const own = contracts.filter((each) => each.type === type)
      const newest = own.at(-1) as RegisteredContract
      return row(
        `[${context}](contexts/${context}.md)`,
        `[${code(type)}](contexts/${context}.md#${anchor(type)})`,
        String(newest.version),
        [...new Set(own.map(({ app }) => app))].join(', '),
        String(readers.filter((reader) => reader.takes(type)).length),
        cell(newest.description ?? ''),
      )
    }),
  )
  return text(
    `# ${title}: events`,
    '',
    ...header('context', 'event', 'version', 'registered by', 'subscriptions', 'what it says'),
    ...lines,
  )
}

function contextPage(
  context: string,
  contracts: readonly RegisteredContract[],
  readers: readonly Reader[],
): string {
  return text(
    `# ${context}`,
    ...typesOf(contracts).flatMap((type) => {
      const own = contracts.filter((each) => each.type === type)
      return eventSection(
        type,
        own,
        readers.filter((reader) => reader.takes(type)),
      )
    }),
    '',
    '[All events](../README.md)',
  )
}

function eventSection(
  type: string,
  own: readonly RegisteredContract[],
  readers: readonly Reader[],
): string[] {
  const newest = own.at(-1) as RegisteredContract
  return [
    '',
    `## ${type}`,
    ...(newest.description === null ? [] : ['', cell(newest.description)]),
    '',
    ...header('version', 'registered by', 'since'),
    ...own.map(({ version, app, registeredAtMs }) =>
      row(String(version), app, new Date(registeredAtMs).toISOString().slice(0, 10)),
    ),
    '',
    ...(readers.length === 0
      ? ['No subscription takes it.']
      : [
          ...header('subscription', 'app', 'reads version'),
          ...readers.map((reader) => row(reader.name, reader.app, String(reader.reads(type) ?? 'any'))),
        ]),
    ...own
      .toReversed()
      .flatMap(({ version, schema }) => ['', `### Version ${version}`, '', ...fieldTable(schema)]),
  ]
}

function fieldTable(schema: JsonSchemaObject | null): string[] {
  if (schema === null) return ['Its schema is not told in JSON Schema.']
  const fields = fieldsOf(resolved(schema, schema), schema, '', 0)
  if (fields.length === 0) return [code(JSON.stringify(schema))]
  return [...header('field', 'type', 'needed', 'meaning'), ...fields.map((field) => row(...field))]
}

function fieldsOf(
  schema: JsonSchemaObject,
  root: JsonSchemaObject,
  prefix: string,
  depth: number,
): string[][] {
  const needed = new Set(Array.isArray(schema.required) ? schema.required : [])
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
  return properties.flatMap(([name, property]) => {
    const inner = resolved(property, root)
    const path = `${prefix}${name}`
    const own = [code(path), code(typeName(inner)), needed.has(name) ? 'yes' : 'no', cell(meaning(inner))]
    const nested = inner.type === 'array' ? resolved((inner.items ?? {}) as JsonSchema, root) : inner
    const below = inner.type === 'array' ? `${path}[].` : `${path}.`
    return [own, ...(depth < depthMax ? fieldsOf(nested, root, below, depth + 1) : [])]
  })
}

function resolved(schema: JsonSchema, root: JsonSchemaObject): JsonSchemaObject {
  if (typeof schema === 'boolean') return {}
  const name = /^#\/\$defs\/(.+)$/.exec(String(schema.$ref ?? ''))?.[1]
  const named =
    name === undefined ? undefined : (root.$defs as Record<string, JsonSchemaObject> | undefined)?.[name]
  return named ?? schema
}

function typeName(schema: JsonSchemaObject): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  const choices = (schema.anyOf ?? schema.oneOf) as readonly JsonSchemaObject[] | undefined
  if (choices !== undefined) return [...new Set(choices.map(typeName))].join(' or ')
  if (schema.type === 'array') return `list of ${typeName((schema.items ?? {}) as JsonSchemaObject)}`
  const type = Array.isArray(schema.type) ? schema.type.join(' or ') : String(schema.type ?? 'any')
  return typeof schema.format === 'string' ? `${type}, ${schema.format}` : type
}

const bounds = [
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
]
/** Bounds that only say what a number of JavaScript can be. */
const isTelling = (value: unknown) => typeof value === 'number' && Math.abs(value) !== Number.MAX_SAFE_INTEGER

function meaning(schema: JsonSchemaObject): string {
  const said = typeof schema.description === 'string' ? [schema.description] : []
  const limits = bounds.filter((name) => isTelling(schema[name])).map((name) => `${name} ${schema[name]}`)
  return [...said, ...limits].join('; ')
}

const text = (...lines: readonly string[]) => `${lines.join('\n')}\n`
