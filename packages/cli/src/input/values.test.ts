import { describe, expect, it } from 'vitest'
import { suggestion } from './suggestion.js'
import { momentOf, numberAbove, wholeNumber } from './values.js'

describe('a moment', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T12:30', '2026-01-31T12:30:00.000Z'],
    ['2026-01-31 12:30:15', '2026-01-31T12:30:15.000Z'],
    ['2026-01-31T12:30:15.250+02:00', '2026-01-31T10:30:15.250Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, iso) => expect(momentOf(text).toISOString()).toBe(iso))

  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['15min', 900_000],
    ['2h', 7_200_000],
    ['3d', 259_200_000],
  ])('%s lies %d ms back', (text, milliseconds) => {
    const before = Date.now()
    const found = momentOf(text).getTime() + milliseconds
    expect(found).toBeGreaterThanOrEqual(before)
    expect(found).toBeLessThanOrEqual(Date.now())
  })

  it.each([
    '',
    'yesterday',
    '2026-02-31',
    '2025-02-29',
    '2026-13-01',
    '2026-01-31T25:00',
    '31.01.2026',
    '1767225600',
    '2w',
    '-1h',
  ])('%j is none', (text) => expect(() => momentOf(text)).toThrow(/2026-01-31T12:00:00Z/))
})

describe('a number', () => {
  it.each(['0', '501', '1.5', '1e2', '-1', '', ' 1', '0x10', 'NaN'])('%j is no limit', (text) => {
    expect(() => wholeNumber(1, 500)(text)).toThrow(/whole number from 1 to 500/)
  })

  it.each(['0', '-1', '1.1', 'Infinity', ''])('%j is no share', (text) => {
    expect(() => numberAbove(0, 1)(text)).toThrow(/above 0, at most 1/)
  })

  it('is read', () => {
    expect(wholeNumber(1, 500)('500')).toBe(500)
    expect(numberAbove(0, 1)('.25')).toBe(0.25)
  })
})

describe('a suggestion', () => {
  it('is the nearest name, or all there are', () => {
    expect(suggestion('validat', ['publish', 'validate'])).toBe('Did you mean "validate"?')
    expect(suggestion('x', ['publish', 'validate'])).toBe('There are: publish, validate.')
    expect(suggestion('x', [])).toBe('There is none yet.')
  })
})
