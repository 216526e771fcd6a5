// The bedside monitors of `npm run ward`, stopped and started again on the same data: the recording goes on where it was, and nobody is told
// that a bed is silent.
import { expect, test, vi } from 'vitest'
import { freePort } from '../../../test/mosquitto.js'
import { afterTest, until } from '../../../test/spine.js'
import { Bedside } from '../src/replay/bedside.js'
import { course, placeOf } from '../src/replay/course.js'
import { inOrderOfTime } from '../src/replay/stays.js'
import { Stage } from './stage.js'

vi.setConfig({ testTimeout: 90_000 })

const hourMs = 3_600_000
const stayMs = 48 * hourMs
const beds = 2

test('two days are told as they were, then what comes is of now; nothing is of the future, and nothing goes back', async () => {
  const recorded = await inOrderOfTime(beds)
  const nowMs = Date.UTC(2026, 0, 3)
  const place = { fromMs: nowMs - stayMs, positionMs: 0 }
  const told: { readonly takenMs: number; readonly dueMs: number }[] = []
  for (const due of course(recorded, place, nowMs, 360)) {
    told.push(due)
    if (told.length === 3 * recorded.length) break
  }
  expect(told.filter(({ takenMs, dueMs }) => takenMs > dueMs)).toEqual([])
  expect(told.filter(({ takenMs }, index) => takenMs < (told[index - 1]?.takenMs ?? 0))).toEqual([])
  const first = told.slice(0, recorded.length)
  expect(first.map(({ takenMs }) => takenMs - place.fromMs)).toEqual(recorded.map(({ afterMs }) => afterMs))
  expect(told.at(-1)?.takenMs).toBe(told.at(-1)?.dueMs)
  expect([...course([], place, nowMs, 360)]).toEqual([])
})

test('monitors that are started again go on where they stopped, and a bed is not silent', async () => {
  const port = await freePort()
  const stage = await Stage.start(
    { devices: { port }, readingAgeMsMax: 49 * hourMs, silentMs: hourMs },
    { sources: true },
  )
  const { keys, database } = stage.ward
  const bedside = () => {
    const made = new Bedside({
      ...{ url: `mqtt://127.0.0.1:${port}`, keys, database, ward: 'icu', beds, speed: 20_000 },
    })
    afterTest(() => made.stop())
    return made
  }
  const inLog = async () =>
    await stage.sql<{ bed: string; parameter: string; value: number; takenAt: string }>(
      `SELECT data ->> 'bed' AS bed, reading ->> 'parameter' AS parameter, (reading ->> 'value')::float8 AS value,
         reading ->> 'takenAt' AS "takenAt"
       FROM eventspine.event, json_array_elements(data -> 'readings') AS reading
       WHERE type = 'ward.readings-taken' ORDER BY epoch, xid, seq`,
    )
  const untilTold = (readings: number) => until(async () => (await inLog()).length >= readings, 30_000)
  const settled = () =>
    until(async () =>
      (await stage.spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0),
    )
  for (const readings of [100, 250]) {
    const one = bedside()
    one.start()
    await untilTold(readings)
    await one.stop()
    await settled()
  }
  const told = await inLog()
  const recorded = await inOrderOfTime(beds)
  for (const bed of new Set(recorded.map((each) => each.bed))) {
    const of = told.filter((each) => each.bed === bed)
    const wanted = recorded.filter((each) => each.bed === bed).slice(0, of.length)
    expect(of.map(({ parameter, value }) => [parameter, value])).toEqual(
      wanted.map(({ parameter, value }) => [parameter, value]),
    )
    expect(of.map(({ takenAt }) => takenAt)).toEqual(of.map(({ takenAt }) => takenAt).toSorted())
  }
  expect(await stage.events('device-silent')).toEqual([])
  const newestMs = Math.max(...told.map(({ takenAt }) => Date.parse(takenAt)))
  expect((await placeOf(database, recorded, Date.now())).fromMs).toBe(newestMs)
  expect((await placeOf(database, recorded, newestMs + stayMs + 1)).positionMs).toBe(0)
})
