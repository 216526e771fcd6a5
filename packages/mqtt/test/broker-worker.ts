// A worker of the test that kills it: says when its broker listens. SIGTERM drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { brokerApp } from './broker-app.js'

const { DATABASE_URL: databaseUrl = '', PLANT_SCHEMA: schema = '', PLANT_PORT: port } = process.env
const spine = new Eventspine(
  brokerApp({ port: Number(port), perDevice: { messagesPerSecondMax: 100_000 } }),
  {
    ...{ databaseUrl, schema, shutdownMs: 5_000 },
    logger: jsonLogger('info', Date.now, (line) => process.stdout.write(line)),
  },
)
await spine.start()
process.once('SIGTERM', async () => {
  await spine.stop()
  process.exit(0)
})
