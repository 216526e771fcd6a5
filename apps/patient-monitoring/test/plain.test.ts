// The rules and the offline computation agree on all 1,000 stays, before anything runs.
import { expect, test } from 'vitest'
import { recordedReadings, recordings } from '../src/replay/stays.js'
import type { Arrival } from '../src/rules/arrival.js'
import { type Bed, emptyBed, type Reading, takeAll } from '../src/rules/bed.js'
import { momentOf } from './demo/statistics.js'
import { type Arrival as Arrived, alarmsOf, rowsOf } from './plain.js'

const start = Date.UTC(2026, 0, 1)

/** Whatever is told of a stay, nothing of it comes too late. */
const inTime = (batch: readonly Reading[]): Arrival => ({
  arrivedMs: batch[0]?.takenMs ?? start,
  ageMsMax: 3_600_000,
})

/** Readings of beds as they come in: alone, or those of one minute of a bed in one batch. */
async function* arriving(
  arrival: Arrived,
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

async function raisedOf(arrival: Arrived, arrivalOf: (batch: readonly Reading[]) => Arrival) {
  const beds = new Map<string, Bed>()
  const raised: string[] = []
  let readings = 0
  for await (const [bed, batch] of arriving(arrival)) {
    readings += batch.length
    for (const told of takeAll(bed, beds.get(bed) ?? emptyBed, batch, arrivalOf(batch))) {
      beds.set(bed, told.bed)
      raised.push(...told.raised.map(({ id }) => id))
    }
  }
  return { raised, readings }
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
    const { raised, readings } = await raisedOf(arrival, inTime)
    expect(readings).toBe(305_611)
    expect(new Set(raised).size).toBe(raised.length)
    expect([...raised].sort()).toEqual([...alarmsOf(rowsOf(recordings, 1_000), start, arrival)].sort())
    expect(raised.length).toBe(alarms)
  },
)

// Of each stay the gateway was cut off from the tenth hour to the thirty-fourth: then all of it comes at once.
const away = { fromMinute: 600, toMinute: 2_040 }
const comesAt = (minute: number) =>
  minute >= away.fromMinute && minute < away.toMinute ? away.toMinute : minute

test.each([
  ['each', 5_420],
  ['minutes', 4_734],
] as const)(
  'so they are where a gateway comes back after a day, told %s: of what is older than an hour by then there is no alarm',
  { timeout: 120_000 },
  async (arrival, alarms) => {
    const minuteMs = 60_000
    const { raised } = await raisedOf(arrival, ([first]) => ({
      arrivedMs: start + comesAt(((first?.takenMs ?? start) - start) / minuteMs) * minuteMs,
      ageMsMax: 60 * minuteMs,
    }))
    const rows = rowsOf(recordings, 1_000).map((row) => ({ ...row, comesMinute: comesAt(row.minute) }))
    expect([...raised].sort()).toEqual([...alarmsOf(rows, start, arrival)].sort())
    const minutes = raised.map((id) => (momentOf(id) - start) / minuteMs)
    expect(minutes.filter((minute) => comesAt(minute) - minute > 60)).toEqual([])
    expect(raised.length).toBe(alarms)
  },
)
