// Texts from outside: a corpus of bad inputs, each with its code and place, and agreement with JSON.parse on the rest.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonError, type JsonErrorCode, type JsonLimits, jsonLimitsDefault, parseJson } from './index.js'

function refusal(text: string | Uint8Array, limits?: Partial<JsonLimits>): JsonError {
  try {
    parseJson(text, limits)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error('accepted')
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const keys = (count: number): string =>
  `{${Array.from({ length: count }, (_, at) => `"k${at}":${at}`).join()}}`
const levels = (count: number): string => '['.repeat(count) + ']'.repeat(count)

const corpus: readonly (readonly [
  string | Uint8Array,
  JsonErrorCode,
  string | undefined,
  number | undefined,
])[] = [
  ['', 'JSON_INVALID', '', 0],
  ['  ', 'JSON_INVALID', '', 2],
  ['{', 'JSON_INVALID', '', 1],
  ['[', 'JSON_INVALID', '/0', 1],
  ['[1', 'JSON_INVALID', '/0', 2],
  ['[1,]', 'JSON_INVALID', '/1', 3],
  ['[,1]', 'JSON_INVALID', '/0', 1],
  ['[1 2]', 'JSON_INVALID', '/0', 3],
  ['[1}', 'JSON_INVALID', '/0', 2],
  ['{"a"}', 'JSON_INVALID', '/a', 4],
  ['{"a":}', 'JSON_INVALID', '/a', 5],
  ['{"a":1,}', 'JSON_INVALID', '', 7],
  ['{"a":1]', 'JSON_INVALID', '/a', 6],
  ['{a:1}', 'JSON_INVALID', '', 1],
  ["{'a':1}", 'JSON_INVALID', '', 1],
  ['{"a":{"b":[0,tru]}}', 'JSON_INVALID', '/a/b/1', 13],
  ['nul', 'JSON_INVALID', '', 0],
  ['undefined', 'JSON_INVALID', '', 0],
  ['NaN', 'JSON_INVALID', '', 0],
  ['-Infinity', 'JSON_INVALID', '', 0],
  ['{} {}', 'JSON_INVALID', '', 3],
  ['1 // comment', 'JSON_INVALID', '', 2],
  ['01', 'JSON_INVALID', '', 0],
  ['-', 'JSON_INVALID', '', 0],
  ['+1', 'JSON_INVALID', '', 0],
  ['1.', 'JSON_INVALID', '', 0],
  ['.5', 'JSON_INVALID', '', 0],
  ['1e', 'JSON_INVALID', '', 0],
  ['1e+', 'JSON_INVALID', '', 0],
  ['0x10', 'JSON_INVALID', '', 1],
  ['"a', 'JSON_INVALID', '', 2],
  ['"a\n"', 'JSON_INVALID', '', 2],
  ['"\\', 'JSON_INVALID', '', 1],
  ['"\\x41"', 'JSON_INVALID', '', 1],
  ['"\\u12"', 'JSON_INVALID', '', 1],
  ['"\\u12g4"', 'JSON_INVALID', '', 1],
  ['\u00a01', 'JSON_INVALID', '', 0],
  ['1\0', 'JSON_INVALID', '', 1],
  ['{"a":1}\u{1f600}', 'JSON_INVALID', '', 7],
  ['\ufeff{}', 'JSON_ENCODING', undefined, 0],
  [bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d), 'JSON_ENCODING', undefined, 0],
  [bytes(0xff, 0xfe, 0x31, 0x00), 'JSON_ENCODING', undefined, 0],
  [bytes(0x22, 0x61, 0xc0, 0x80, 0x22), 'JSON_ENCODING', undefined, 2],
  [bytes(0x22, 0xed, 0xa0, 0x80, 0x22), 'JSON_ENCODING', undefined, 2],
  [bytes(0x22, 0xe2, 0x82), 'JSON_ENCODING', undefined, 2],
  [bytes(0x7b, 0x00, 0x7d, 0x00), 'JSON_INVALID', '', 1],
  [levels(65), 'JSON_DEPTH', `${'/0'.repeat(64)}`, 64],
  ['{"a":'.repeat(65), 'JSON_DEPTH', '/a'.repeat(64), 320],
  ['['.repeat(200_000), 'JSON_DEPTH', '/0'.repeat(64), 64],
  [keys(1_001), 'JSON_KEYS', '', 10781],
  [`[${keys(1_001)}]`, 'JSON_KEYS', '/0', 10782],
  [`"${'a'.repeat(262_143)}"`, 'JSON_SIZE', undefined, undefined],
  [utf8(`"${'a'.repeat(262_143)}"`), 'JSON_SIZE', undefined, undefined],
  [`[${'"é",'.repeat(60_000)}1]`, 'JSON_SIZE', undefined, undefined],
  ['{"a":["\0"]}', 'JSON_NUL', '/a/0', 7],
  ['{"a":"b\\u0000"}', 'JSON_NUL', '/a', 7],
  ['{"\\u0000":1}', 'JSON_NUL', '', 2],
  ['"\\\\\\u0000"', 'JSON_NUL', '', 3],
  ['"\ud83d"', 'JSON_SURROGATE', '', 1],
  ['"\ude00"', 'JSON_SURROGATE', '', 1],
  ['"\\ud83d"', 'JSON_SURROGATE', '', 1],
  ['"\\uDE00x"', 'JSON_SURROGATE', '', 1],
  ['"\\ud83dx\\ude00"', 'JSON_SURROGATE', '', 1],
  ['"\\ude00\\ud83d"', 'JSON_SURROGATE', '', 1],
  ['"\\ud83d\\ud83d\\ude00"', 'JSON_SURROGATE', '', 1],
  ['{"\\ud800":1}', 'JSON_SURROGATE', '', 2],
  ['{"__proto__":1}', 'JSON_PROTO', '/__proto__', 1],
  ['{"a":[{"\\u005f_proto__":{}}]}', 'JSON_PROTO', '/a/0/__proto__', 7],
  ['{"constructor":{"prototype":{}}}', 'JSON_PROTO', '/constructor/prototype', 16],
  ['{"constructor":{"a":1,"prototyp\\u0065":1}}', 'JSON_PROTO', '/constructor/prototype', 22],
  ['{"a":1,"b":2,"a":3}', 'JSON_DUPLICATE_KEY', '/a', 13],
  ['{"a":1,"\\u0061":2}', 'JSON_DUPLICATE_KEY', '/a', 7],
  ['{"x":{"":1,"":2}}', 'JSON_DUPLICATE_KEY', '/x/', 11],
  [`${keys(20).slice(0, -1)},"k0":0}`, 'JSON_DUPLICATE_KEY', '/k0', 161],
  [`${keys(500).slice(0, -1)},"k123":0}`, 'JSON_DUPLICATE_KEY', '/k123', 5281],
  ['9007199254740992', 'JSON_NUMBER', '', 0],
  ['{"id":[-9007199254740993]}', 'JSON_NUMBER', '/id/0', 7],
  ['9007199254740993.0', 'JSON_NUMBER', '', 0],
  ['12345678901234567890', 'JSON_NUMBER', '', 0],
  ['1e16', 'JSON_NUMBER', '', 0],
  ['1e400', 'JSON_NUMBER', '', 0],
  ['-1E400', 'JSON_NUMBER', '', 0],
  ['1e-400', 'JSON_NUMBER', '', 0],
  [`1${'0'.repeat(400)}`, 'JSON_NUMBER', '', 0],
]

describe('bad input', () => {
  it.each(corpus.map((entry) => [brief(entry[0]), ...entry] as const))(
    '%s: %#',
    (_, text, code, path, offset) => {
      const error = refusal(text)
      expect({ code: error.code, path: error.path, offset: error.offset }).toEqual({ code, path, offset })
      expect(error.message).toMatch(/; |should stand/)
      expect(error.message.length).toBeLessThan(700)
      if (typeof text === 'string' && text.isWellFormed()) expect(refusal(utf8(text)).code).toBe(code)
    },
  )

  it('keeps control characters and long keys of the payload out of its words', () => {
    const error = refusal(`{"a\\n\\u001b\\u2028b~/":{"${'k'.repeat(5_000)}":tru}}`)
    expect(error.path).toMatch(/^\/a\\u000a\\u001b\\u2028b~0~1\/k+…$/)
    expect(error.message).not.toMatch(/[\p{Cc}\u2028]/u)
    expect(refusal('[\u001b]').message).not.toMatch(/\p{Cc}/u)
    expect(refusal('[\ud800]').message.isWellFormed()).toBe(true)
  })
})

describe('limits', () => {
  it('accept what is exactly at them', () => {
    expect(parseJson(levels(64))).toBeDefined()
    expect(parseJson(keys(1_000))).toHaveProperty('k999', 999)
    expect(parseJson(`"${'a'.repeat(262_142)}"`)).toHaveLength(262_142)
    expect(parseJson(`"${'\\u0061'.repeat(43_000)}"`)).toHaveLength(43_000)
    expect(parseJson(`"${'é'.repeat(65_536)}"`)).toHaveLength(65_536)
    expect(parseJson(`[1${' '.repeat(jsonLimitsDefault.sizeBytesMax - 3)}]`)).toEqual([1])
    expect(parseJson('[9007199254740991,-9007199254740991,1e15,0e400,1e-320]')).toBeDefined()
    expect(Object.is(parseJson('-0'), -0)).toBe(true)
  })

  it('can be set one by one', () => {
    expect(refusal('[[]]', { depthLevelsMax: 1 }).code).toBe('JSON_DEPTH')
    expect(refusal('{"a":1,"b":2}', { objectKeysMax: 1 }).code).toBe('JSON_KEYS')
    expect(refusal('"abc"', { stringBytesMax: 2 }).code).toBe('JSON_STRING')
    expect(refusal('["abc"]', { stringBytesMax: 2 })).toMatchObject({ path: '/0', offset: 1 })
    expect(refusal('{"abc":1}', { stringBytesMax: 2 })).toMatchObject({ path: '', offset: 1 })
    expect(refusal('"éé"', { stringBytesMax: 3 })).toMatchObject({ code: 'JSON_STRING', path: '', offset: 0 })
    expect(parseJson(`"${'a'.repeat(400_000)}"`, { sizeBytesMax: 500_000 })).toHaveLength(400_000)
    expect(refusal('"abc"', { sizeBytesMax: 4 }).code).toBe('JSON_SIZE')
    expect(parseJson('"abc"', { sizeBytesMax: 5, stringBytesMax: 3 })).toBe('abc')
    expect(parseJson('"\\u00e9"', { stringBytesMax: 2 })).toBe('é')
    expect(parseJson(levels(1_000), { depthLevelsMax: 1_000 })).toBeDefined()
  })

  it('leave harmless neighbours of what is refused alone', () => {
    const text =
      '{"constructor":{"name":"x"},"prototype":1,"proto":{"constructor":[{"prototype":1}]},"a\\\\u0000":"\\\\ud800"}'
    expect(parseJson(text)).toEqual(JSON.parse(text))
    expect(parseJson('["\\ud83d\\ude00","\\ud83d\ude00","\ud83d\\ude00","\u{1f600}"]')).toEqual(
      Array.from({ length: 4 }, () => '\u{1f600}'),
    )
    expect(parseJson('[{"a":1},{"a":1}]')).toEqual([{ a: 1 }, { a: 1 }])
  })
})

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return parsed
  }
}
const judged = (text: string): unknown => {
  try {
    return parseJson(text)
  } catch (error) {
    return error instanceof JsonError ? error.code : error
  }
}

describe('agreement with JSON.parse', () => {
  it('on every valid text, spaced in any way, as text and as bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t', '\n '), (value, space) => {
        const text = JSON.stringify(value, undefined, space)
        if (/\\u0000|\\ud|__proto__|prototype|e\+|\d{16}/.test(text)) return
        expect(parseJson(text)).toEqual(JSON.parse(text))
        expect(parseJson(utf8(text))).toEqual(JSON.parse(text))
      }),
      { numRuns: 1_000 },
    )
  })

  it('on texts spoilt in one place', () => {
    const sign = fc.constantFrom(...'{}[]",:\\/0123456789.eE+-tfn \n\u0001u')
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.nat({ max: 2 }),
        sign,
        (text, place, cut, inserted) => {
          const at = place % (text.length + 1)
          const spoilt = text.slice(0, at) + inserted + text.slice(at + cut)
          const expected = parsed(spoilt)
          const actual = judged(spoilt)
          if (actual === 'JSON_INVALID') expect(expected).toBe(parsed)
          else if (expected === parsed) expect(actual).toMatch(/^JSON_/)
          else if (typeof actual !== 'string' || !actual.startsWith('JSON_')) expect(actual).toEqual(expected)
        },
      ),
      { numRuns: 5_000 },
    )
  })

  it('on texts of random signs', () => {
    const sign = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '1',
      '0',
      '-',
      '.',
      'e',
      'true',
      'null',
      '"a"',
      '"b"',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 12 }), (signs) => {
        const text = signs.join('')
        const actual = judged(text)
        if (actual === 'JSON_INVALID') expect(parsed(text)).toBe(parsed)
        else if (actual !== 'JSON_DUPLICATE_KEY' && actual !== 'JSON_NUMBER')
          expect(actual).toEqual(parsed(text))
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('exactness', () => {
  it('refuses a string exactly when it holds NUL or half a pair, however it is written', () => {
    const unit = fc.constantFrom(
      0,
      0x41,
      0x5c,
      0x22,
      0x2f,
      0xd83d,
      0xd800,
      0xde00,
      0xdfff,
      0xe9,
      0xe000,
      0xffff,
    )
    const written = fc.tuple(unit, fc.boolean())
    fc.assert(
      fc.property(fc.array(written, { maxLength: 8 }), (units) => {
        const value = String.fromCharCode(...units.map(([code]) => code))
        const raw = (code: number) =>
          code === 0x5c || code === 0x22 ? `\\${String.fromCharCode(code)}` : String.fromCharCode(code)
        const text = units
          .map(([code, isRaw]) => (isRaw ? raw(code) : `\\u${code.toString(16).padStart(4, '0')}`))
          .join('')
        const fits = !value.includes('\0') && value.isWellFormed()
        const actual = judged(`"${text}"`)
        if (fits) expect(actual).toBe(value)
        else expect(actual).toMatch(/^JSON_(NUL|SURROGATE)$/)
      }),
      { numRuns: 3_000 },
    )
  })

  it('accepts a number exactly when a double keeps it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double(), fc.maxSafeInteger(), fc.bigInt(-(2n ** 54n), 2n ** 54n)),
        (number) => {
          const value = Number(String(number))
          const keeps = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
          const isWritten = typeof number === 'bigint' || Number.isFinite(value)
          if (isWritten) expect(judged(String(number))).toBe(keeps ? value : 'JSON_NUMBER')
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

function brief(text: string | Uint8Array): string {
  const shown = typeof text === 'string' ? JSON.stringify(text) : `bytes ${text.subarray(0, 8).join(' ')}`
  return shown.length > 40 ? `${shown.slice(0, 40)}…` : shown
}
