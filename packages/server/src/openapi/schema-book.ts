// JSON Schemas of the document: named ones once under components, the rest in place, with references to the named.
import { z } from 'zod'

type JsonSchema = Record<string, unknown>

const reference = (name: string) => `#/components/schemas/${name}`

export class SchemaBook {
  readonly #named: Readonly<Record<string, z.ZodType>>
  readonly schemas: Readonly<Record<string, JsonSchema>>

  constructor(named: Readonly<Record<string, z.ZodType>>) {
    this.#named = named
    this.schemas = convert(named)
  }

  /** The schema of a part that has no name of its own. */
  schema(part: z.ZodType): JsonSchema {
    const name = Object.keys(this.#named).find((key) => this.#named[key] === part)
    if (name !== undefined) return { $ref: reference(name) }
    // Converted together with the named ones, so that it refers to them instead of repeating them.
    return convert({ ...this.#named, [placeholder]: part })[placeholder] ?? {}
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
