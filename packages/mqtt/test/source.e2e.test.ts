// A source that is a client of mosquitto: what a message becomes, and that none is lost or invented when a worker is killed or
// the broker restarts under load.
import mqtt from 'mqtt'
import { describe, expect, test, vi } from 'vitest'
import { Mosquitto, missing } from '../../../test/mosquitto.js'
import {
  afterTest,
  databaseUrl,
  freshSchema,
  logged,
  running,
  sql,
  until,
  WorkerProcess,
} from '../../../test/spine.js'
import { Publishers } from './publishers.js'
import { wardApp } from './ward-app.js'

vi.setConfig({ testTimeout: 180_000 })

const connected = () => until(() => logged.some((line) => line.includes('connected to the MQTT broker')))

interface Ledger {
  readonly events: number
  readonly numbers: number
  readonly least: number
  readonly most: number
}

const ledgerOf = async (schema: string) =>
  (
    await sql<Ledger & { readonly [name: string]: number }>(
      `SELECT count(*)::int AS events, count(DISTINCT data ->> 'n')::int AS numbers, min((data ->> 'n')::int) AS least,
         max((data ->> 'n')::int) AS most FROM ${schema}.event WHERE type = 'wards.vitals-taken'`,
    )
  )[0] as Ledger

const once = (count: number): Ledger => ({ events: count, numbers: count, least: 0, most: count - 1 })

const worker = (schema: string, broker: Mosquitto, share?: string) =>
  new WorkerProcess(new URL('./worker.ts', import.meta.url), {
    ...{ DATABASE_URL: databaseUrl, WARD_SCHEMA: schema, WARD_BROKER: broker.url },
    ...(share !== undefined && { WARD_SHARE: share }),
  })

describe.skipIf(missing)('a source of MQTT', () => {
  test('makes a message an event, with what its topic and its properties say', async () => {
    const broker = await Mosquitto.start()
    const spine = await running(wardApp(broker.url), freshSchema())
    await connected()
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
    afterTest(() => client.endAsync(true))
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
    const properties = {
      userProperties: { id: 'r1', traceparent, 'mqtt-topic': 'wards/other/beds/1/vitals' },
    }
    for (let times = 0; times < 2; times++)
      await client.publishAsync('wards/icu/beds/7/vitals', '{"n":1}', { qos: 1, properties })
    await client.publishAsync('wards/icu/beds/8/vitals', '{"n":2}', {
      qos: 1,
      properties: { userProperties: { id: 'r1' } },
    })
    await client.publishAsync('wards/icu/beds/9/vitals', '{"n":3}', { qos: 0 })
    await client.publishAsync('wards//beds/9/vitals', '{"n":4}', { qos: 1 })
    await client.publishAsync('wards/icu/beds/9/vitals', 'broken', { qos: 2 })
    const operator = spine.operator()
    const events = async (type: string) =>
      (await operator.events({ type, tenant: type.startsWith('w') ? 'icu' : 'default' })).items
    await until(
      async () =>
        (await events('eventspine.message-kept')).length === 2 &&
        (await events('wards.vitals-taken')).length === 3,
    )
    const [third, second, first] = await events('wards.vitals-taken')
    expect(first).toMatchObject({
      id: 'wards/icu/beds/7/vitals#r1',
      key: '7',
      data: { n: 1, bed: '7' },
      source: '/sources/vitals',
    })
    expect(first?.traceparent).toContain('ab'.repeat(16))
    expect(second).toMatchObject({ id: 'wards/icu/beds/8/vitals#r1', data: { n: 2 } })
    expect(third).toMatchObject({ data: { n: 3 } })
    const kept = (await events('eventspine.message-kept')).map(
      ({ data }) => data as { headers: object; body: string },
    )
    expect(kept).toMatchObject([
      { headers: { 'mqtt-topic': 'wards/icu/beds/9/vitals' }, body: 'broken' },
      { headers: { 'mqtt-topic': 'wards//beds/9/vitals' }, body: '{"n":4}' },
    ])
  })

  test('loses and repeats nothing while its worker is killed under load', async () => {
    const broker = await Mosquitto.start()
    const schema = freshSchema()
    let one = worker(schema, broker)
    await one.says('connected')
    const devices = await Publishers.connect(broker.url, 20)
    for (let kill = 0; kill < 5; kill++) {
      const before = (await ledgerOf(schema)).events
      const publishing = devices.publish(1_500)
      await until(async () => (await ledgerOf(schema)).events > before + 300, 60_000)
      await one.kill()
      one = worker(schema, broker)
      await publishing
    }
    await one.says('connected')
    expect(devices.acknowledged.size).toBe(7_500)
    await until(async () => (await ledgerOf(schema)).numbers >= 7_500, 60_000)
    expect(await ledgerOf(schema)).toEqual(once(7_500))
    expect(await one.stop()).toBe(0)
  })

  test('loses and repeats nothing over a restart of the broker under load', async () => {
    const broker = await Mosquitto.start()
    const schema = freshSchema()
    logged.length = 0
    await running(wardApp(broker.url), schema)
    await connected()
    const devices = await Publishers.connect(broker.url, 20)
    const publishing = devices.publish(10_000)
    for (const count of [2_000, 5_000]) {
      await until(() => devices.acknowledged.size > count, 60_000)
      await broker.stop()
      await broker.start()
    }
    await publishing
    await until(async () => (await ledgerOf(schema)).numbers >= 10_000, 60_000)
    expect(await ledgerOf(schema)).toEqual(once(10_000))
    expect(logged.some((line) => line.includes('a source ended by itself'))).toBe(true)
  })

  test('holds up a broker that sends more than it may', async () => {
    const broker = await Mosquitto.start()
    const schema = freshSchema()
    logged.length = 0
    const spine = await running(wardApp(broker.url, { inFlightMax: 10 }), schema)
    await connected()
    const devices = await Publishers.connect(broker.url, 100)
    // More than wait for room before they are refused.
    await devices.publish(12_000)
    await until(async () => (await ledgerOf(schema)).numbers >= 12_000, 120_000)
    expect(await ledgerOf(schema)).toEqual(once(12_000))
    const outcomes = (await spine.metrics())
      .filter(({ name }) => name === 'eventspine_source_messages_total')
      .map(({ labels }) => labels['outcome'])
    expect(outcomes).toEqual(['published'])
  })

  test('is shared by workers, and the next one goes on where one was killed', async () => {
    const broker = await Mosquitto.start()
    const schema = freshSchema()
    const workers = [worker(schema, broker, 'all'), worker(schema, broker, 'all')]
    await Promise.all(workers.map((each) => each.says('connected')))
    const devices = await Publishers.connect(broker.url, 20)
    await devices.publish(2_000)
    await workers[1]?.kill()
    // What the broker gives to the one that is gone waits for whoever has its number.
    await devices.publish(2_000)
    const next = worker(schema, broker, 'all')
    await next.says('connected')
    await until(async () => (await ledgerOf(schema)).numbers >= 4_000, 60_000)
    expect(await ledgerOf(schema)).toEqual(once(4_000))
    const ids = [...workers, next].map(({ output }) => /eventspine-vitals-(\d)/.exec(output)?.[1])
    expect(ids.slice(0, 2).sort()).toEqual(['1', '2'])
    expect(ids[2]).toBe(ids[1])
  })
})
