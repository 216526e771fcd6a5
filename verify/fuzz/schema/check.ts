// Holds a value against a JSON Schema: the part of 2020-12 that the server's OpenAPI document uses, and no more. It is
// not the validator that the server runs, so that the two can disagree.

export type Schema = Readonly<Record<string, unknown>>
export type Schemas = Readonly<Record<string, Schema>>

const referenceForm = /^#\/components\/schemas\/(.+)$/
const dateTimeForm =
  /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)$/
const patterns = new Map<string, RegExp>()

/** What is wrong, with its place as a JSON Pointer; undefined when the value fits. */
export function misfit(schema: Schema, value: unknown, named: Schemas, at = ''): string | undefined {
  const reference = referenceForm.exec(String(schema.$ref ?? ''))?.[1]
  if (reference !== undefined) {
    const target = named[reference]
    return target === undefined ? `${at}: no schema ${reference}` : misfit(target, value, named, at)
  }
  if (Array.isArray(schema.anyOf)) return anyOf(schema.anyOf as Schema[], value, named, at)
  if ('const' in schema && schema.const !== value) return `${at} is not ${JSON.stringify(schema.const)}`
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) return `${at} is none of ${schema.enum}`
  if (typeof schema.type === 'string' && !hasType(schema.type, value)) return `${at} is no ${schema.type}`
  if (typeof value === 'string') return ofText(schema, value, at)
  if (typeof value === 'number') return ofNumber(schema, value, at)
  if (Array.isArray(value)) return ofList(schema, value, named, at)
  if (typeof value === 'object' && value !== null) return ofObject(schema, value, named, at)
  return undefined
}

function anyOf(choices: readonly Schema[], value: unknown, named: Schemas, at: string): string | undefined {
  let last: string | undefined
  for (const choice of choices) {
    last = misfit(choice, value, named, at)
    if (last === undefined) return undefined
  }
  return last
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value)
  return typeof value === type
}

function ofText(schema: Schema, value: string, at: string): string | undefined {
  // In characters, as JSON Schema counts them, and not in the halves of some.
  const { length } = [...value]
  if (length < Number(schema.minLength ?? 0)) return `${at} is too short`
  if (length > Number(schema.maxLength ?? Number.POSITIVE_INFINITY)) return `${at} is too long`
  if (!fitsPattern(schema, value)) return `${at} does not match ${schema.pattern}`
  if (schema.format === 'date-time' && !dateTimeForm.test(value)) return `${at} is no time`
  return undefined
}

export const fitsPattern = ({ pattern }: Schema, text: string): boolean =>
  typeof pattern !== 'string' || patternOf(pattern).test(text)

function patternOf(text: string): RegExp {
  const known = patterns.get(text) ?? new RegExp(text, 'u')
  patterns.set(text, known)
  return known
}

function ofNumber(schema: Schema, value: number, at: string): string | undefined {
  if (value < Number(schema.minimum ?? Number.NEGATIVE_INFINITY)) return `${at} is too small`
  if (value > Number(schema.maximum ?? Number.POSITIVE_INFINITY)) return `${at} is too large`
  if (value <= Number(schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY)) return `${at} is too small`
  return undefined
}

function ofList(schema: Schema, value: readonly unknown[], named: Schemas, at: string): string | undefined {
  if (value.length < Number(schema.minItems ?? 0)) return `${at} has too few items`
  if (value.length > Number(schema.maxItems ?? Number.POSITIVE_INFINITY)) return `${at} has too many items`
  if (schema.items === undefined) return undefined
  for (const [index, item] of value.entries()) {
    const fault = misfit(schema.items as Schema, item, named, `${at}/${index}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function ofObject(schema: Schema, value: object, named: Schemas, at: string): string | undefined {
  for (const name of (schema.required ?? []) as string[])
    if (!Object.hasOwn(value, name)) return `${at}/${name} is missing`
  const properties = (schema.properties ?? {}) as Schemas
  for (const [name, part] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined
    const rest = schema.additionalProperties
    if (own === undefined && rest === false) return `${at}/${name} is not known`
    const of = own ?? (typeof rest === 'object' && rest !== null ? (rest as Schema) : undefined)
    const fault = of === undefined ? undefined : misfit(of, part, named, `${at}/${name}`)
    if (fault !== undefined) return fault
  }
  return undefined
}
