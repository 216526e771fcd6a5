// Schemas of the app, which any library may have made, as parts of the document: in its own words where it has some for JSON
// Schema, else as anything.
import { type JsonSchemaObject, jsonSchemaOf } from 'eventspine/ingress'
import type { HttpRoute } from 'eventspine/source'
import { z } from 'zod'

type Schema = NonNullable<HttpRoute['body']>

const written = new WeakMap<z.ZodType, JsonSchemaObject>()

/** What stands in the document for a schema of the app; undefined for one of ours. */
export const writtenSchema = (schema: z.ZodType): JsonSchemaObject | undefined => written.get(schema)

/** To be named so among the components: references within it point there. */
export function foreignSchema(schema: Schema | null, name: string): z.ZodType {
  const json = schema === null ? null : jsonSchemaOf(schema)
  return standingFor(moved(json ?? {}, name), (value) => schema === null || takes(schema, value))
}

/** The properties of a schema of an object, each as a schema of its own; of others none. */
export function foreignProperties(schema: Schema, name: string): Record<string, z.ZodType> {
  const json = moved(jsonSchemaOf(schema) ?? {}, name)
  const required = (json['required'] ?? []) as readonly string[]
  return Object.fromEntries(
    Object.entries((json['properties'] ?? {}) as Record<string, JsonSchemaObject>).map(([key, property]) => [
      key,
      standingFor(property, (value) => value !== undefined || !required.includes(key)),
    ]),
  )
}

function standingFor(json: JsonSchemaObject, takesIt: (value: unknown) => boolean): z.ZodType {
  const schema = z.unknown().refine(takesIt)
  written.set(schema, json)
  return schema
}

// One that has to wait for its answer is given the benefit of the doubt.
function takes(schema: Schema, value: unknown): boolean {
  try {
    const result = schema['~standard'].validate(value)
    return result instanceof Promise || result.issues === undefined
  } catch {
    return false
  }
}

function moved({ $schema, ...schema }: JsonSchemaObject, name: string): JsonSchemaObject {
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([keyword, inner]) => [
        keyword,
        keyword === '$ref' && typeof inner === 'string' && inner.startsWith('#')
          ? `#/components/schemas/${name}${inner.slice(1)}`
          : move(inner),
      ]),
    )
  }
  return move(schema) as JsonSchemaObject
}
