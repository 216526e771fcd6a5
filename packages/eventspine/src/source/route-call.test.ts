// What a caller is told of an Idempotency-Key: what is wrong with it, and nothing else.
import { expect, it } from 'vitest'
import { idempotencyHeader, idempotencyKeyOf } from './route-call.js'

const keyOf = (given: string | undefined) => idempotencyKeyOf({ [idempotencyHeader]: given })

it.each([
  [undefined, undefined],
  ['8e03978e-40d5', '8e03978e-40d5'],
  ['"8e03978e-40d5"', '8e03978e-40d5'],
  ['"two words"', 'two words'],
  ['a\\b', 'a\\b'],
  [`"${'x'.repeat(180)}"`, 'x'.repeat(180)],
])('takes %j', (given, key) => {
  expect(keyOf(given)).toBe(key)
})

it.each([
  ['', /: is empty/],
  ['""', /: is empty/],
  ['x'.repeat(181), /has 181 characters, and at most 180 are taken/],
  [`"${'x'.repeat(181)}"`, /has 181 characters/],
  ['two words', /has a space, which only a text in double quotes may have/],
  ['a"b', /has a quote within/],
  ['"a"b"', /has a quote within/],
  ['"a\\b"', /has a backslash between its quotes/],
  ['schlüssel', /has a character that is not printable ASCII/],
  ['"a\tb"', /not printable ASCII/],
])('refuses %j with its reason', (given, message) => {
  expect(() => keyOf(given)).toThrow(
    expect.objectContaining({
      ...{ code: 'REQUEST_INVALID', field: '/headers/idempotency-key' },
      message: expect.stringMatching(message),
    }),
  )
})
