// The wildcard matcher against a naive reference, and on values that make backtracking matchers hang.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FilterError } from './error.js'
import { compileWildcard, wildcardStarsMax } from './wildcard.js'

/** The definition itself: a star takes nothing, or one character and tries again. */
function reference(pattern: string, value: string): boolean {
  if (pattern === '') return value === ''
  if (pattern.startsWith('*')) {
    return reference(pattern.slice(1), value) || (value !== '' && reference(pattern, value.slice(1)))
  }
  const literal = pattern.startsWith('\\') ? pattern.slice(1) : pattern
  return value !== '' && literal[0] === value[0] && reference(literal.slice(1), value.slice(1))
}

const letter = fc.constantFrom('a', 'b')
const literalPart = fc.array(fc.constantFrom('a', 'b', 'a', '\\*', '\\\\'), { maxLength: 5 })
const longPart = fc.array(letter, { minLength: 9, maxLength: 14 })
const pattern = fc
  .array(fc.oneof(literalPart, longPart), { minLength: 1, maxLength: 5 })
  .map((parts) =>
    parts
      .map((part) => part.join(''))
      .join('*')
      .replaceAll(/(?<!\\)\*{2,}/g, '*'),
  )
  .filter((text) => !/(?<!\\)(?:\\\\)*\*\*/.test(text))

describe('wildcard', () => {
  it('agrees with the naive reference on random patterns and values', () => {
    const value = fc
      .array(fc.oneof(letter, fc.constantFrom('*', '\\')), { maxLength: 12 })
      .map((list) => list.join(''))
    fc.assert(
      fc.property(pattern, value, (wildcard, text) => {
        expect(compileWildcard(wildcard, '')(text)).toBe(reference(wildcard, text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('agrees with the naive reference on values made from the pattern', () => {
    const filling = fc.array(fc.array(letter, { maxLength: 3 }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(pattern, filling, fc.boolean(), (wildcard, runs, spoil) => {
        const filled = wildcard.replaceAll(
          /\\(.)|\*/g,
          (_, literal: string | undefined) => literal ?? runs.pop()?.join('') ?? '',
        )
        const text = spoil ? filled.slice(0, -1) : filled
        expect(compileWildcard(wildcard, '')(text)).toBe(reference(wildcard, text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('finds a long part at its first place, as includes does', () => {
    const part = fc.array(letter, { minLength: 9, maxLength: 14 }).map((list) => list.join(''))
    fc.assert(
      fc.property(part, fc.array(fc.nat({ max: 14 }), { maxLength: 8 }), (text, cuts) => {
        const value = cuts.map((cut) => text.slice(0, cut)).join('')
        expect(compileWildcard(`*${text}*`, '')(value)).toBe(value.includes(text))
      }),
      { numRuns: 5_000 },
    )
  })

  it('does not let the parts before and after a star overlap in the value', () => {
    expect(compileWildcard('aba*ba', '')('aba')).toBe(false)
    expect(compileWildcard('ab*ba*ab', '')('abab')).toBe(false)
  })

  it('finishes on values that make a backtracking matcher hang', () => {
    const stars = compileWildcard(`${'*a'.repeat(wildcardStarsMax)}b`, '')
    expect(stars('a'.repeat(100_000))).toBe(false)
    const nearly = compileWildcard(`*${'a'.repeat(20_000)}b*`, '')
    expect(nearly('a'.repeat(100_000))).toBe(false)
    expect(nearly(`${'a'.repeat(100_000)}b`)).toBe(true)
  })

  it.each(['**', 'a**b', 'a\\', 'a\\b', '\\***'])('refuses %j', (wildcard) => {
    expect(() => compileWildcard(wildcard, 'data.name[0].wildcard')).toThrow(FilterError)
  })

  it('takes a star after an escaped one', () => {
    expect(compileWildcard('a\\**', '')('a*anything')).toBe(true)
    expect(compileWildcard('a\\**', '')('aanything')).toBe(false)
  })

  it('bounds the stars of one value', () => {
    expect(() => compileWildcard('*a'.repeat(wildcardStarsMax + 1), '')).toThrow(
      `at most ${wildcardStarsMax}`,
    )
  })
})
