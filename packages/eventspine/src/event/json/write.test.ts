// Values from callers: what is refused, with code and path, and the round trip of all that is accepted.
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonError, type JsonErrorCode, type JsonLimits, parseJson, writeJson } from './index.js'

function refusal(value: unknown, limits?: Partial<JsonLimits>): JsonError {
  try {
    writeJson(value, limits)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error('accepted')
}

function nested(levels: number): unknown {
  let value: unknown = []
  for (let level = 1; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

function cycle(): unknown {
  const order: Record<string, unknown> = { id: 1 }
  order.lines = [{ sku: 'a' }, { sku: 'b', order }]
  return { order }
}

/** A hundred thousand million leaves that take forty objects to hold. */
function shared(): unknown {
  let value: unknown = 'leaf'
  for (let level = 0; level < 40; level += 1) value = [value, value]
  return value
}

class Money {
  readonly amount = 5
}

const object = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]))

const corpus: readonly (readonly [string, unknown, JsonErrorCode, string | undefined, string])[] = [
  ['undefined', undefined, 'JSON_TYPE', '', 'write null'],
  ['undefined in a list', { a: [1, undefined] }, 'JSON_TYPE', '/a/1', 'write null'],
  ['a hole in a list', { a: Object.assign([], { length: 2 }) }, 'JSON_TYPE', '/a/0', 'write null'],
  ['a function', { a: { go: () => 1 } }, 'JSON_TYPE', '/a/go', 'write its result'],
  ['an own toJSON', { a: { toJSON: () => 1 } }, 'JSON_TYPE', '/a/toJSON', 'write its result'],
  ['a symbol', [Symbol('x')], 'JSON_TYPE', '/0', 'write its description'],
  ['a bigint', { total: 1n }, 'JSON_TYPE', '/total', 'write String(value)'],
  ['an invalid Date', { at: new Date('soon') }, 'JSON_TYPE', '/at', 'invalid Date'],
  ['a Map', { a: new Map() }, 'JSON_TYPE', '/a', 'Object.fromEntries(map)'],
  ['a Set', { a: new Set() }, 'JSON_TYPE', '/a', '[...set]'],
  ['a RegExp', { a: /x/ }, 'JSON_TYPE', '/a', 'its source'],
  ['an Error', { a: new TypeError('x') }, 'JSON_TYPE', '/a', 'its message'],
  ['a Promise', { a: Promise.resolve(1) }, 'JSON_TYPE', '/a', 'await it'],
  ['a URL', { a: new URL('http://localhost') }, 'JSON_TYPE', '/a', 'String(url)'],
  ['bytes', { a: new Uint8Array(2) }, 'JSON_TYPE', '/a', 'base64'],
  ['a Buffer', { a: Buffer.from('x') }, 'JSON_TYPE', '/a', 'base64'],
  ['an instance', { price: new Money() }, 'JSON_TYPE', '/price', 'an instance of Money'],
  ['a boxed string', { a: Object('x') }, 'JSON_TYPE', '/a', 'an instance of String'],
  ['NaN', { a: Number.NaN }, 'JSON_NUMBER', '/a', 'no finite double'],
  ['Infinity', [Number.NEGATIVE_INFINITY], 'JSON_NUMBER', '/0', 'no finite double'],
  ['2^53', { id: 2 ** 53 }, 'JSON_NUMBER', '/id', 'send it as a string'],
  ['1e21', { id: 1e21 }, 'JSON_NUMBER', '/id', 'send it as a string'],
  ['a cycle', cycle(), 'JSON_CYCLE', '/order/lines/1/order', 'contains itself'],
  ['65 levels', nested(65), 'JSON_DEPTH', undefined, 'flatten it'],
  ['200,000 levels', nested(200_000), 'JSON_DEPTH', undefined, 'flatten it'],
  ['1,001 keys', { a: object(1_001) }, 'JSON_KEYS', '/a', 'list of entries'],
  ['a large value', ['a'.repeat(131_000), 'a'.repeat(131_144)], 'JSON_SIZE', undefined, 'split it'],
  [
    'a large value in bytes only',
    ['é'.repeat(65_000), 'é'.repeat(65_000), 'é'.repeat(2_000)],
    'JSON_SIZE',
    undefined,
    'split it',
  ],
  ['a list without end', Object.assign([], { length: 1e9 }), 'JSON_SIZE', undefined, 'split it'],
  ['parts shared without end', shared(), 'JSON_SIZE', undefined, 'split it'],
  ['NUL', { a: ['x\0'] }, 'JSON_NUL', '/a/0', 'remove it'],
  ['NUL in a key', { 'a\0': 1 }, 'JSON_NUL', '/a\\u0000', 'remove it'],
  ['NUL after a backslash', ['\\\0'], 'JSON_NUL', '/0', 'remove it'],
  ['half a pair', { a: '\ud83d' }, 'JSON_SURROGATE', '/a', 'between characters'],
  ['the other half', { a: 'x\ude00' }, 'JSON_SURROGATE', '/a', 'between characters'],
  ['half a pair in a key', { '\ud83d': 1 }, 'JSON_SURROGATE', '/\\ud83d', 'between characters'],
  ['an own __proto__', { a: JSON.parse('{"__proto__":1}') }, 'JSON_PROTO', '/a/__proto__', 'rename it'],
  ['constructor.prototype', { constructor: { prototype: 1 } }, 'JSON_PROTO', '/constructor', 'rename it'],
]

describe('refusals', () => {
  it.each(corpus)('%s', (_, value, code, path, advice) => {
    const error = refusal(value)
    expect(error.code).toBe(code)
    if (path !== undefined) expect(error.path).toBe(path)
    expect(error.message).toContain(advice)
    expect(error.message).not.toMatch(/\p{Cc}/u)
  })

  it('a getter that throws, with its error as the cause', () => {
    const cause = new Error('no')
    const value = {
      get a(): never {
        throw cause
      },
    }
    expect(refusal(value)).toMatchObject({ code: 'JSON_TYPE', cause })
  })

  it('respects limits set one by one', () => {
    expect(refusal([[]], { depthLevelsMax: 1 }).code).toBe('JSON_DEPTH')
    expect(refusal({ a: 1, b: 2 }, { objectKeysMax: 1 }).code).toBe('JSON_KEYS')
    expect(refusal('abc', { stringBytesMax: 2 }).code).toBe('JSON_STRING')
    expect(refusal({ a: 'éé' }, { stringBytesMax: 3 })).toMatchObject({ code: 'JSON_STRING', path: '/a' })
    expect(refusal({ abc: 1 }, { stringBytesMax: 2 }).message).toContain('reference')
    expect(writeJson('a'.repeat(400_000), { sizeBytesMax: 500_000 })).toHaveLength(400_002)
    expect(refusal('abc', { sizeBytesMax: 4 }).code).toBe('JSON_SIZE')
    expect(writeJson('abc', { sizeBytesMax: 5, stringBytesMax: 3 })).toBe('"abc"')
  })
})

describe('acceptance', () => {
  it('leaves undefined properties out and writes a Date as its ISO text', () => {
    expect(writeJson({ a: undefined, b: new Date(0), c: null })).toBe(
      '{"b":"1970-01-01T00:00:00.000Z","c":null}',
    )
  })

  it('counts keys as they are written', () => {
    expect(writeJson({ a: undefined, b: 1 }, { objectKeysMax: 1 })).toBe('{"b":1}')
  })

  it('takes objects without a prototype, and those of another realm', () => {
    expect(writeJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}')
    expect(writeJson(runInNewContext('({ a: [1, { b: "x" }] })'))).toBe('{"a":[1,{"b":"x"}]}')
  })

  it('takes the same part twice', () => {
    const address = { city: 'Bern' }
    expect(writeJson({ from: address, to: address })).toBe('{"from":{"city":"Bern"},"to":{"city":"Bern"}}')
  })

  it('takes a backslash before letters that look like an escape', () => {
    for (const text of ['\\u0000', '\\\\u0000', '\\ud83d', 'C:\\udata']) {
      expect(parseJson(writeJson({ [text]: text }))).toEqual({ [text]: text })
    }
  })

  it('takes what is exactly at the limits', () => {
    for (const value of [
      nested(64),
      object(1_000),
      'a'.repeat(262_142),
      [2 ** 53 - 1, -(2 ** 53) + 1, 1e-320],
    ]) {
      expect(parseJson(writeJson(value))).toEqual(value)
    }
  })
})

describe('round trip', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 })
  const anything = fc.anything({
    maxDepth: 4,
    key: fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'prototype', 'toJSON')),
    values: [
      fc.string(),
      text,
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
      fc.bigInt(),
    ],
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
    withBoxedValues: true,
  })

  it('what writeJson accepts, parseJson reads back the same; the rest is a JsonError', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.oneof(anything, fc.jsonValue({ stringUnit: 'binary' }), fc.object()), (value) => {
        let written: string
        try {
          written = writeJson(value)
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError)
          return
        }
        accepted += 1
        expect(written).toBe(JSON.stringify(value))
        expect(JSON.stringify(parseJson(written))).toBe(written)
      }),
      { numRuns: 2_000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  it('what parseJson accepts, writeJson writes the same', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (source) => {
        let value: unknown
        try {
          value = parseJson(source)
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError)
          expect((error as JsonError).code).not.toBe('JSON_INVALID')
          expect(() => writeJson(JSON.parse(source))).toThrow(JsonError)
          return
        }
        expect(writeJson(value)).toBe(JSON.stringify(JSON.parse(source)))
        expect(parseJson(writeJson(value))).toEqual(parseJson(writeJson(parseJson(writeJson(value)))))
      }),
      { numRuns: 2_000 },
    )
  })
})
