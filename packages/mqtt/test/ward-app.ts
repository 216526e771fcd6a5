// An app whose events are the vitals of beds, by MQTT.
import { type App, defineApp, defineEvent } from 'eventspine'
import { z } from 'zod'
import { type MqttSourceOptions, mqttSource } from '../src/index.js'

export const vitalsTaken = defineEvent({
  type: 'wards.vitals-taken',
  schema: z.object({ n: z.int(), bed: z.string() }),
  key: ({ bed }) => bed,
})

const topic = 'wards/{tenant}/beds/{bed}/vitals'

export function wardApp(url: string, options: Partial<MqttSourceOptions<typeof topic>> = {}): App {
  const vitals = mqttSource({
    ...{ name: 'vitals', url, topics: [topic] },
    to: ({ json, parts: { tenant, bed } }) => ({
      event: vitalsTaken,
      data: { ...(json() as { n: number }), bed },
      options: { tenant },
    }),
    ...options,
  })
  return defineApp({ name: 'wards', events: [vitalsTaken], sources: [vitals] })
}
