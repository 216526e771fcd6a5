// An app whose broker takes readings of devices, and notices when one is gone.
import { type App, defineApp, defineEvent } from 'eventspine'
import { z } from 'zod'
import { devicesBySecret, type MqttBrokerOptions, mqttBroker, topicPattern } from '../src/index.js'

export const readingTaken = defineEvent({
  type: 'devices.reading-taken',
  schema: z.object({ n: z.int(), device: z.string(), place: z.string() }),
})
export const deviceLost = defineEvent({
  type: 'devices.device-lost',
  schema: z.object({ device: z.string(), said: z.string() }),
})

const readings = topicPattern('devices/{device}/readings/{place}')

export function brokerApp(options: Partial<MqttBrokerOptions> = {}): App {
  const broker = mqttBroker({
    ...{ name: 'devices', port: 0 },
    devices: devicesBySecret({ pump: 'secret of pump', scale: 'secret of scale' }),
    id: ({ device, payload }) => `${device}:${Buffer.from(payload)}`,
    to({ topic, json, device, isWill, body }) {
      if (isWill) return { event: deviceLost, data: { device, said: Buffer.from(body).toString() } }
      const place = readings.match(topic)?.place ?? ''
      return { event: readingTaken, data: { ...(json() as { n: number }), device, place } }
    },
    offline: ({ device }) => ({ event: deviceLost, data: { device, said: 'nothing' } }),
    ...options,
  })
  return defineApp({ name: 'plant', events: [readingTaken, deviceLost], sources: [broker] })
}
