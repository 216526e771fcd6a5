// A worker of the test that kills it: says when it delivers. SIGTERM drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { outboxApp } from './outbox-app.js'

const spine = new Eventspine(outboxApp, {
  databaseUrl: process.env['DATABASE_URL'] ?? '',
  schema: process.env['CRASH_SCHEMA'] ?? '',
  shutdownMs: 5_000,
  logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
})
await spine.start()
process.stdout.write('ready\n')
process.once('SIGTERM', async () => {
  await spine.stop()
  process.exit(0)
})
