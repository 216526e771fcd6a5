// Makes a value that fits a JSON Schema of the OpenAPI document. What only the running system knows, such as ids and
// cursors, comes from `known`, by the name of the property.
import type { Dice } from '../dice.js'
import { fitsPattern, type Schema, type Schemas } from './check.js'
import { harmlessText, jsonValue } from './values.js'

/** A value for the property or parameter of this name; undefined when there is nothing to know. */
export type Known = (name: string) => unknown

const itemsMax = 3
const optionalChance = 0.35
const referenceForm = /^#\/components\/schemas\/(.+)$/

export class Generator {
  readonly #dice: Dice
  readonly #named: Schemas
  readonly #known: Known

  constructor(dice: Dice, named: Schemas, known: Known) {
    this.#dice = dice
    this.#named = named
    this.#known = known
  }

  /** `name` is that of the property, or of the parameter, which the value is for. */
  value(schema: Schema, name = ''): unknown {
    const reference = referenceForm.exec(String(schema.$ref ?? ''))?.[1]
    if (reference !== undefined) return this.value(this.#named[reference] ?? {}, name)
    if (Array.isArray(schema.anyOf)) return this.value(this.#dice.pick(schema.anyOf as Schema[]), name)
    if ('const' in schema) return schema.const
    if (Array.isArray(schema.enum)) return this.#dice.pick(schema.enum)
    if (schema.type === 'array' || schema.type === 'object') return this.#typed(schema, name)
    return this.#known(name) ?? this.#typed(schema, name)
  }

  #typed(schema: Schema, name: string): unknown {
    switch (schema.type) {
      case 'string':
        return this.#text(schema)
      case 'integer':
        return this.#number(schema, true)
      case 'number':
        return this.#number(schema, false)
      case 'boolean':
        return this.#dice.chance(0.5)
      case 'array':
        return this.#list(schema, name)
      case 'object':
        return this.#object(schema)
      default:
        return jsonValue(this.#dice, 3)
    }
  }

  #text(schema: Schema): string {
    if (schema.format === 'date-time') {
      return new Date(this.#dice.between(0, 4_000_000_000) * 1_000).toISOString()
    }
    const charactersMax = Math.min(Number(schema.maxLength ?? 40), 40)
    const text = harmlessText(this.#dice, Math.max(1, Number(schema.minLength ?? 0)), charactersMax)
    // Of what is harmless the patterns leave out texts of dots alone.
    return fitsPattern(schema, text) ? text : `${text.slice(1)}x`
  }

  #number(schema: Schema, whole: boolean): number {
    const min = Number(schema.minimum ?? schema.exclusiveMinimum ?? -1_000_000)
    const max = Math.min(Number(schema.maximum ?? 1_000_000), 9_007_199_254_740_991)
    const edge = this.#dice.chance(0.2) && schema.exclusiveMinimum === undefined
    if (edge) return this.#dice.pick([min, max])
    if (whole) return this.#dice.between(min, Math.min(max, min + 10_000))
    return Math.min(max, min + (1 - this.#dice.next()) * (max - min))
  }

  #list(schema: Schema, name: string): unknown[] {
    const min = Number(schema.minItems ?? 0)
    const length = this.#dice.between(min, Math.min(Number(schema.maxItems ?? itemsMax), min + itemsMax))
    return Array.from({ length }, () => this.value((schema.items ?? {}) as Schema, name))
  }

  #object(schema: Schema): Record<string, unknown> {
    const required = new Set((schema.required ?? []) as string[])
    const entries = Object.entries((schema.properties ?? {}) as Schemas)
      .filter(([name]) => required.has(name) || this.#dice.chance(optionalChance))
      .map(([name, part]) => [name, this.value(part, name)] as const)
    return Object.fromEntries(entries)
  }
}
