import { expect, test } from 'vitest'
import { placeText, tailPlace } from './place.js'

test.each(['plain', 'a/b', 'ü\u{1f600}', 'a~b', '%41', 'x y'])(
  'the id %s survives the way there and back',
  (id) => {
    const text = placeText('WyJ0YWlsIl0', id)
    expect(text).toMatch(/^[!-~]+$/)
    expect(tailPlace(text)).toEqual({ cursor: 'WyJ0YWlsIl0', eventId: id })
  },
)

test('a cursor alone, and nothing', () => {
  expect(tailPlace(placeText('abc'))).toEqual({ cursor: 'abc', eventId: undefined })
  expect(tailPlace(undefined)).toBeUndefined()
  expect(tailPlace('')).toBeUndefined()
})

test.each(['~x', 'a~', 'a b', 'a~%zz', 'ü', 'a\nb', 'x'.repeat(3_000)])('%j is no place', (text) => {
  expect(() => tailPlace(text)).toThrow(/Last-Event-ID/)
})
