// The broker of an app's own, with real clients and a real database: who may say what, when it is acknowledged, and what becomes
// of those who say too much or nothing any more.
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { expect, test } from 'vitest'
import { afterTest, freshSchema, logged, running, until } from '../../../test/spine.js'
import type { MqttBrokerOptions } from '../src/index.js'
import { brokerApp } from './broker-app.js'

async function started(options: Partial<MqttBrokerOptions> = {}, schema = freshSchema()) {
  logged.length = 0
  const spine = await running(brokerApp(options), schema)
  const line = await until(() => logged.find((each) => each.includes('the MQTT broker listens')))
  const { port } = JSON.parse(line) as { readonly port: number }
  const events = async (type: string) =>
    (await spine.operator().events({ type, limit: 500 })).items.map(({ data }) => data)
  return {
    ...{ spine, port },
    readings: () => events('devices.reading-taken'),
    lost: () => events('devices.device-lost'),
    device: (username: string, more: IClientOptions = {}) => device(port, username, more),
  }
}

async function device(port: number, username: string, more: IClientOptions = {}): Promise<MqttClient> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    ...{
      username,
      password: `secret of ${username}`,
      clientId: username,
      protocolVersion: 4,
      reconnectPeriod: 0,
    },
    ...more,
  })
  afterTest(() => client.endAsync(true))
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed')))
  })
  client.on('error', () => {})
  return client
}

const publish = (client: MqttClient, n: number, topic = `devices/${client.options.clientId}/readings/hall`) =>
  client.publishAsync(topic, JSON.stringify({ n }), { qos: 1 })

const gone = async (client: MqttClient) => {
  if (client.connected) await new Promise<void>((resolve) => client.once('close', () => resolve()))
}

test('acknowledges a message when its event is durable, and not before', async () => {
  const holds: (() => void)[] = []
  const plain = brokerApp().sources[0] as { to: MqttBrokerOptions['to'] }
  const { device, readings } = await started({
    async to(message) {
      await new Promise<void>((resolve) => void holds.push(resolve))
      return plain.to(message as never)
    },
  })
  const pump = await device('pump')
  let acknowledged = false
  const publishing = publish(pump, 1).then(() => (acknowledged = true))
  await until(() => holds.length === 1)
  // A ping behind it is not even read before.
  expect(acknowledged).toBe(false)
  expect(await readings()).toEqual([])
  holds[0]?.()
  await publishing
  expect(await readings()).toEqual([{ n: 1, device: 'pump', place: 'hall' }])
})

test('takes QoS 0 and 2 as well, and keeps what cannot become an event', async () => {
  const { device, readings, spine } = await started()
  const pump = await device('pump')
  await pump.publishAsync('devices/pump/readings/a', '{"n":1}', { qos: 0 })
  await pump.publishAsync('devices/pump/readings/b', '{"n":2}', { qos: 2 })
  await pump.publishAsync('devices/pump/readings/b', '{"n":2}', { qos: 2 })
  await pump.publishAsync('devices/pump/readings/c', 'broken', { qos: 1, retain: true })
  const kept = await until(
    async () => (await spine.operator().events({ type: 'eventspine.message-kept' })).items[0],
  )
  expect(kept.data).toMatchObject({
    body: 'broken',
    headers: { 'mqtt-device': 'pump', 'mqtt-topic': 'devices/pump/readings/c' },
  })
  expect(await readings()).toEqual([
    { n: 2, device: 'pump', place: 'b' },
    { n: 1, device: 'pump', place: 'a' },
  ])
})

test('a fault of the app in the id of a message holds up nobody', async () => {
  const { device, readings } = await started({
    id: () => {
      throw new Error('a fault of the app')
    },
  })
  await publish(await device('pump'), 1)
  expect(await readings()).toEqual([{ n: 1, device: 'pump', place: 'hall' }])
})

test('refuses whom nobody knows, and who cannot be asked for', async () => {
  const { device } = await started()
  await expect(device('pump', { password: 'wrong' })).rejects.toThrow(/Bad username or password/)
  await expect(device('nobody')).rejects.toThrow(/Bad username or password/)
  await expect(device('pump', { username: '', password: '' })).rejects.toThrow(/Bad username or password/)
  const away = await started({ devices: () => Promise.reject(new Error('the directory is away')) })
  await expect(away.device('pump')).rejects.toThrow(/Server unavailable/)
  const wrong = await started({ devices: async () => ({ id: 'a/#' }) })
  await expect(wrong.device('pump')).rejects.toThrow(/Server unavailable/)
})

test('lets a device publish under its own topics alone, and read nothing', async () => {
  const { device, readings } = await started()
  const scale = await device('scale')
  for (const topic of ['devices/scale/readings/hall', 'devices', '$SYS/x', 'devices/pumpx/readings/a']) {
    const pump = await device('pump')
    publish(pump, 1, topic).catch(() => {})
    await gone(pump)
  }
  await publish(scale, 2)
  expect(await readings()).toEqual([{ n: 2, device: 'scale', place: 'hall' }])
  const granted = await scale.subscribeAsync('#').catch((error: Error) => error)
  expect(granted instanceof Error || granted.every(({ qos }) => qos === 128)).toBe(true)
})

test.each([
  ['cut off', ['scale', 'pump']],
  ['locked out', ['pump', 'scale']],
])('no device is %s by another that uses its client id', async (_, order) => {
  const { device, readings, lost } = await started()
  const clients = new Map<string, MqttClient>()
  for (const name of order) clients.set(name, await device(name, { clientId: 'scale' }))
  await publish(clients.get('scale') as MqttClient, 1)
  await publish(clients.get('pump') as MqttClient, 2, 'devices/pump/readings/hall')
  const taken = (await readings()) as readonly { readonly device: string }[]
  expect(taken.map(({ device: id }) => id).sort()).toEqual(['pump', 'scale'])
  expect(await lost()).toEqual([])
})

test('a device that floods is read slowly and loses nothing, and others do not wait for it', async () => {
  const { device, readings } = await started({ perDevice: { messagesPerSecondMax: 20 } })
  const [pump, scale] = [await device('pump', { keepalive: 1 }), await device('scale')]
  const flood = Array.from({ length: 100 }, (_, n) => publish(pump, n))
  let acknowledged = 0
  for (const each of flood) void each.then(() => acknowledged++)
  await publish(scale, 1_000)
  expect(acknowledged).toBeLessThan(100)
  // Held up for longer than it may be silent: it is not taken for dead.
  await Promise.all(flood)
  const numbers = (await readings()).map((data) => (data as { n: number }).n)
  expect([...numbers].sort((a, b) => a - b)).toEqual([...Array.from({ length: 100 }, (_, n) => n), 1_000])
  expect(pump.connected).toBe(true)
})

test('a device that says too much at once is disconnected, before it has said it', async () => {
  const { port, device, readings } = await started({ perDevice: { bytesMax: 100 } })
  const pump = await device('pump')
  pump.publishAsync('devices/pump/readings/a', 'x'.repeat(101), { qos: 1 }).catch(() => {})
  await gone(pump)
  const socket = connectSocket(port, '127.0.0.1')
  afterTest(() => socket.destroy())
  // CONNECT, and 268,435,455 bytes of it to come.
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]))
  await once(socket, 'close')
  // By that, and not since it did not go on.
  expect(logged.some((line) => line.includes('sends more than it may'))).toBe(true)
  expect(await readings()).toEqual([])
})

test('notices a device that is gone, and what it wanted to be said then', async () => {
  const { device, lost } = await started()
  const will = {
    topic: 'devices/pump/status',
    payload: Buffer.from('farewell'),
    qos: 1 as const,
    retain: true,
  }
  const pump = await device('pump', { will })
  pump.stream.destroy()
  const scale = await device('scale')
  await scale.endAsync()
  const both = await until(async () => ((await lost()).length >= 2 ? lost() : null))
  expect(both).toHaveLength(2)
  expect(both).toEqual(
    expect.arrayContaining([
      { device: 'pump', said: 'farewell' },
      { device: 'pump', said: 'nothing' },
    ]),
  )
  // A will under the topic of another is left out; its end is noticed all the same.
  const sly = await device('scale', { will: { ...will, topic: 'devices/pump/status' } })
  sly.stream.destroy()
  const all = await until(async () => ((await lost()).length >= 3 ? lost() : null))
  expect(all).toHaveLength(3)
  expect(all[0]).toEqual({ device: 'scale', said: 'nothing' })
})

test('a device has so many connections, and its next ends its oldest; others keep theirs', async () => {
  const { device, readings, lost } = await started({ perDevice: { connectionsMax: 2 } })
  const other = await device('scale')
  const pump = (clientId: string) => device('pump', { clientId })
  const [first, second] = [await pump('a'), await pump('b')]
  const third = await pump('c')
  await gone(first)
  const topic = 'devices/pump/readings/hall'
  for (const [n, client] of [second, third].entries()) await publish(client, n, topic)
  await publish(other, 2)
  expect((await readings()).length).toBe(3)
  await third.endAsync()
  // There is room again.
  const fourth = await pump('d')
  await publish(second, 3, topic)
  await publish(fourth, 4, topic)
  expect((await readings()).length).toBe(5)
  expect(await lost()).toEqual([])
})

test('notices a device that is silent for too long, and not one that has come again', async () => {
  const { port, device, lost } = await started()
  const first = await device('scale')
  const second = await device('scale')
  await gone(first)
  const socket = connectSocket(port, '127.0.0.1')
  afterTest(() => socket.destroy())
  const texts = ['pump', 'pump', 'secret of pump'].map((text) =>
    Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]),
  )
  // MQTT 3.1.1, user name and password, clean, a second between signs of life.
  const header = Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 0xc2, 0, 1])
  const body = Buffer.concat([header, ...texts])
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]))
  const [connack] = (await once(socket, 'data')) as [Buffer]
  expect([...connack]).toEqual([0x20, 2, 0, 0])
  const [only] = await until(async () => ((await lost()).length > 0 ? lost() : null))
  expect(only).toEqual({ device: 'pump', said: 'nothing' })
  expect(await lost()).toHaveLength(1)
  expect(second.connected).toBe(true)
})

test('acknowledges what is in hand when it stops, and takes nobody for dead', async () => {
  const holds: (() => void)[] = []
  const plain = brokerApp().sources[0] as { to: MqttBrokerOptions['to'] }
  const schema = freshSchema()
  const { device, spine } = await started(
    {
      async to(message) {
        await new Promise<void>((resolve) => void holds.push(resolve))
        return plain.to(message as never)
      },
    },
    schema,
  )
  const pump = await device('pump', {
    will: { topic: 'devices/pump/status', payload: Buffer.from('farewell'), qos: 1, retain: false },
  })
  const publishing = publish(pump, 1)
  await until(() => holds.length === 1)
  const stopping = spine.stop()
  holds[0]?.()
  await publishing
  await stopping
  await gone(pump)
  const after = await started({}, schema)
  expect(await after.readings()).toHaveLength(1)
  expect(await after.lost()).toEqual([])
})
