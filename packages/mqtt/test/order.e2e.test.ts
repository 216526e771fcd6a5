// The order of messages while the database fails again and again, by mosquitto and by the broker of an app's own: those of a device stand in
// the log as it sent them, each once, whatever was tried how often in between.
import mqtt, { type MqttClient } from 'mqtt'
import { expect, test, vi } from 'vitest'
import { Cable } from '../../../test/cable.js'
import { Mosquitto, missing } from '../../../test/mosquitto.js'
import { Devices } from '../../../test/mqtt-devices.js'
import { afterTest, databaseUrl, freshSchema, logged, running, sql, until } from '../../../test/spine.js'
import { brokerApp } from './broker-app.js'
import { wardApp } from './ward-app.js'

vi.setConfig({ testTimeout: 180_000 })

const failures = 4
const waitMsMax = 60_000
const messagesAtOnce = 500
const messagesBetween = 300
/** Of each device of the broker of its own. */
const inFlight = 100

interface Ledger extends Record<string, unknown> {
  readonly events: number
  readonly numbers: number
  /** Events that stand behind a later number of their device. */
  readonly disordered: number
}

const ledgerOf = async (schema: string, device: 'bed' | 'device') =>
  (
    await sql<Ledger>(
      `SELECT count(*)::int AS events, count(DISTINCT n)::int AS numbers, (count(*) FILTER (WHERE n < before))::int AS disordered
       FROM (SELECT n, max(n) OVER (PARTITION BY device ORDER BY epoch, xid, seq) AS before FROM (
         SELECT epoch, xid, seq, data ->> '${device}' AS device, (data ->> 'n')::int AS n FROM ${schema}.event
         WHERE type IN ('wards.vitals-taken', 'devices.reading-taken')) AS taken) AS sorted`,
    )
  )[0] as Ledger

async function cable(): Promise<{ readonly url: string; readonly cable: Cable }> {
  const between = new Cable(databaseUrl)
  const url = await between.start()
  afterTest(() => between.stop())
  return { url, cable: between }
}

/** Cuts it while messages are on their way, and mends it once some of them were not taken. */
async function fail(cable: Cable, refused: () => Promise<number>): Promise<void> {
  const before = await refused()
  cable.cut()
  await until(async () => (await refused()) > before, waitMsMax)
  cable.mend()
}

const refusedBy = async (spine: Awaited<ReturnType<typeof running>>) =>
  (await spine.metrics())
    .filter(
      ({ name, labels }) =>
        name === 'eventspine_source_messages_total' && labels['outcome'] === 'unavailable',
    )
    .reduce((sum, { value }) => sum + value, 0)

test.skipIf(missing)('by a broker, over failures of the database and restarts of the broker', async () => {
  const broker = await Mosquitto.start()
  const schema = freshSchema()
  const way = await cable()
  logged.length = 0
  const spine = await running(wardApp(broker.url), schema, { databaseUrl: way.url })
  await until(() => logged.some((line) => line.includes('connected to the MQTT broker')))
  const devices = await Devices.connect({ port: broker.port, count: 20 })
  afterTest(() => devices.end())
  const stop = sending(() => devices.publish(messagesAtOnce))
  for (let failure = 0; failure < failures; failure++) {
    const target = devices.acknowledged + messagesBetween
    await until(() => devices.acknowledged > target, waitMsMax)
    await fail(way.cable, () => refusedBy(spine))
    if (failure !== failures / 2) continue
    await broker.stop()
    await broker.start()
  }
  await stop()
  const all = devices.acknowledged
  await until(async () => (await ledgerOf(schema, 'bed')).numbers >= all, waitMsMax)
  expect(await ledgerOf(schema, 'bed')).toEqual({ events: all, numbers: all, disordered: 0 })
})

test('by a broker of its own, over failures of the database and of connections', async () => {
  const schema = freshSchema()
  const way = await cable()
  logged.length = 0
  // Each is held up, so that its messages are not stored together.
  const app = brokerApp({ perDevice: { messagesPerSecondMax: 300 } })
  const spine = await running(app, schema, { databaseUrl: way.url })
  const line = await until(() => logged.find((each) => each.includes('the MQTT broker listens')))
  const { port } = JSON.parse(line) as { readonly port: number }
  const devices = await Promise.all(['pump', 'scale'].map((name) => connected(port, name)))
  let [sent, acknowledged] = [0, 0]
  const publish = async (device: MqttClient) => {
    const topic = `devices/${device.options.clientId}/readings/hall`
    await device.publishAsync(topic, JSON.stringify({ n: sent++ }), { qos: 1 })
    acknowledged++
  }
  const stops = devices.flatMap((device) =>
    Array.from({ length: inFlight }, () => sending(() => publish(device))),
  )
  for (let failure = 0; failure < failures; failure++) {
    const target = acknowledged + messagesBetween
    await until(() => acknowledged > target, waitMsMax)
    await fail(way.cable, () => refusedBy(spine))
    // What it has not heard of it sends again, in its order.
    devices[failure % devices.length]?.stream.destroy()
  }
  await Promise.all(stops.map((stop) => stop()))
  expect(await ledgerOf(schema, 'device')).toEqual({ events: sent, numbers: sent, disordered: 0 })
})

/** Again and again, until it is stopped; that resolves when the last is over. */
function sending(send: () => Promise<void>): () => Promise<void> {
  let isOver = false
  const all = (async () => {
    while (!isOver) await send()
  })()
  return () => {
    isOver = true
    return all
  }
}

async function connected(port: number, username: string): Promise<MqttClient> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    ...{ username, password: `secret of ${username}`, clientId: username, clean: false },
    ...{ protocolVersion: 4, reconnectPeriod: 50 },
  })
  client.on('error', () => {})
  afterTest(() => client.endAsync(true))
  await new Promise<unknown>((resolve) => client.once('connect', resolve))
  return client
}
