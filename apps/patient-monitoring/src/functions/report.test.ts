// The hours of a shift, where clocks are put forward and back.
import { expect, test } from 'vitest'
import { shiftEnds } from './report.js'

const shift = async (at: string, timeZone: string) => {
  const { from, to } = (await shiftEnds(timeZone).data({
    ...{ schedule: 'shift-end', at: new Date(at), missed: false },
  })) as { from: string; to: string }
  expect(to).toBe(new Date(at).toISOString())
  return from
}

test('a shift begins where the one before it has ended, in spring, in autumn and on any other day', async () => {
  expect(await shift('2026-07-01T13:00:00Z', 'Europe/London')).toBe('2026-07-01T05:00:00.000Z')
  expect(await shift('2026-07-01T05:00:00Z', 'Europe/London')).toBe('2026-06-30T21:00:00.000Z')
  // The night in which clocks are put forward has seven hours, that in which they are put back nine.
  expect(await shift('2026-03-29T05:00:00Z', 'Europe/London')).toBe('2026-03-28T22:00:00.000Z')
  expect(await shift('2026-10-25T06:00:00Z', 'Europe/London')).toBe('2026-10-24T21:00:00.000Z')
  // By half an hour.
  expect(await shift('2026-04-04T19:30:00Z', 'Australia/Lord_Howe')).toBe('2026-04-04T11:00:00.000Z')
  // And where they are not.
  expect(await shift('2026-10-25T06:00:00Z', 'UTC')).toBe('2026-10-24T22:00:00.000Z')
})
