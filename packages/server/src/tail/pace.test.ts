// So many events in each round; who is slow is not sent what is old.
import { expect, test } from 'vitest'
import { Pace } from './pace.js'

const limits = { roundMs: 250, eventsMax: 64 }
const read = { kind: 'read' }

test('a quiet log is read as it comes, round after round', () => {
  const pace = new Pace(limits, 0)
  for (let now = 50; now < 5_000; now += 50) expect(pace.taken(10, false, now)).toEqual(read)
})

test('a burst that a round has room for is sent whole, however full its pages are', () => {
  const pace = new Pace(limits, 1_000)
  expect(pace.taken(32, true, 1_010)).toEqual(read)
  expect(pace.taken(31, false, 1_020)).toEqual(read)
})

test('what is beyond is passed over at the end of the round, and the next one begins there', () => {
  const pace = new Pace(limits, 1_000)
  expect(pace.taken(32, true, 1_010)).toEqual(read)
  expect(pace.taken(32, true, 1_020)).toEqual({ kind: 'pass', afterMs: 230 })
  expect(pace.taken(32, true, 1_260)).toEqual(read)
  expect(pace.taken(32, false, 1_300)).toEqual({ kind: 'pass', afterMs: 200 })
})

test('who took longer than a round for a page, and has more before them, is brought to the end', () => {
  const pace = new Pace(limits, 0)
  expect(pace.taken(32, true, 9_000)).toEqual({ kind: 'pass', afterMs: 0 })
  expect(pace.taken(32, true, 9_010)).toEqual(read)
  // At the end already: nothing is left out.
  expect(pace.taken(3, false, 19_000)).toEqual(read)
})
