// A page that is refused asks again, ever more slowly, and never later than after half a minute.
import { expect, test } from 'vitest'
import { waitMsAfter } from './following.js'

test('waits grow to half a minute, and chance shortens them by a quarter at most', () => {
  const failures = [1, 2, 3, 4, 5, 6, 7, 50, 5_000]
  expect(failures.map((each) => waitMsAfter(each, 0))).toEqual([
    ...[1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000],
  ])
  expect(failures.map((each) => waitMsAfter(each, 1))).toEqual([
    ...[750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500, 22_500],
  ])
})
