// JSON Schemas of the document: named ones once under components, the rest in place, with references to the named.
import { z } from 'zod'
import { writtenSchema } from './foreign-schema.js'

type JsonSchema = Record<string, unknown>

const reference = (name: string) => `#/components/schemas/${name}`

export class SchemaBook {
  readonly #named: Readonly<Record<string, z.ZodType>>
  readonly #names: ReadonlyMap<z.ZodType, string>
  readonly #converted = new Map<z.ZodType, JsonSchema>()
  readonly schemas: Readonly<Record<string, JsonSchema>>

  constructor(named: Readonly<Record<string, z.ZodType>>) {
    const entries = Object.entries(named)
    const foreign = entries.flatMap(([name, schema]) => {
      const json = writtenSchema(schema)
      return json === undefined ? [] : [[name, json] as const]
    })
    this.#named = Object.fromEntries(entries.filter(([, schema]) => writtenSchema(schema) === undefined))
    this.#names = new Map(entries.map(([name, schema]) => [schema, name]))
    this.schemas = { ...convert(this.#named), ...Object.fromEntries(foreign) }
  }

  /** The schema of a part that has no name of its own. */
  schema(part: z.ZodType): JsonSchema {
    const name = this.#names.get(part)
    if (name !== undefined) return { $ref: reference(name) }
    const known = writtenSchema(part) ?? this.#converted.get(part)
    if (known !== undefined) return known
    // Converted together with the named ones, so that it refers to them instead of repeating them.
    const converted = convert({ ...this.#named, [placeholder]: part })[placeholder] ?? {}
    this.#converted.set(part, converted)
    return converted
  }
}

function convert(named: Readonly<Record<string, z.ZodType>>): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, {
    uri: reference,
    io: 'input',
    override: ({ jsonSchema }) => tidy(jsonSchema),
  })
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema, $id, ...schema }]) => [name, schema]),
  )
}

const placeholder = 'placeholder'

// The pattern that goes with a format says the same in four lines.
function tidy(schema: { format?: string; pattern?: string }): void {
  if (schema.format === 'date-time') delete schema.pattern
}
