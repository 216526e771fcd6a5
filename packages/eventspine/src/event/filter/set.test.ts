// A set of filters says what each of them alone would say, for all patterns and events; and it does not ask them all.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileFilter, type Filter, filterSet } from './index.js'

const words = ['', 'a', 'ab', 'abc', 'B', 'ς', 'Σ', 'x*y', 'straße']
const word = fc.constantFrom(...words)
const number = fc.constantFrom(-1, -0, 0, 0.5, 1, 2, 7, 10)
const leaf = fc.oneof(word, number, fc.boolean(), fc.constant(null))
const name = fc.constantFrom('a', 'b', 'c', '__proto__')

const range = fc
  .tuple(fc.constantFrom('>', '>='), number, fc.constantFrom('<', '<='), number)
  .filter(([, low, , high]) => low < high)
const item = fc.oneof(
  { weight: 4, arbitrary: leaf },
  fc.oneof(word, fc.record({ 'equals-ignore-case': word })).map((prefix) => ({ prefix })),
  fc.oneof(word, fc.record({ 'equals-ignore-case': word })).map((suffix) => ({ suffix })),
  word.map((text) => ({ 'equals-ignore-case': text })),
  fc.constantFrom('*', 'a*', '*c', 'a*c', 'abc', 'x\\*y', 'x\\**').map((wildcard) => ({ wildcard })),
  fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), number).map((numeric) => ({ numeric })),
  range.map((numeric) => ({ numeric })),
  fc.boolean().map((exists) => ({ exists })),
  fc.oneof(word, number).map((value) => ({ 'anything-but': value })),
  fc.constant({ cidr: '10.0.0.0/8' }),
)
const list = fc.array(item, { minLength: 1, maxLength: 3 })
const { pattern } = fc.letrec((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small' },
    fc.dictionary(name, fc.oneof(list, tie('pattern')), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    fc
      .array(tie('pattern'), { minLength: 2, maxLength: 3 })
      .map((branches) => ({ $or: branches }) as Record<string, unknown>),
  ),
}))
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))

function compiled(patterns: readonly unknown[]): Filter[] {
  return patterns.flatMap((each) => {
    try {
      return [compileFilter(each)]
    } catch {
      return []
    }
  })
}

/** Filters that count how often they are asked. */
function counting(patterns: readonly unknown[]) {
  const asked = { times: 0 }
  const filters = patterns.map((each) => {
    const filter = compileFilter(each)
    const matches = (event: unknown) => {
      asked.times++
      return filter.matches(event)
    }
    return { ...filter, matches }
  })
  return { asked, set: filterSet(filters) }
}

describe('a set of filters', () => {
  it('says what each filter says alone', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), fc.array(value, { maxLength: 6 }), (all, events) => {
        const filters = compiled(all)
        const set = filterSet(filters)
        for (const event of events) {
          const each = filters.flatMap(({ matches }, position) => (matches(event) ? [position] : []))
          expect(set.matching(event)).toEqual(each)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  const event = {
    type: 'orders.placed',
    data: { id: 'c-7', ip: '10.1.2.3', total: 7.5, tags: ['x', 'y-7-z'] },
  }
  const thousand = (make: (at: number) => unknown) => Array.from({ length: 1_000 }, (_, at) => make(at))

  it.each<readonly [string, (at: number) => unknown, readonly number[]]>([
    ['values', (at) => ({ type: ['orders.placed'], data: { id: [`c-${at}`] } }), [7]],
    ['values in another case', (at) => ({ data: { id: [{ 'equals-ignore-case': `C-${at}` }] } }), [7]],
    ['beginnings', (at) => ({ data: { tags: [{ prefix: `y-${at}-` }] } }), [7]],
    ['ends', (at) => ({ data: { tags: [{ suffix: `-${at}-z` }] } }), [7]],
    ['wildcards', (at) => ({ data: { tags: [{ wildcard: `y-${at}-*` }] } }), [7]],
    ['ranges', (at) => ({ data: { total: [{ numeric: ['>=', at, '<', at + 1] }] } }), [7]],
    ['equal numbers', (at) => ({ data: { total: [{ numeric: ['=', at + 0.5] }] } }), [7]],
    ['alternatives', (at) => ({ $or: [{ data: { id: [`c-${at}`] } }, { data: { id: [`d-${at}`] } }] }), [7]],
    ['fields', (at) => ({ data: { [`field${at}`]: [{ exists: true }] } }), []],
  ])('asks few of a thousand %s', (_, make, taken) => {
    const { asked, set } = counting(thousand(make))
    expect(set.matching(event)).toEqual(taken)
    expect(asked.times).toBeLessThanOrEqual(2)
  })

  it('asks the same filter once, in whatever ways it could match', () => {
    const { asked, set } = counting([{ data: { tags: ['x', { prefix: 'y' }, { suffix: 'z' }] } }])
    expect(set.matching(event)).toEqual([0])
    expect(asked.times).toBe(1)
  })

  it('may be asked again and again, and be empty', () => {
    const { set } = counting([{ data: { id: ['c-7'] } }, { data: { id: ['c-7', 'c-8'] } }])
    for (let times = 0; times < 3; times++) expect(set.matching(event)).toEqual([0, 1])
    expect(filterSet([]).matching(event)).toEqual([])
  })
})
