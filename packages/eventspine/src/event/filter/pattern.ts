// Reads a filter pattern: checks every part and turns it into the form that compile.ts makes functions of.
// Semantics: "Creating Amazon EventBridge event patterns" and "Comparison operators for use in event patterns" in the
// Amazon EventBridge User Guide: fields are joined by AND, the values of one field by OR, a leaf always stands in a list.
import { FilterError, indexed, named, show } from './error.js'
import { checkNumber, type Leaf, type LeafTest, operatorNames, readOperator } from './operator.js'

/** A condition other than an exact value, such as `{ prefix: 'eu-' }` or `{ numeric: ['>', 5] }`. */
export type FilterOperator =
  | { readonly prefix: string | { readonly 'equals-ignore-case': string } }
  | { readonly suffix: string | { readonly 'equals-ignore-case': string } }
  | { readonly 'equals-ignore-case': string }
  | { readonly wildcard: string }
  | { readonly cidr: string }
  | { readonly numeric: readonly (string | number)[] }
  | { readonly exists: boolean }
  | {
      readonly 'anything-but':
        | string
        | number
        | readonly string[]
        | readonly number[]
        | Readonly<
            Partial<
              Record<'prefix' | 'suffix' | 'wildcard' | 'equals-ignore-case', string | readonly string[]>
            >
          >
    }

/** An event pattern: the shape of the event, with a list of what may stand there at each leaf; `$or` holds alternatives. */
export interface FilterPattern {
  readonly [field: string]: FilterPattern | readonly (Leaf | FilterOperator)[] | readonly FilterPattern[]
}

/** How large a pattern may be. A tenant writes it, every event pays for it. */
export interface FilterLimits {
  /** Objects within objects, the pattern itself included. */
  readonly depthLevelsMax: number
  /** Fields, values and operands together. */
  readonly patternNodesMax: number
  /** Product of the lengths of all `$or` lists, the limit that EventBridge documents. */
  readonly orCombinationsMax: number
}

/** The limits in force for every filter: 32 levels, 2,000 nodes, 1,000 combinations. */
export const filterLimits: FilterLimits = {
  depthLevelsMax: 32,
  patternNodesMax: 2_000,
  orCombinationsMax: 1_000,
}

/** What one list of values asks of its field. */
export interface LeafPattern {
  readonly values: ReadonlySet<Leaf>
  readonly tests: readonly LeafTest[]
  readonly present: boolean
  readonly absent: boolean
}

/** What is asked of one field: every list in `leaves`, and of what is nested in it, `object`. */
export interface FieldPattern {
  readonly leaves: readonly LeafPattern[]
  readonly object: ObjectPattern | undefined
}

/** What is asked of one object: every field, and of every choice at least one branch. */
export interface ObjectPattern {
  readonly fields: ReadonlyMap<string, FieldPattern>
  readonly choices: readonly (readonly ObjectPattern[])[]
}

const orKeyword = '$or'
const comparators: ReadonlySet<unknown> = new Set(['=', '<', '<=', '>', '>='])

/**
 * Checks a pattern and returns its readable form.
 * @throws FilterError with the path of the first thing that is wrong.
 */
export function readPattern(pattern: unknown): ObjectPattern {
  const reader = new PatternReader()
  return reader.readObject(pattern, '', 1, false)
}

class PatternReader {
  #nodes = 0
  #combinations = 1

  readObject(value: unknown, path: string, depth: number, insideOr: boolean): ObjectPattern {
    if (!isPlainObject(value)) {
      throw new FilterError(
        path,
        `is ${show(value)}; write an object of fields, such as { "status": ["paid"] }`,
      )
    }
    if (depth > filterLimits.depthLevelsMax) {
      throw new FilterError(
        path,
        `is nested deeper than ${filterLimits.depthLevelsMax} levels; filter on fewer levels`,
      )
    }
    const names = Object.keys(value)
    if (names.length === 0)
      throw new FilterError(
        path,
        'is an empty object; name a field, or leave this part out to take every event',
      )
    const fields = new Map<string, FieldPattern>()
    const choices: (readonly ObjectPattern[])[] = []
    for (const name of names) {
      const place = named(path, name)
      this.#countNode(place)
      if (name === orKeyword) choices.push(this.#readChoice(value[name], place, depth))
      else fields.set(name, this.#readField(name, value[name], { path, place, depth, insideOr }))
    }
    return { fields, choices }
  }

  #readField(name: string, value: unknown, at: Place): FieldPattern {
    if (at.insideOr && operatorNames.includes(name)) {
      throw new FilterError(
        at.place,
        `is an operator where a field is expected; write { "someField": [{ "${name}": … }] }`,
      )
    }
    checkForgottenList(name, value, at)
    if (Array.isArray(value)) return { leaves: [this.#readList(value, at.place)], object: undefined }
    if (isPlainObject(value)) {
      return { leaves: [], object: this.readObject(value, at.place, at.depth + 1, at.insideOr) }
    }
    throw new FilterError(
      at.place,
      `is ${show(value)}; write a list, [${show(value)}], or an object of fields`,
    )
  }

  #readChoice(value: unknown, path: string, depth: number): readonly ObjectPattern[] {
    if (!Array.isArray(value) || value.length < 2) {
      throw new FilterError(path, 'takes a list of two or more objects; write [{ "a": [1] }, { "b": [2] }]')
    }
    this.#combinations *= value.length
    if (this.#combinations > filterLimits.orCombinationsMax) {
      throw new FilterError(
        path,
        `makes more than ${filterLimits.orCombinationsMax} combinations; write several values in one list, or split the filter`,
      )
    }
    return value.map((branch, at) => {
      const place = indexed(path, at)
      this.#countNode(place)
      return this.readObject(branch, place, depth + 1, true)
    })
  }

  #readList(list: readonly unknown[], path: string): LeafPattern {
    if (list.length === 0)
      throw new FilterError(
        path,
        'is an empty list, which no event matches; name a value, or leave the field out',
      )
    const values = new Set<Leaf>()
    const tests: LeafTest[] = []
    let present = false
    let absent = false
    for (const [at, item] of list.entries()) {
      const place = indexed(path, at)
      this.#countNode(place)
      if (isLeaf(item)) {
        if (typeof item === 'number') checkNumber(item, place)
        values.add(item)
        continue
      }
      const [name, operand] = readExpression(item, place)
      if (name !== 'exists') tests.push(this.#readOperator(name, operand, place))
      else if (typeof operand !== 'boolean') {
        throw new FilterError(named(place, name), `is ${show(operand)}; write true or false, without quotes`)
      } else if (operand) present = true
      else absent = true
    }
    return { values, tests, present, absent }
  }

  #readOperator(name: string, operand: unknown, path: string): LeafTest {
    const nested = typeof operand === 'object' && operand !== null ? Object.values(operand) : []
    for (const list of [operand, ...nested]) {
      if (Array.isArray(list)) for (let count = 0; count < list.length; count += 1) this.#countNode(path)
    }
    return readOperator(name, operand, path)
  }

  #countNode(path: string): void {
    this.#nodes += 1
    if (this.#nodes <= filterLimits.patternNodesMax) return
    throw new FilterError(
      path,
      `is beyond ${filterLimits.patternNodesMax} fields and values; use a prefix or wildcard, or split the filter`,
    )
  }
}

interface Place {
  readonly path: string
  readonly place: string
  readonly depth: number
  readonly insideOr: boolean
}

function readExpression(item: unknown, path: string): readonly [string, unknown] {
  if (!isPlainObject(item)) {
    throw new FilterError(
      path,
      `is ${show(item)}; write a string, a number, true, false, null, or an operator such as { "prefix": "a" }`,
    )
  }
  const [first, ...rest] = Object.entries(item)
  if (first !== undefined && rest.length === 0) return first
  throw new FilterError(
    path,
    'must hold exactly one operator; write each in an object of its own, [{ "prefix": "a" }, { "suffix": "b" }]',
  )
}

/** `"amount": { "numeric": [">", 5] }` would be read as a field named "numeric" that holds ">" or 5. */
function checkForgottenList(name: string, value: unknown, at: Place): void {
  const isComparison = name === 'numeric' && Array.isArray(value) && comparators.has(value[0])
  const isOperand = operatorNames.includes(name) && (typeof value === 'string' || typeof value === 'boolean')
  if (!isComparison && !isOperand) return
  throw new FilterError(
    at.place,
    `is an operator without its list; write ${at.path === '' ? '"field"' : at.path}: [{ "${name}": … }]`,
  )
}

function isLeaf(value: unknown): value is Leaf {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  )
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
