// The operators of a filter, each read once into a test of one leaf value (a string, a number, true, false or null).
// Semantics: "Comparison operators for use in event patterns" in the Amazon EventBridge User Guide.
import { compileCidr } from './address.js'
import { FilterError, indexed, named, show } from './error.js'
import { fold } from './fold.js'
import { compileWildcard } from './wildcard.js'

/** What stands at the end of a field: everything in JSON but objects and lists. */
export type Leaf = string | number | boolean | null

/** Whether one leaf value satisfies a condition. */
export type LeafTest = (leaf: Leaf) => boolean

type TextTest = (text: string) => boolean
type ReadOperand = (operand: unknown, path: string) => LeafTest

/** Numbers that `numeric` and `anything-but` compare with lie in this range, as EventBridge documents. */
const numericMagnitudeMax = 5e9

const affixes: ReadonlyMap<string, (text: string, path: string) => TextTest> = new Map([
  ['prefix', (prefix) => (text) => text.startsWith(prefix)],
  ['suffix', (suffix) => (text) => text.endsWith(suffix)],
])

const operators: ReadonlyMap<string, ReadOperand> = new Map<string, ReadOperand>([
  ['prefix', readPrefix],
  ['suffix', readSuffix],
  ['equals-ignore-case', (operand, path) => onText(equalsIgnoreCase(text(operand, path)))],
  ['wildcard', (operand, path) => onText(compileWildcard(text(operand, path), path))],
  ['cidr', (operand, path) => onText(compileCidr(text(operand, path), path))],
  ['numeric', readNumeric],
  ['anything-but', readAnythingBut],
])

const negatable: ReadonlyMap<string, (operand: string, path: string) => TextTest> = new Map([
  ...affixes,
  ['equals-ignore-case', equalsIgnoreCase],
  ['wildcard', compileWildcard],
])

/** The operator names, for messages and for names that a `$or` may not hold as fields. */
export const operatorNames: readonly string[] = [...operators.keys(), 'exists']

/**
 * Reads `{ name: operand }` into a test. `exists` is not here: it asks for the field, not for its value.
 * @throws FilterError for an unknown operator or an operand of the wrong form.
 */
export function readOperator(name: string, operand: unknown, path: string): LeafTest {
  const read = operators.get(name)
  if (read !== undefined) return read(operand, named(path, name))
  throw new FilterError(named(path, name), `is no operator; use one of ${operatorNames.join(', ')}`)
}

/** A number that a filter may hold: finite, and not an integer beyond 2^53, which has already lost digits. */
export function checkNumber(value: number, path: string): void {
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return
  throw new FilterError(path, `is ${value}, which JSON cannot carry exactly; compare a string instead`)
}

function onText(test: TextTest): LeafTest {
  return (leaf) => typeof leaf === 'string' && test(leaf)
}

function text(operand: unknown, path: string): string {
  if (typeof operand === 'string') return operand
  throw new FilterError(path, `takes a string, not ${show(operand)}`)
}

function equalsIgnoreCase(wanted: string): TextTest {
  const folded = fold(wanted)
  return (value) => value === wanted || fold(value) === folded
}

function readPrefix(operand: unknown, path: string): LeafTest {
  const folded = readIgnoreCase(operand, path)
  if (folded === undefined) {
    const prefix = text(operand, path)
    return onText((value) => value.startsWith(prefix))
  }
  // Only as much of the value is folded as can matter: folding may lengthen a text but never shortens it.
  return onText((value) => fold(value.slice(0, folded.length)).startsWith(folded))
}

function readSuffix(operand: unknown, path: string): LeafTest {
  const folded = readIgnoreCase(operand, path)
  if (folded === undefined) {
    const suffix = text(operand, path)
    return onText((value) => value.endsWith(suffix))
  }
  return onText((value) => fold(value.slice(-folded.length || value.length)).endsWith(folded))
}

/** The folded text of `{ "equals-ignore-case": text }`, or undefined when the operand is no object. */
function readIgnoreCase(operand: unknown, path: string): string | undefined {
  if (typeof operand !== 'object' || operand === null) return undefined
  const [[name, wanted] = [], ...rest] = Object.entries(operand)
  if (name !== 'equals-ignore-case' || rest.length > 0) {
    throw new FilterError(path, 'takes a string or { "equals-ignore-case": "…" } and nothing else')
  }
  return fold(text(wanted, named(path, name)))
}

function readNumeric(operand: unknown, path: string): LeafTest {
  const terms: readonly unknown[] = Array.isArray(operand) ? operand : []
  const [operator, bound, upperOperator, upper] = terms
  const isRange = terms.length === 4 && (operator === '>' || operator === '>=')
  const isRangeEnd = upperOperator === '<' || upperOperator === '<='
  if (terms.length !== 2 && !(isRange && isRangeEnd)) {
    throw new FilterError(
      path,
      'takes one comparison or a range from low to high; write [">", 0] or [">=", 0, "<", 5]',
    )
  }
  const low = magnitude(bound, indexed(path, 1))
  const first = compare(operator, low, indexed(path, 0))
  if (!isRange) return (leaf) => typeof leaf === 'number' && first(leaf)
  const high = magnitude(upper, indexed(path, 3))
  if (low >= high) {
    throw new FilterError(
      path,
      `is a range from ${low} to ${high}, which holds nothing; write the lower number first`,
    )
  }
  const second = compare(upperOperator, high, indexed(path, 2))
  return (leaf) => typeof leaf === 'number' && first(leaf) && second(leaf)
}

function compare(operator: unknown, bound: number, path: string): (value: number) => boolean {
  if (operator === '=') return (value) => value === bound
  if (operator === '<') return (value) => value < bound
  if (operator === '<=') return (value) => value <= bound
  if (operator === '>') return (value) => value > bound
  if (operator === '>=') return (value) => value >= bound
  throw new FilterError(path, `is ${show(operator)}; write one of "=", "<", "<=", ">", ">="`)
}

function magnitude(value: unknown, path: string): number {
  if (typeof value !== 'number')
    throw new FilterError(path, `is ${show(value)}; write a number, without quotes`)
  if (Math.abs(value) <= numericMagnitudeMax) return value
  throw new FilterError(
    path,
    `is ${value}; numbers are compared between -5e9 and 5e9, so compare a smaller unit or a string`,
  )
}

/**
 * Any value passes but those named; a field that is not there has no value, so it does not pass. Of a list in the event,
 * one element that passes is enough.
 */
function readAnythingBut(operand: unknown, path: string): LeafTest {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand))
    return readNegated(operand, path)
  const excluded: readonly unknown[] = Array.isArray(operand) ? operand : [operand]
  const allText = excluded.every((value) => typeof value === 'string')
  const allNumbers = excluded.every((value) => typeof value === 'number')
  if (excluded.length === 0 || !(allText || allNumbers)) {
    throw new FilterError(path, 'takes a string, a number, a list of only strings, or a list of only numbers')
  }
  if (allNumbers) for (const value of excluded) magnitude(value, path)
  const values = new Set<unknown>(excluded)
  return (leaf) => !values.has(leaf)
}

function readNegated(operand: object, path: string): LeafTest {
  const [[name = '', wanted] = [], ...rest] = Object.entries(operand)
  const compile = negatable.get(name)
  if (compile === undefined || rest.length > 0) {
    throw new FilterError(
      path,
      `takes values, or one of ${[...negatable.keys()].join(', ')} with a string or a list of them`,
    )
  }
  const inner = named(path, name)
  const list: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted]
  if (list.length === 0) throw new FilterError(inner, 'is an empty list; name at least one string')
  const tests = list.map((item, at) => {
    const place = Array.isArray(wanted) ? indexed(inner, at) : inner
    const value = text(item, place)
    // An empty prefix or suffix begins every text, so this would silently exclude them all.
    if (value === '' && affixes.has(name))
      throw new FilterError(place, 'is empty, which excludes every string; name one')
    return compile(value, place)
  })
  return (leaf) => typeof leaf !== 'string' || !tests.some((test) => test(leaf))
}
