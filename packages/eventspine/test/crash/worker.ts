// A worker process of the crash tests. Says "ready" when it delivers; SIGTERM drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { apps } from './apps.js'
import { startWhenThere } from './system/start.js'

const {
  DATABASE_URL: databaseUrl = '',
  CRASH_APP,
  CRASH_SCHEMA: schema = '',
  CRASH_SINK: sink = '',
} = process.env
const app = apps[CRASH_APP as keyof typeof apps]({ schema, sink })
const spine = await startWhenThere(
  () =>
    new Eventspine(app, {
      databaseUrl,
      schema,
      stalledMs: CRASH_APP === 'blocking' ? 2_000 : 0,
      shutdownMs: 5_000,
      logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
    }),
)
process.once('SIGTERM', async () => {
  await spine.stop()
  process.exit(0)
})
process.stdout.write('ready\n')
