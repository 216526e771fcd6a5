// The answer to "why does my filter not take this event?".
import { describe, expect, it } from 'vitest'
import { compileFilter, explainFilter } from './index.js'

const explained = (pattern: unknown, event: unknown) => explainFilter(compileFilter(pattern), event)

describe('explaining a filter', () => {
  it('shows each condition beside what the event has', () => {
    const pattern = {
      type: ['a.b'],
      data: { total: [{ numeric: ['>', 5] }], tags: ['x'], gone: [{ exists: false }] },
    }
    expect(explained(pattern, { type: 'a.b', data: { total: 3, tags: ['w', ['x']] } })).toEqual({
      matches: false,
      conditions: [
        { path: 'type', wanted: ['a.b'], found: ['a.b'], matches: true },
        { path: 'data.total', wanted: [{ numeric: ['>', 5] }], found: [3], matches: false },
        { path: 'data.tags', wanted: ['x'], found: ['w', 'x'], matches: true },
        { path: 'data.gone', wanted: [{ exists: false }], found: [], matches: true },
      ],
      choices: [],
      apart: false,
    })
  })

  it('tells which branches of a choice hold', () => {
    const pattern = { $or: [{ a: [1] }, { b: [2] }, { a: [3], b: [2] }] }
    const { matches, choices, conditions } = explained(pattern, { a: 1, b: 2 })
    expect(matches).toBe(true)
    expect(choices).toEqual([{ path: '$or', branches: [true, true, false] }])
    expect(conditions.map(({ path }) => path)).toEqual(['$or[0].a', '$or[1].b', '$or[2].a', '$or[2].b'])
  })

  it('says so where each condition is met by another element of a list', () => {
    const pattern = { lines: { item: ['tea'], count: [2] } }
    expect(
      explained(pattern, {
        lines: [
          { item: 'tea', count: 1 },
          { item: 'jam', count: 2 },
        ],
      }),
    ).toMatchObject({
      matches: false,
      apart: true,
      conditions: [{ matches: true }, { matches: true }],
    })
    expect(explained(pattern, { lines: [{ item: 'tea', count: 2 }] })).toMatchObject({
      matches: true,
      apart: false,
    })
  })

  it('does not contradict the answer where one element of a list has nothing and another has', () => {
    const pattern = { lines: { sku: ['gift'], discount: [{ exists: false }] } }
    const { matches, conditions } = explained(pattern, {
      lines: [{ sku: 'gift' }, { sku: 'x', discount: 5 }],
    })
    expect([matches, conditions.map((each) => each.matches)]).toEqual([true, [true, true]])
  })

  it('shows at most 20 values of a list', () => {
    const { conditions } = explained({ a: [1] }, { a: Array.from({ length: 99 }, (_, at) => at) })
    expect(conditions[0]?.found).toHaveLength(20)
  })

  it('looks at own properties only', () => {
    const { conditions } = explained({ constructor: [{ exists: true }], ['__proto__']: ['x'] }, { a: 1 })
    expect(conditions.map(({ found }) => found)).toEqual([[], []])
  })
})
