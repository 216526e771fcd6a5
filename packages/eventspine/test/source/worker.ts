// A worker of the tests that kill it, over the folder or the outbox that it is told of: says when it delivers. SIGTERM drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { folderApp } from './folder-app.js'
import { outboxApp } from './outbox-app.js'

const { FOLDER: folder } = process.env
const spine = new Eventspine(folder === undefined ? outboxApp : folderApp(folder), {
  databaseUrl: process.env['DATABASE_URL'] ?? '',
  schema: process.env['CRASH_SCHEMA'] ?? '',
  shutdownMs: 5_000,
  logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
})
await spine.start()
process.once('SIGTERM', async () => {
  await spine.stop()
  process.exit(0)
})
process.stdout.write('ready\n')
