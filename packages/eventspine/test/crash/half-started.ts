// A worker process of the crash tests that never comes to an end of starting: one of its cells delivers, the other is
// made ready for ever.
import { Eventspine, jsonLogger } from 'eventspine'
import { apps } from './apps.js'

const { DATABASE_URL: url = '', CRASH_SCHEMA: schema = '', CRASH_SINK: sink = '' } = process.env
setInterval(() => {}, 1_000)
await new Eventspine(apps.blocking({ schema, sink }), {
  cells: { ready: { url, schema }, never: { url, schema: `${schema}_never` } },
  placement: () => 'ready',
  prepare: ({ cell }) => (cell === 'never' ? new Promise(() => {}) : Promise.resolve()),
  stalledMs: 2_000,
  logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
}).start()
