// A worker of the tests that kill it: says when it delivers. SIGTERM drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { wardApp } from './ward-app.js'

const {
  DATABASE_URL: databaseUrl = '',
  WARD_SCHEMA: schema = '',
  WARD_BROKER: broker = '',
  WARD_SHARE: share,
} = process.env
const app = wardApp(broker, share === undefined ? {} : { share })
const spine = new Eventspine(app, {
  ...{ databaseUrl, schema, shutdownMs: 5_000 },
  logger: jsonLogger('info', Date.now, (line) => process.stdout.write(line)),
})
await spine.start()
process.once('SIGTERM', async () => {
  await spine.stop()
  process.exit(0)
})
process.stdout.write('ready\n')
