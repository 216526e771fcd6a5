// What no command line of verify/ takes: nothing to check, half a number, and a name that is not there beside one that is.
import { expect, test } from 'vitest'
import { checkNames, secondsOf, seedOf, wholeOf } from './options.js'

test.each(['', ' ', '0', '-1', '1.5', 'abc', '1e3', '0x10', '99999999999999999999'])(
  'a whole number is not %j',
  (text) => {
    expect(() => wholeOf('schedules', text)).toThrow(/--schedules takes a whole number from 1/)
  },
)

test('a whole number is what is written', () => {
  expect(wholeOf('schedules', '20000')).toBe(20_000)
  expect(wholeOf('kills', '0', 0)).toBe(0)
})

test.each(['', '0', '-1', 'abc', 'Infinity'])('a time is not %j', (text) => {
  expect(() => secondsOf('seconds', text)).toThrow(/--seconds takes a number above 0/)
})

test('a seed is taken as it is, and made up where there is none', () => {
  expect(seedOf('0')).toBe(0)
  expect(() => seedOf('zzz')).toThrow(/--seed/)
  expect(Number.isSafeInteger(seedOf(undefined))).toBe(true)
})

test('a name that is unknown is refused beside one that is known', () => {
  expect(() => checkNames('only', ['a', 'nonsense'], ['a', 'b'])).toThrow('--only nonsense: there are a, b')
  expect(() => checkNames('only', ['a', 'b'], ['a', 'b'])).not.toThrow()
})
