// Recorded stays through the whole ward: devices by mosquitto, a worker that is killed on the way, phones at a push service. The alarms
// are those of the plain computation over the same file, each is raised once, and each reaches the phone of who is on duty.
import mqtt from 'mqtt'
import { describe, expect, test, vi } from 'vitest'
import { Mosquitto, missing } from '../../../test/mosquitto.js'
import { afterTest, until, WorkerProcess } from '../../../test/spine.js'
import { inOrderOfTime, recordings } from '../src/replay/stays.js'
import { alarmsOf, rowsOf } from './plain.js'
import { Stage } from './stage.js'

vi.setConfig({ testTimeout: 300_000 })

const staysMax = 10
const kills = 2

describe.skipIf(missing)('recorded stays', () => {
  test('raise the alarms that they imply, once each, and each is pushed, while their worker is killed', async () => {
    const broker = await Mosquitto.start()
    // It says who is on duty, and looks; what works is another process.
    const stage = await Stage.start({}, { work: false })
    const worker = () =>
      new WorkerProcess(new URL('./worker.ts', import.meta.url), {
        DATABASE_URL: stage.url,
        WARD_BROKER: broker.url,
        WARD_PUSH_ORIGIN: stage.push.origin,
      })
    let one = worker()
    await one.says('connected')
    await stage.onDuty({ ann: { 'ann-1': [] } })
    // So that the last reading is of now.
    const admittedMs = Math.floor(Date.now() / 60_000) * 60_000 - 48 * 3_600_000
    const readings = await inOrderOfTime(staysMax)
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
    afterTest(() => client.endAsync(true))
    const taken = async () =>
      (
        await stage.sql<{ count: number }>(
          `SELECT count(*)::int AS count FROM eventspine.event WHERE type = 'ward.readings-taken'`,
        )
      )[0]?.count ?? 0
    for (let part = 0; part < kills + 1; part += 1) {
      const from = Math.floor((readings.length * part) / (kills + 1))
      const to = Math.floor((readings.length * (part + 1)) / (kills + 1))
      const before = await taken()
      const publishing = Promise.all(
        readings.slice(from, to).map(({ bed, parameter, value, afterMs }, index) =>
          client.publishAsync(
            `ward/icu/bed/${bed}/${parameter}`,
            JSON.stringify({
              value,
              takenAt: new Date(admittedMs + afterMs).toISOString(),
              id: String(from + index),
            }),
            { qos: 1 },
          ),
        ),
      )
      if (part < kills) {
        await until(async () => (await taken()) > before + (to - from) / 4, 120_000)
        await one.kill()
        one = worker()
      }
      await publishing
    }
    await until(async () => (await taken()) === readings.length, 120_000)
    const wanted = [...alarmsOf(rowsOf(recordings, staysMax), admittedMs)].sort()
    expect(wanted.length).toBeGreaterThan(50)
    await until(async () => {
      const all = await stage.spine.operator().subscriptions()
      const urgent = all.filter(({ name }) => name === 'qualify' || name === 'push')
      return urgent.every(({ lagEvents, retrying }) => lagEvents === 0 && retrying === 0)
    }, 120_000)
    expect((await stage.spine.operator().deadLetters()).items.map(({ failure }) => failure.message)).toEqual(
      [],
    )
    const raised = await stage.sql<{ id: string }>(
      `SELECT data ->> 'id' AS id FROM eventspine.event WHERE type = 'ward.alarm-raised'`,
    )
    expect(raised.map(({ id }) => id).sort()).toEqual(wanted)
    const pushed = () => [...new Set(stage.push.received.map(({ alarm }) => alarm.id))].sort()
    await until(() => pushed().length >= wanted.length, 120_000)
    expect(pushed()).toEqual(wanted)
    expect(stage.push.faults).toEqual([])
    expect(await one.stop()).toBe(0)
  })
})
