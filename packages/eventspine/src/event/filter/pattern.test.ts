// What a filter refuses: each fault with the path of the fault, and a message that says what to write.
import { describe, expect, it } from 'vitest'
import { compileFilter, FilterError, filterLimits } from './index.js'

function refusal(pattern: unknown): FilterError {
  try {
    compileFilter(pattern)
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
  throw new Error(`accepted ${JSON.stringify(pattern)}`)
}

function nested(levels: number): unknown {
  let pattern: unknown = { a: [1] }
  for (let level = 1; level < levels; level += 1) pattern = { a: pattern }
  return pattern
}

const values = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

const refusals: readonly (readonly [unknown, string, string])[] = [
  [undefined, '', 'write an object of fields'],
  [null, '', 'write an object of fields'],
  ['x', '', 'write an object of fields'],
  [[], '', 'write an object of fields'],
  [new Map([['a', [1]]]), '', 'write an object of fields'],
  [{}, '', 'name a field'],
  [{ a: {} }, 'a', 'name a field'],
  [{ a: [] }, 'a', 'name a value'],
  [{ a: 'x' }, 'a', 'write a list, ["x"]'],
  [{ a: 5 }, 'a', 'write a list, [5]'],
  [{ a: null }, 'a', 'write a list, [null]'],
  [{ a: undefined }, 'a', 'write a list'],
  [{ a: new Date(0) }, 'a', 'write a list'],
  [{ data: { a: [[1]] } }, 'data.a[0]', 'write a string, a number'],
  [{ a: [undefined] }, 'a[0]', 'write a string, a number'],
  [{ a: [Number.NaN] }, 'a[0]', 'compare a string instead'],
  [{ a: [2 ** 53] }, 'a[0]', 'compare a string instead'],
  [{ a: [{}] }, 'a[0]', 'exactly one operator'],
  [{ a: ['x', { prefix: 'a', suffix: 'b' }] }, 'a[1]', 'exactly one operator'],
  [{ a: [{ regex: 'x' }] }, 'a[0].regex', 'use one of prefix'],
  [{ a: [{ constructor: 'x' }] }, 'a[0].constructor', 'use one of prefix'],
  [{ a: [{ prefix: 5 }] }, 'a[0].prefix', 'takes a string'],
  [{ a: [{ prefix: { suffix: 'x' } }] }, 'a[0].prefix', 'equals-ignore-case'],
  [{ a: [{ suffix: { 'equals-ignore-case': 5 } }] }, 'a[0].suffix.equals-ignore-case', 'takes a string'],
  [{ a: [{ 'equals-ignore-case': ['x'] }] }, 'a[0].equals-ignore-case', 'takes a string'],
  [{ a: [{ exists: 'true' }] }, 'a[0].exists', 'write true or false'],
  [{ a: [{ wildcard: 'a**b' }] }, 'a[0].wildcard', 'write a single "*"'],
  [{ a: [{ wildcard: 'a\\b' }] }, 'a[0].wildcard', 'escapes nothing'],
  [{ a: [{ cidr: '10.0.0.0' }] }, 'a[0].cidr', 'write "10.0.0.0/24"'],
  [{ data: { amount: [{ numeric: [] }] } }, 'data.amount[0].numeric', 'write [">", 0]'],
  [{ a: [{ numeric: 5 }] }, 'a[0].numeric', 'write [">", 0]'],
  [{ a: [{ numeric: ['>'] }] }, 'a[0].numeric', 'write [">", 0]'],
  [{ a: [{ numeric: ['!=', 5] }] }, 'a[0].numeric[0]', 'write one of "="'],
  [{ a: [{ numeric: ['>', '5'] }] }, 'a[0].numeric[1]', 'without quotes'],
  [{ a: [{ numeric: ['>', 5.1e9] }] }, 'a[0].numeric[1]', 'between -5e9 and 5e9'],
  [{ a: [{ numeric: ['>', Number.NaN] }] }, 'a[0].numeric[1]', 'between -5e9 and 5e9'],
  [{ a: [{ numeric: ['<', 5, '>', 0] }] }, 'a[0].numeric', 'from low to high'],
  [{ a: [{ numeric: ['>', 0, '>', 5] }] }, 'a[0].numeric', 'from low to high'],
  [{ a: [{ numeric: ['=', 0, '<', 5] }] }, 'a[0].numeric', 'from low to high'],
  [{ a: [{ numeric: ['>', 5, '<', 5] }] }, 'a[0].numeric', 'holds nothing'],
  [{ a: [{ numeric: ['>', 0, '<', 5, '<', 9] }] }, 'a[0].numeric', 'from low to high'],
  [{ a: [{ 'anything-but': [] }] }, 'a[0].anything-but', 'takes a string, a number'],
  [{ a: [{ 'anything-but': ['x', 1] }] }, 'a[0].anything-but', 'only strings'],
  [{ a: [{ 'anything-but': null }] }, 'a[0].anything-but', 'takes a string, a number'],
  [{ a: [{ 'anything-but': [true] }] }, 'a[0].anything-but', 'takes a string, a number'],
  [{ a: [{ 'anything-but': 6e9 }] }, 'a[0].anything-but', 'between -5e9 and 5e9'],
  [{ a: [{ 'anything-but': { cidr: '::/0' } }] }, 'a[0].anything-but', 'prefix, suffix'],
  [{ a: [{ 'anything-but': {} }] }, 'a[0].anything-but', 'prefix, suffix'],
  [{ a: [{ 'anything-but': { prefix: '' } }] }, 'a[0].anything-but.prefix', 'excludes every string'],
  [
    { a: [{ 'anything-but': { suffix: ['x', ''] } }] },
    'a[0].anything-but.suffix[1]',
    'excludes every string',
  ],
  [{ a: [{ 'anything-but': { prefix: [] } }] }, 'a[0].anything-but.prefix', 'at least one string'],
  [
    { a: [{ 'anything-but': { wildcard: ['a', 'b**'] } }] },
    'a[0].anything-but.wildcard[1]',
    'write a single "*"',
  ],
  [
    { a: [{ 'anything-but': { prefix: { 'equals-ignore-case': 'x' } } }] },
    'a[0].anything-but.prefix',
    'takes a string',
  ],
  [{ $or: [] }, '$or', 'two or more objects'],
  [{ $or: [{ a: [1] }] }, '$or', 'two or more objects'],
  [{ $or: { a: [1] } }, '$or', 'two or more objects'],
  [{ $or: [{ a: [1] }, 'x'] }, '$or[1]', 'write an object of fields'],
  [{ $or: [{ a: [1] }, {}] }, '$or[1]', 'name a field'],
  [{ $or: [{ numeric: [1] }, { a: [1] }] }, '$or[0].numeric', 'where a field is expected'],
  [{ $or: [{ a: { prefix: ['x'] } }, { a: [1] }] }, '$or[0].a.prefix', 'where a field is expected'],
  [{ amount: { numeric: ['>', 5] } }, 'amount.numeric', 'write amount: [{ "numeric": … }]'],
  [{ name: { prefix: 'x' } }, 'name.prefix', 'write name: [{ "prefix": … }]'],
  [{ 'a.b': { 'c"': [] } }, '["a.b"]["c\\""]', 'name a value'],
]

describe('refusals', () => {
  it.each(refusals)('%j at %j: %s', (pattern, path, advice) => {
    const error = refusal(pattern)
    expect(error.path).toBe(path)
    expect(error.message).toContain(advice)
  })

  it('takes fields that are named as operators where they can only be fields', () => {
    expect(
      compileFilter({ prefix: ['x'], a: { numeric: [1], exists: [true] } }).matches({
        prefix: 'x',
        a: { numeric: 1, exists: true },
      }),
    ).toBe(true)
  })
})

describe('limits', () => {
  it('bounds depth', () => {
    expect(compileFilter(nested(filterLimits.depthLevelsMax))).toBeDefined()
    expect(refusal(nested(filterLimits.depthLevelsMax + 1)).message).toContain('nested deeper than 32 levels')
    expect(refusal(nested(100_000)).message).toContain('nested deeper')
    const cycle: Record<string, unknown> = {}
    cycle.a = cycle
    expect(refusal(cycle).message).toContain('nested deeper')
  })

  it('bounds nodes: fields, values and operands', () => {
    const most = filterLimits.patternNodesMax - 1
    expect(compileFilter({ a: values(most) }).matches({ a: most - 1 })).toBe(true)
    expect(refusal({ a: values(most + 1) }).path).toBe(`a[${most}]`)
    expect(refusal({ a: [{ 'anything-but': values(most) }] }).message).toContain('split the filter')
    expect(refusal({ a: [{ 'anything-but': { prefix: values(most).map(String) } }] }).message).toContain(
      'split the filter',
    )
  })

  it('bounds the combinations of $or', () => {
    const choice = (name: string, count: number) => ({
      $or: values(count).map((at) => ({ [`${name}${at}`]: [1] })),
    })
    expect(compileFilter({ x: choice('a', 10), y: choice('b', 10), z: choice('c', 10) })).toBeDefined()
    expect(refusal({ x: choice('a', 10), y: choice('b', 10), z: choice('c', 11) }).message).toContain(
      '1000 combinations',
    )
  })

  it('bounds what the $or that share a list are written out to', () => {
    const branches = values(300).map((at) => ({ list: { [`f${at}`]: [1] } }))
    const fields = Object.fromEntries(values(300).map((at) => [`g${at}`, [1]]))
    expect(refusal({ list: fields, $or: branches }).message).toContain('20000 fields')
  })

  it('shortens what it shows of a hostile pattern', () => {
    const error = refusal({ [`${'x'.repeat(5_000)}\n`]: 'y'.repeat(5_000) })
    expect(error.message.length).toBeLessThan(700)
    expect(error.message).not.toContain('\n')
  })
})
