// A publisher process of the crash tests: numbered events over some lanes, each lane in order. What is not acknowledged
// is published again under its id until it is. The number of every acknowledged one goes to standard output.
import { setTimeout as delay } from 'node:timers/promises'
import { Eventspine, EventspineError } from 'eventspine'
import { apps, happened } from './apps.js'
import { startWhenThere } from './system/start.js'

const { DATABASE_URL: databaseUrl = '', CRASH_SCHEMA: schema = '' } = process.env
const count = Number(process.env['CRASH_EVENTS'])
const lanes = 10
const keys = 40
const pauseMs = 20

const app = apps.ledger({ schema, sink: '' })
const spine = await startWhenThere(
  () => new Eventspine(app, { databaseUrl, schema, work: false, migrate: false }),
)

async function publish(n: number): Promise<void> {
  for (;;) {
    try {
      await spine.publish(happened, { n, key: `k${n % keys}` }, { id: `event-${n}` })
      return
    } catch (error) {
      if (!(error instanceof EventspineError) || error.retryAfterMs === undefined) throw error
      process.stdout.write(`again ${n} ${error.code}\n`)
      await delay(100)
    }
  }
}

await Promise.all(
  Array.from({ length: lanes }, async (_, lane) => {
    for (let n = lane; n < count; n += lanes) {
      await publish(n)
      process.stdout.write(`acked ${n}\n`)
      await delay(pauseMs)
    }
  }),
)
await spine.stop()
