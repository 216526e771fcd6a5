// A worker of the test that kills it, over the folder that it is told.
import { Eventspine, jsonLogger } from 'eventspine'
import { folderApp } from './folder-app.js'

const spine = new Eventspine(folderApp(process.env['FOLDER'] ?? ''), {
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
