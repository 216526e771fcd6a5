// A stream that is told in parts implies the alarms that it implies as a whole.
import { expect, test } from 'vitest'
import { pointsOf } from './alarms.js'
import { type Plan, readStays } from './stream.js'

const startMs = Date.UTC(2026, 0, 3)
const pauseMs = 700
const beds = 40
const whole: Plan = { name: 'a', beds, seconds: 8, eventsPerSecond: 40, each: 'bed', staySeconds: 60 }

test('what one part says of a bed goes on in the next, with the time that passed between them', async () => {
  const stays = await readStays()
  const timesOf = (...told: Parameters<typeof pointsOf>[0]) =>
    pointsOf(told, stays, []).map(({ atMs }) => atMs - startMs)
  const halfMs = 4_000
  const first = { plan: { ...whole, seconds: 4 }, startMs }
  const second = { ...first.plan, fromMs: halfMs }
  const all = timesOf({ plan: whole, startMs })
  expect(all.filter((ms) => ms >= halfMs).length).toBeGreaterThan(5)
  expect(timesOf(first, { plan: second, startMs: startMs + halfMs })).toEqual(all)
  expect(timesOf(first, { plan: second, startMs: startMs + halfMs + pauseMs })).toEqual(
    all.map((ms) => (ms < halfMs ? ms : ms + pauseMs)),
  )
  // Without the first all beds would be found as they are.
  expect(timesOf({ plan: second, startMs: startMs + halfMs }).length).toBeGreaterThan(
    all.filter((ms) => ms >= halfMs).length,
  )
})
