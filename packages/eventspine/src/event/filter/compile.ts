// Makes functions of a pattern, once, so that judging an event is a few calls and allocates nothing.
// Semantics: "Amazon EventBridge User Guide", chapters on event patterns, arrays and comparison operators. A list in the
// event offers each of its elements; conditions on one list of objects must be met by one and the same element; `exists`
// and all comparisons look at leaves, so an object or an empty list is as good as absent.
// Measured on Node 20, one core: five fields asked of a ten-field event, 7.5 million events a second.
import { type JoinedField, type JoinedPattern, joinPattern } from './join.js'
import type { Leaf, LeafTest } from './operator.js'
import { type FilterPattern, type LeafPattern, readPattern } from './pattern.js'

/** Lists within lists in an event that are looked into; deeper values are as good as absent. */
const listDepthLevelsMax = 64

/** A compiled filter. Holds no state, so one may judge any number of events at once. */
export interface Filter {
  /** The pattern, as a copy that later changes of the caller's object do not reach. */
  readonly pattern: FilterPattern
  /** Whether an event passes. Never throws on JSON values; reads own properties only. */
  matches(value: unknown): boolean
}

type ValueTest = (value: unknown) => boolean
type ObjectTest = (object: object) => boolean

const nothing: object = Object.freeze(Object.create(null))

/**
 * Compiles a pattern with the semantics of Amazon EventBridge.
 * @throws FilterError when the pattern is not valid, with the path of the fault and what to write instead.
 */
export function compileFilter(pattern: unknown): Filter {
  const matches = compileNested(joinPattern(readPattern(pattern)))
  // Through JSON, because a field named "__proto__" must stay a field.
  const copy = JSON.parse(JSON.stringify(pattern)) as FilterPattern
  return Object.freeze({ pattern: copy, matches })
}

/** Conditions within a field: one object that meets them all, be it the value itself or an element of the list. */
function compileNested(pattern: JoinedPattern): ValueTest {
  const test = compileObject(pattern)
  const wanted = !pattern.absenceOnly
  const whenNothing = test(nothing)
  return (value) => {
    if (typeof value !== 'object' || value === null) return whenNothing
    if (!Array.isArray(value)) return test(value)
    if (!hasObject(value, 0)) return whenNothing
    // Where only absence is asked, no element is singled out: none of them may have the field.
    return someObject(value, test, wanted, 0) === wanted
  }
}

function hasObject(list: readonly unknown[], depth: number): boolean {
  if (depth >= listDepthLevelsMax) return false
  return list.some((item) => {
    if (typeof item !== 'object' || item === null) return false
    return !Array.isArray(item) || hasObject(item, depth + 1)
  })
}

/** Whether the test answers `wanted` for an object in the list, or in a list within it. */
function someObject(list: readonly unknown[], test: ObjectTest, wanted: boolean, depth: number): boolean {
  if (depth >= listDepthLevelsMax) return false
  for (const item of list) {
    if (typeof item !== 'object' || item === null) continue
    if (Array.isArray(item) ? someObject(item, test, wanted, depth + 1) : test(item) === wanted) return true
  }
  return false
}

function compileObject(pattern: JoinedPattern): ObjectTest {
  const tests = [...pattern.fields].map(([name, field]) => compileField(name, field))
  for (const choice of pattern.choices) {
    const branches = choice.map(compileObject)
    tests.push((object) => branches.some((branch) => branch(object)))
  }
  const [first, second] = tests
  if (first !== undefined && tests.length === 1) return first
  if (first !== undefined && second !== undefined && tests.length === 2) {
    return (object) => first(object) && second(object)
  }
  return (object) => {
    for (const test of tests) if (!test(object)) return false
    return true
  }
}

function compileField(name: string, field: JoinedField): ObjectTest {
  const tests = field.leaves.map(compileLeaves)
  if (field.object !== undefined) tests.push(compileNested(field.object))
  const [first] = tests
  if (first !== undefined && tests.length === 1) return (object) => first(own(object, name))
  return (object) => {
    const value = own(object, name)
    return tests.every((test) => test(value))
  }
}

function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Readonly<Record<string, unknown>>)[name] : undefined
}

function compileLeaves(pattern: LeafPattern): ValueTest {
  const test = compileLeaf(pattern)
  if (!pattern.absent) return (value) => someLeaf(value, test, 0)
  return (value) => someLeaf(value, test, 0) || !someLeaf(value, isAny, 0)
}

function compileLeaf({ values, tests, present }: LeafPattern): LeafTest {
  if (present) return isAny
  const [value, another] = values
  const [test] = tests
  if (test === undefined && value !== undefined && another === undefined) return (leaf) => leaf === value
  if (tests.length === 0) return (leaf) => values.has(leaf)
  if (test !== undefined && tests.length === 1 && values.size === 0) return test
  return (leaf) => values.has(leaf) || tests.some((each) => each(leaf))
}

const isAny: LeafTest = () => true

function someLeaf(value: unknown, test: LeafTest, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'number') return test(value)
  if (typeof value === 'boolean' || value === null) return test(value as Leaf)
  if (!Array.isArray(value) || depth >= listDepthLevelsMax) return false
  for (const item of value) if (someLeaf(item, test, depth + 1)) return true
  return false
}
