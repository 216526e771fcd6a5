// `node mqtt-run.mjs DATABASE_URL BROKER_URL`: a worker whose source is the broker, from the compiled packages. Says when it is
// connected. SIGTERM drains it.
import { mqttSource } from '@eventspine/mqtt'
import { defineApp, defineEvent, Eventspine, jsonLogger } from 'eventspine'
import { z } from 'zod'

const [databaseUrl, url] = process.argv.slice(2)
const vitalsTaken = defineEvent({
  type: 'wards.vitals-taken',
  schema: z.object({
    n: z.int(),
    bed: z.string(),
    pulse: z.int(),
    oxygen: z.int(),
    pressure: z.string(),
  }),
  key: ({ bed }) => bed,
})
const vitals = mqttSource({
  ...{ name: 'vitals', url, topics: ['wards/{tenant}/beds/{bed}/vitals'] },
  to: ({ json, parts: { tenant, bed } }) => ({
    event: vitalsTaken,
    data: { ...json(), bed },
    options: { tenant },
  }),
})
const app = defineApp({ name: 'wards', events: [vitalsTaken], sources: [vitals] })
const logger = jsonLogger('info', Date.now, (line) => process.stdout.write(line))
const spine = new Eventspine(app, { databaseUrl, stalledMs: 0, logger })
await spine.start()
process.once('SIGTERM', async () => {
  await spine.stop()
  process.exit(0)
})
