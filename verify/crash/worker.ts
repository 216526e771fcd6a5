// A worker process. Says "ready" when it delivers; SIGTERM drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { crashedApp } from './app.js'
import { Bank } from './bank.js'
import { startWhenThere } from './engine.js'
import { SinkClient } from './sink-client.js'

const { DATABASE_URL: databaseUrl = '', CRASH_SCHEMA: schema = '', CRASH_SINK_PORT: port } = process.env
const shutdownMs = 5_000

const bank = new Bank(databaseUrl, schema)
const sink = await SinkClient.connect(Number(port))
const spine = await startWhenThere(
  () =>
    new Eventspine(crashedApp(schema, sink, bank), {
      ...{ databaseUrl, schema, shutdownMs, stalledMs: 0, migrate: false },
      logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
    }),
)
process.once('SIGTERM', async () => {
  await spine.stop()
  process.exit(0)
})
process.stdout.write('ready\n')
