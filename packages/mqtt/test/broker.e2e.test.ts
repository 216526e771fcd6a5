// The broker of an app's own in a worker that is killed under load: what it has acknowledged is in the log, and once.
import mqtt from 'mqtt'
import { expect, test, vi } from 'vitest'
import { freePort } from '../../../test/mosquitto.js'
import { afterTest, databaseUrl, freshSchema, sql, until, WorkerProcess } from '../../../test/spine.js'

vi.setConfig({ testTimeout: 120_000 })
const messages = 6_000
const kills = 4

test('loses and repeats nothing while its worker is killed under load', async () => {
  const schema = freshSchema()
  const port = String(await freePort())
  const start = () =>
    new WorkerProcess(new URL('./broker-worker.ts', import.meta.url), {
      DATABASE_URL: databaseUrl,
      PLANT_SCHEMA: schema,
      PLANT_PORT: port,
    })
  let worker = start()
  await worker.says('the MQTT broker listens')
  const connect = (username: string) =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      ...{ username, password: `secret of ${username}`, clientId: username, clean: false },
      ...{ protocolVersion: 4, reconnectPeriod: 50 },
    })
  const devices = await Promise.all([connect('pump'), connect('scale')])
  for (const device of devices) {
    device.on('error', () => {})
    afterTest(() => device.endAsync(true))
  }
  let [sent, acknowledged] = [0, 0]
  // A hundred of each on their way at once; what is not acknowledged is sent again by itself.
  const sending = devices.flatMap((device) =>
    Array.from({ length: 100 }, async () => {
      while (sent < messages) {
        const n = sent++
        await device.publishAsync(`devices/${device.options.clientId}/readings/hall`, JSON.stringify({ n }), {
          qos: 1,
        })
        acknowledged++
      }
    }),
  )
  for (let kill = 0; kill < kills; kill++) {
    const target = acknowledged + 800
    await until(() => acknowledged > target, 60_000)
    await worker.kill()
    worker = start()
  }
  await Promise.all(sending)
  expect(acknowledged).toBe(messages)
  const [ledger] = await sql(
    `SELECT count(*)::int AS events, count(DISTINCT data ->> 'n')::int AS numbers, max((data ->> 'n')::int) AS most
     FROM ${schema}.event WHERE type = 'devices.reading-taken'`,
  )
  expect(ledger).toEqual({ events: messages, numbers: messages, most: messages - 1 })
  expect(await worker.stop()).toBe(0)
})
