// The time that is foretold is that of the rate that is chosen.
import { expect, test } from 'vitest'
import { sentWithin } from './sending-time.js'

test('it follows the rate', () => {
  expect(sentWithin(6_009, 50)).toContain('at 50 a second they are sent within about 2 min')
  expect(sentWithin(6_009, 1)).toContain('at 1 a second they are sent within about 2 h')
  expect(sentWithin(10, 0.5)).toContain('at 0.5 a second they are sent within about 20 s')
})

test('while it is being written there is none', () => {
  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(sentWithin(10, rate)).toBe('')
})
