// The bedside monitors of `npm run ward`, stopped and started again on the same data: the recording goes on where it was, and nobody is told
// that a bed is silent.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
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

class Recording {
  readonly stage: Stage
  readonly #port: number

  private constructor(stage: Stage, port: number) {
    this.stage = stage
    this.#port = port
  }

  static async start(): Promise<Recording> {
    const port = await freePort()
    const stage = await Stage.start(
      { devices: { port }, readingAgeMsMax: 49 * hourMs, silentMs: hourMs },
      { sources: true },
    )
    return new Recording(stage, port)
  }

  /** Monitors of it, started. */
  monitors(): Bedside {
    const { ward, spine } = this.stage
    const { keys, database } = ward
    const made = new Bedside({
      ...{ url: `mqtt://127.0.0.1:${this.#port}`, keys, database, spine, ward: 'icu', beds, speed: 20_000 },
    })
    afterTest(() => made.stop())
    made.start()
    return made
  }

  async inLog() {
    return this.stage.sql<{ bed: string; parameter: string; value: number; takenAt: string }>(
      `SELECT data ->> 'bed' AS bed, reading ->> 'parameter' AS parameter, (reading ->> 'value')::float8 AS value,
         reading ->> 'takenAt' AS "takenAt"
       FROM eventspine.event, json_array_elements(data -> 'readings') AS reading
       WHERE type = 'ward.readings-taken' ORDER BY epoch, xid, seq`,
    )
  }

  untilTold(readings: number): Promise<unknown> {
    return until(async () => (await this.inLog()).length >= readings, 30_000)
  }

  settled(): Promise<unknown> {
    return until(async () =>
      (await this.stage.spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0),
    )
  }
}

test.each(['is worked off', 'waits'])(
  'monitors that are started again go on where they stopped, while what they told %s, and a bed is not silent',
  async (before) => {
    const recording = await Recording.start()
    const { stage } = recording
    const operator = stage.spine.operator()
    if (before === 'waits') await operator.pause('qualify', 'test')
    for (const readings of [100, 250]) {
      const monitors = recording.monitors()
      await recording.untilTold(readings)
      await monitors.stop()
      if (before !== 'waits') await recording.settled()
    }
    if (before === 'waits') await operator.resume('qualify', 'test')
    await recording.settled()
    const told = await recording.inLog()
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
    const from = { database: stage.ward.database, spine: stage.spine }
    expect((await placeOf(from, recorded, Date.now())).fromMs).toBe(newestMs)
    expect((await placeOf(from, recorded, newestMs + stayMs + 1)).positionMs).toBe(0)
  },
)

test('monitors whose last words nobody takes say goodbye all the same, and what was not taken is told by the next', async () => {
  const recording = await Recording.start()
  const { stage } = recording
  const first = recording.monitors()
  await recording.untilTold(50)
  const client = new pg.Client({ connectionString: stage.url })
  await client.connect()
  afterTest(() => client.end())
  await client.query('BEGIN')
  await client.query('LOCK TABLE eventspine.event IN EXCLUSIVE MODE')
  const before = (await recording.inLog()).length
  // Longer than one reading takes: there are words under way.
  await sleep(1_000)
  await first.stop()
  await client.query('ROLLBACK')
  const second = recording.monitors()
  await recording.untilTold(before + 100)
  await second.stop()
  await recording.settled()
  expect(await stage.events('device-silent')).toEqual([])
})
