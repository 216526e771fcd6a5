import { expect, it } from 'vitest'
import { Pace } from './pace.js'

it('lets those of one second go at once, and the others one by one', () => {
  const pace = new Pace(10)
  expect(Array.from({ length: 13 }, () => Math.round(pace.turnInMs(0)))).toEqual([
    ...Array(10).fill(0),
    100,
    200,
    300,
  ])
  expect(pace.isIdle(1_200)).toBe(false)
  // Whoever rests gathers no more than one second of them.
  expect(pace.isIdle(1_300)).toBe(true)
  expect(Array.from({ length: 11 }, () => Math.round(pace.turnInMs(60_000)))).toEqual([
    ...Array(10).fill(0),
    100,
  ])
})
