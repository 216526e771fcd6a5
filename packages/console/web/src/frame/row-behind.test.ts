// Going from row to row never leaps away from what is looked at.
import { expect, test } from 'vitest'
import { rowBehind, type Spot } from './row-behind.js'

/** `.` out of sight, `o` in sight, `-` cut by the edge; a capital `O` and `X` have the focus in and out of sight. */
const rows = (drawn: string): Spot[] =>
  [...drawn].map((each) => ({
    ...{ chosen: 'OX'.includes(each), inSight: 'oO-'.includes(each), whole: 'oO'.includes(each) },
  }))

test('to the next and to the one before, and no further than the ends', () => {
  expect(rowBehind(rows('oOo'), 1)).toBe(2)
  expect(rowBehind(rows('oOo'), -1)).toBe(0)
  expect(rowBehind(rows('ooO'), 1)).toBe(2)
  expect(rowBehind(rows('Ooo'), -1)).toBe(0)
  // The next may have to be scrolled to.
  expect(rowBehind(rows('.ooO..'), 1)).toBe(4)
})

test('where none has the focus, or it was scrolled away, begins with what is seen', () => {
  expect(rowBehind(rows('..-ooo-..'), 1)).toBe(3)
  expect(rowBehind(rows('..-ooo-..'), -1)).toBe(5)
  expect(rowBehind(rows('X.-ooo-..'), 1)).toBe(3)
  expect(rowBehind(rows('...'), 1)).toBe(0)
  expect(rowBehind([], 1)).toBe(0)
})
