// What a filter takes: the operators and list rules of the Amazon EventBridge User Guide, one table row for each promise.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileFilter, type FilterPattern } from './index.js'

const matches = (pattern: unknown, event: unknown): boolean => compileFilter(pattern).matches(event)
const field = (condition: unknown, value: unknown): boolean => matches({ a: [condition] }, { a: value })

const operatorCases: readonly (readonly [string, unknown, unknown, boolean])[] = [
  ['exact', 'x', 'x', true],
  ['exact', 'x', 'X', false],
  ['exact', 1, 1.0, true],
  ['exact', 1, '1', false],
  ['exact', '1', 1, false],
  ['exact', true, true, true],
  ['exact', true, 'true', false],
  ['exact', true, 1, false],
  ['exact', false, false, true],
  ['exact', false, null, false],
  ['exact', null, null, true],
  ['exact', null, '', false],
  ['exact', '', '', true],
  ['exact', '', null, false],
  ['exact', 123456789012, 123456789012, true],
  ['prefix', { prefix: 'eu-' }, 'eu-west', true],
  ['prefix', { prefix: 'eu-' }, 'EU-west', false],
  ['prefix', { prefix: '' }, 'any text', true],
  ['prefix', { prefix: '' }, 5, false],
  ['prefix', { prefix: '1' }, 12, false],
  ['prefix', { prefix: { 'equals-ignore-case': 'EU-' } }, 'eu-west', true],
  ['prefix', { prefix: { 'equals-ignore-case': 'EU-' } }, 'eu', false],
  ['prefix', { prefix: { 'equals-ignore-case': '' } }, 'x', true],
  ['suffix', { suffix: '.png' }, 'a.png', true],
  ['suffix', { suffix: '.png' }, 'a.PNG', false],
  ['suffix', { suffix: { 'equals-ignore-case': '.png' } }, 'a.PNG', true],
  ['suffix', { suffix: { 'equals-ignore-case': '.png' } }, 'png', false],
  ['suffix', { suffix: { 'equals-ignore-case': '' } }, 'x', true],
  ['equals-ignore-case', { 'equals-ignore-case': 'Alice' }, 'aLICE', true],
  ['equals-ignore-case', { 'equals-ignore-case': 'Alice' }, 'alic', false],
  ['equals-ignore-case', { 'equals-ignore-case': 'ΟΔΟΣ' }, 'οδος', true],
  ['equals-ignore-case', { prefix: { 'equals-ignore-case': 'ΟΔΟΣ' } }, 'οδοσα', true],
  ['equals-ignore-case', { 'equals-ignore-case': 'straße' }, 'STRASSE', false],
  ['wildcard', { wildcard: 'dir/*.png' }, 'dir/a/b.png', true],
  ['wildcard', { wildcard: 'dir/*.png' }, 'dir/a.jpg', false],
  ['wildcard', { wildcard: '*' }, '', true],
  ['wildcard', { wildcard: '*' }, 1, false],
  ['cidr', { cidr: '10.0.0.0/24' }, '10.0.0.33', true],
  ['cidr', { cidr: '10.0.0.0/24' }, 10, false],
  ['numeric', { numeric: ['=', 301.8] }, 3.018e2, true],
  ['numeric', { numeric: ['>', 0, '<=', 5] }, 5, true],
  ['numeric', { numeric: ['>', 0, '<=', 5] }, 0, false],
  ['numeric', { numeric: ['>=', 0, '<', 5] }, 0, true],
  ['numeric', { numeric: ['>=', 0, '<', 5] }, 5, false],
  ['numeric', { numeric: ['<', 10] }, 9.999, true],
  ['numeric', { numeric: ['<=', 10] }, 10.001, false],
  ['numeric', { numeric: ['>', 10] }, 10, false],
  ['numeric', { numeric: ['>', 10] }, 6e9, true],
  ['numeric', { numeric: ['=', 5] }, '5', false],
  ['numeric', { numeric: ['=', -5e9] }, -5e9, true],
  ['anything-but', { 'anything-but': 'x' }, 'y', true],
  ['anything-but', { 'anything-but': 'x' }, 'x', false],
  ['anything-but', { 'anything-but': 'x' }, 7, true],
  ['anything-but', { 'anything-but': 'x' }, null, true],
  ['anything-but', { 'anything-but': 123 }, 123, false],
  ['anything-but', { 'anything-but': 123 }, '123', true],
  ['anything-but', { 'anything-but': ['x', 'y'] }, 'y', false],
  ['anything-but', { 'anything-but': [1, 2] }, 3, true],
  ['anything-but', { 'anything-but': [1, 2] }, 2, false],
  ['anything-but', { 'anything-but': { prefix: 'us-' } }, 'us-east', false],
  ['anything-but', { 'anything-but': { prefix: 'us-' } }, 'eu-west', true],
  ['anything-but', { 'anything-but': { prefix: ['us-', 'eu-'] } }, 'eu-west', false],
  ['anything-but', { 'anything-but': { suffix: '.png' } }, 'a.png', false],
  ['anything-but', { 'anything-but': { suffix: ['.png', '.jpg'] } }, 'a.gif', true],
  ['anything-but', { 'anything-but': { 'equals-ignore-case': 'INIT' } }, 'init', false],
  ['anything-but', { 'anything-but': { 'equals-ignore-case': ['INIT', 'run'] } }, 'RUN', false],
  ['anything-but', { 'anything-but': { wildcard: '*/lib/*' } }, '/usr/lib/x', false],
  ['anything-but', { 'anything-but': { wildcard: ['*/lib/*', '*/bin/*'] } }, '/usr/share/x', true],
  ['anything-but', { 'anything-but': { prefix: 'us-' } }, 5, true],
  ['exists', { exists: true }, null, true],
  ['exists', { exists: true }, false, true],
  ['exists', { exists: true }, {}, false],
  ['exists', { exists: true }, { b: 1 }, false],
  ['exists', { exists: true }, [], false],
  ['exists', { exists: true }, [{ b: 1 }], false],
  ['exists', { exists: true }, [0], true],
  ['exists', { exists: false }, null, false],
  ['exists', { exists: false }, { b: 1 }, true],
  ['exists', { exists: false }, [], true],
]

describe('operators', () => {
  it.each(operatorCases)('%s %j on %j: %s', (_, condition, value, expected) => {
    expect(field(condition, value)).toBe(expected)
  })

  it.each<[unknown, boolean]>([
    ['x', false],
    [{ exists: true }, false],
    [{ exists: false }, true],
    [{ 'anything-but': 'x' }, false],
    [null, false],
  ])('%j on a field that is not there: %s', (condition, expected) => {
    expect(matches({ a: [condition] }, { b: 1 })).toBe(expected)
    expect(matches({ deep: { a: [condition] } }, { deep: 'text' })).toBe(expected)
    expect(matches({ deep: { a: [condition] } }, {})).toBe(expected)
    expect(matches({ a: [condition] }, 'not an object')).toBe(expected)
    expect(matches({ a: [condition] }, undefined)).toBe(expected)
  })

  it('joins the values of one field by OR, also with exists: false', () => {
    const filter = compileFilter({ a: ['x', 7, { prefix: 'y' }, { suffix: 'z' }, { exists: false }] })
    expect(['x', 7, 'yes', 'oz', undefined, 'no', 8].map((a) => filter.matches({ a }))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ])
  })

  it('joins fields by AND', () => {
    const filter = compileFilter({ a: ['x'], b: { c: [1], d: [2] }, e: [true] })
    expect(filter.matches({ a: 'x', b: { c: 1, d: 2 }, e: true })).toBe(true)
    expect(filter.matches({ a: 'x', b: { c: 1, d: 3 }, e: true })).toBe(false)
    expect(filter.matches({ a: 'x', b: { c: 1, d: 2 }, e: false })).toBe(false)
  })
})

describe('lists in the event', () => {
  const employees = {
    people: [{ first: 'Anna', last: 'Smith' }, [{ first: 'Peter', last: 'Jones' }], 'stray', null],
  }

  it('offers each element of a list, and of lists within it', () => {
    expect(field('b', ['a', ['b']])).toBe(true)
    expect(field('c', ['a', ['b']])).toBe(false)
    expect(field({ 'anything-but': 'a' }, ['a', 'b'])).toBe(true)
    expect(field({ 'anything-but': 'a' }, ['a', 'a'])).toBe(false)
    expect(field({ 'anything-but': 'a' }, [])).toBe(false)
  })

  it('takes all conditions on a list of objects from one element', () => {
    expect(matches({ people: { first: ['Anna'], last: ['Smith'] } }, employees)).toBe(true)
    expect(matches({ people: { first: ['Peter'], last: ['Jones'] } }, employees)).toBe(true)
    expect(matches({ people: { first: ['Anna'], last: ['Jones'] } }, employees)).toBe(false)
  })

  it('keeps to one element when a $or beside the list speaks of the same list', () => {
    const pattern = (last: string): FilterPattern => ({
      people: { first: ['Anna'] },
      $or: [{ people: { last: [last] } }, { other: [1] }],
    })
    expect(matches(pattern('Smith'), employees)).toBe(true)
    expect(matches(pattern('Jones'), employees)).toBe(false)
    expect(matches(pattern('Jones'), { ...employees, other: 1 })).toBe(true)
  })

  it('keeps to one element across two $or and a $or within', () => {
    const event = {
      people: [
        { first: 'Anna', age: 30 },
        { first: 'Eve', age: 40 },
      ],
    }
    expect(matches({ people: { first: ['Anna'], $or: [{ age: [30] }, { age: [31] }] } }, event)).toBe(true)
    expect(matches({ people: { first: ['Anna'], $or: [{ age: [40] }, { age: [31] }] } }, event)).toBe(false)
    const both = (age: number): FilterPattern => ({
      people: { $or: [{ first: ['Anna'] }, { first: ['Bob'] }] },
      $or: [{ $or: [{ people: { age: [age] } }, { none: [1] }] }, { none: [2] }],
    })
    expect(matches(both(30), event)).toBe(true)
    expect(matches(both(40), event)).toBe(false)
  })
})

describe('absence in lists', () => {
  it('asks every element when only absence is asked', () => {
    const absent = { people: { age: [{ exists: false }] } }
    expect(matches(absent, { people: [{ first: 'Anna' }, [{ first: 'Peter' }], 'stray', null] })).toBe(true)
    expect(matches(absent, { people: [{ first: 'Anna' }, { age: 3 }] })).toBe(false)
    expect(matches(absent, { people: ['text'] })).toBe(true)
    expect(matches(absent, { people: [] })).toBe(true)
    const absentOrFive = { people: { age: [{ exists: false }, 5] } }
    expect(matches(absentOrFive, { people: [{ age: 5 }, { age: 6 }] })).toBe(true)
    expect(matches(absentOrFive, { people: [{ age: 6 }] })).toBe(false)
    expect(matches(absentOrFive, { people: [] })).toBe(true)
    expect(matches(absentOrFive, { people: ['text'] })).toBe(true)
    const anna = { people: { first: ['Anna'], age: [{ exists: false }] } }
    expect(matches(anna, { people: [{ first: 'Anna' }, { age: 3 }] })).toBe(true)
    expect(matches(anna, { people: [{ first: 'Anna', age: 3 }] })).toBe(false)
  })

  it('survives lists nested beyond any depth', () => {
    let list: unknown = ['x']
    for (let depth = 0; depth < 100_000; depth += 1) list = [list]
    expect(field('x', list)).toBe(false)
    expect(matches({ a: { b: ['x'] } }, { a: list })).toBe(false)
    expect(matches({ a: { b: [{ exists: false }] } }, { a: list })).toBe(true)
  })
})

describe('$or', () => {
  const filter = compileFilter({
    source: ['shop'],
    $or: [
      { metric: ['cpu'] },
      { kind: ['x'], space: ['y'], $or: [{ id: [1] }, { room: [2] }] },
      { deep: { scope: ['z'] } },
    ],
  })

  it.each<[unknown, boolean]>([
    [{ source: 'shop', metric: 'cpu' }, true],
    [{ source: 'else', metric: 'cpu' }, false],
    [{ source: 'shop', kind: 'x', space: 'y', id: 1 }, true],
    [{ source: 'shop', kind: 'x', space: 'y', room: 2 }, true],
    [{ source: 'shop', kind: 'x', space: 'y' }, false],
    [{ source: 'shop', deep: { scope: 'z' } }, true],
    [{ source: 'shop' }, false],
  ])('on %j: %s', (event, expected) => {
    expect(filter.matches(event)).toBe(expected)
  })

  it('requires both when a field stands inside and outside', () => {
    const both = compileFilter({ a: ['1', '2'], $or: [{ a: ['2', '3'] }, { b: [1] }] })
    expect(['1', '2', '3'].map((a) => both.matches({ a }))).toEqual([false, true, false])
    expect(both.matches({ a: '1', b: 1 })).toBe(true)
  })
})

describe('names of every kind', () => {
  it('treats names of the prototype as any other name', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length']) {
      const pattern: unknown = JSON.parse(`{ ${JSON.stringify(name)}: ["x"] }`)
      const filter = compileFilter(pattern)
      expect(filter.matches(JSON.parse(`{ ${JSON.stringify(name)}: "x" }`))).toBe(true)
      expect(filter.matches({})).toBe(false)
      expect(matches(JSON.parse(`{ ${JSON.stringify(name)}: [{ "exists": false }] }`), {})).toBe(true)
      expect(JSON.stringify(filter.pattern)).toBe(JSON.stringify(pattern))
    }
    expect(matches({ a: ['x'] }, Object.create({ a: 'x' }))).toBe(false)
    expect(matches({ constructor: { name: ['Object'] } }, {})).toBe(false)
    expect(matches(JSON.parse('{"__proto__":{"polluted":[true]}}'), {})).toBe(false)
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('keeps its pattern when the caller changes the object', () => {
    const pattern = { a: ['x'] }
    const filter = compileFilter(pattern)
    pattern.a.push('y')
    expect(filter.pattern).toEqual({ a: ['x'] })
    expect(filter.matches({ a: 'y' })).toBe(false)
  })
})

const scalar = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', ''),
  fc.integer({ min: -2, max: 2 }),
  fc.boolean(),
  fc.constant(null),
)

describe('properties', () => {
  it('never throws on any JSON value', () => {
    const filter = compileFilter({
      a: [
        'a',
        { prefix: 'b' },
        { wildcard: '*a*' },
        { numeric: ['>', 0] },
        { cidr: '::/0' },
        { exists: false },
      ],
      b: { c: [{ 'anything-but': { 'equals-ignore-case': 'A' } }] },
      $or: [{ c: ['x'] }, { b: { d: [1] } }],
    })
    fc.assert(fc.property(fc.jsonValue(), (value) => typeof filter.matches(value) === 'boolean'))
  })

  it('anything-but is the negation of the values on every scalar', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1 }), scalar, (names, value) => {
        expect(field({ 'anything-but': names }, value)).toBe(!matches({ a: names }, { a: value }))
      }),
    )
  })

  it('a $or is the same as the patterns that it stands for', () => {
    const leaf = fc.constantFrom('x', 'y', 'z').map((value) => [value])
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'c'), leaf, { minKeys: 1, maxKeys: 2 })
    const branch = fc.dictionary(fc.constantFrom('list', 'other'), object, { minKeys: 1 })
    const choice = fc.array(branch, { minLength: 2, maxLength: 3 })
    const element = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y', 'z'))
    const elements = fc.array(element, { maxLength: 4 })
    fc.assert(
      fc.property(branch, choice, choice, elements, elements, (base, outer, inner, list, other) => {
        const pattern = { ...base, $or: outer.map((one, at) => (at === 0 ? { ...one, $or: inner } : one)) }
        const written = outer.flatMap((one, at) =>
          at === 0 ? inner.map((two) => [base, one, two]) : [[base, one]],
        )
        const holds = (
          parts: readonly Record<string, Record<string, readonly string[]>>[],
          name: string,
          items: typeof list,
        ) => {
          const wanted = parts.flatMap((part) => Object.entries(part[name] ?? {}))
          return (
            wanted.length === 0 || items.some((item) => wanted.every(([key, [value]]) => item[key] === value))
          )
        }
        const expected = written.some((parts) => holds(parts, 'list', list) && holds(parts, 'other', other))
        expect(matches(pattern, { list, other })).toBe(expected)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('properties of lists', () => {
  it('a list of objects matches exactly when one of its elements does', () => {
    const objects = fc.array(fc.record({ x: scalar, y: scalar }, { requiredKeys: [] }), { maxLength: 4 })
    fc.assert(
      fc.property(scalar, scalar, objects, (x, y, items) => {
        const pattern = { x: [x], y: [y] }
        expect(matches({ items: pattern }, { items })).toBe(items.some((item) => matches(pattern, item)))
      }),
    )
  })
})
