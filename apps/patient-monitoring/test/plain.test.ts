// The rules and the offline computation agree on all 1,000 stays, before anything runs.
import { expect, test } from 'vitest'
import { recordedReadings, recordings } from '../src/replay/stays.js'
import { type Bed, emptyBed, take } from '../src/rules/bed.js'
import { alarmsOf, rowsOf } from './plain.js'

const start = Date.UTC(2026, 0, 1)

test('the alarms of all stays are those of the plain computation', { timeout: 120_000 }, async () => {
  const beds = new Map<string, Bed>()
  const raised: string[] = []
  let readings = 0
  for await (const { bed, parameter, value, afterMs } of recordedReadings()) {
    const told = take(bed, beds.get(bed) ?? emptyBed, { parameter, value, takenMs: start + afterMs })
    beds.set(bed, told.bed)
    raised.push(...told.raised.map(({ id }) => id))
    readings += 1
  }
  expect(readings).toBe(305_611)
  expect(raised.length).toBe(8_080)
  expect(new Set(raised).size).toBe(raised.length)
  expect([...raised].sort()).toEqual([...alarmsOf(rowsOf(recordings, 1_000), start)].sort())
})
