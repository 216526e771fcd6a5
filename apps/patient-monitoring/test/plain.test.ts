// The rules and the offline computation agree on all 1,000 stays, before anything runs.
import { expect, test } from 'vitest'
import { recordedReadings, recordings } from '../src/replay/stays.js'
import { type Bed, emptyBed, type Reading, takeAll } from '../src/rules/bed.js'
import { type Arrival, alarmsOf, rowsOf } from './plain.js'

const start = Date.UTC(2026, 0, 1)

/** Readings of beds as they come in: alone, or those of one minute of a bed in one batch. */
async function* arriving(
  arrival: Arrival,
): AsyncGenerator<readonly [bed: string, batch: readonly Reading[]]> {
  let open: { readonly bed: string; readonly batch: Reading[] } | undefined
  for await (const { bed, parameter, value, afterMs } of recordedReadings()) {
    const reading = { parameter, value, takenMs: start + afterMs }
    const isOfIt = arrival === 'minutes' && open?.bed === bed && open.batch[0]?.takenMs === reading.takenMs
    if (open !== undefined && isOfIt) open.batch.push(reading)
    else {
      if (open !== undefined) yield [open.bed, open.batch]
      open = { bed, batch: [reading] }
    }
  }
  if (open !== undefined) yield [open.bed, open.batch]
}

test.each([
  ['each', 8_363],
  ['minutes', 7_331],
] as const)(
  'the alarms of all stays, told %s, are those of the plain computation',
  {
    timeout: 120_000,
  },
  async (arrival, alarms) => {
    const beds = new Map<string, Bed>()
    const raised: string[] = []
    let readings = 0
    for await (const [bed, batch] of arriving(arrival)) {
      readings += batch.length
      for (const told of takeAll(bed, beds.get(bed) ?? emptyBed, batch)) {
        beds.set(bed, told.bed)
        raised.push(...told.raised.map(({ id }) => id))
      }
    }
    expect(readings).toBe(305_611)
    expect(new Set(raised).size).toBe(raised.length)
    expect([...raised].sort()).toEqual([...alarmsOf(rowsOf(recordings, 1_000), start, arrival)].sort())
    expect(raised.length).toBe(alarms)
  },
)
