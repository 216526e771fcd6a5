// The axes of the patient page.
import { expect, test } from 'vitest'
import { extent } from '../web/bed/scale.js'

test('a tenth of air lies around the values, or half around one alone', () => {
  expect(extent([60, 80], [0, 300])).toEqual({ low: 58, high: 82 })
  expect(extent([80], [0, 300])).toEqual({ low: 76, high: 84 })
  expect(extent([0.4], [0, 1])).toEqual({ low: 0, high: 0.9 })
})

test('no axis goes beyond what there can be', () => {
  expect(extent([91, 100], [30, 100])).toEqual({ low: 90.1, high: 100 })
  expect(extent([100], [30, 100])).toEqual({ low: 95, high: 100 })
  expect(extent([0, 40], [0, 300])).toEqual({ low: 0, high: 44 })
  expect(extent([0], [0, 20])).toEqual({ low: 0, high: 0.5 })
  expect(extent([], [3, 15])).toEqual({ low: 3, high: 15 })
})
