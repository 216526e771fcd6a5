// A worker of the ward, in the one shape or the other. SIGKILL is a crash of it; `stop` drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { FirstWard } from '../../src/before/first-ward.js'
import { Ward } from '../../src/ward.js'
import type { FromWorker, ToChild, WorkerOrders } from './protocol.js'

/** Patients leave when their stay is told: a bed that is empty is not silent. Nobody answers, and nobody is waited for. */
const neverMs = 12 * 3_600_000
const shutdownMs = 5_000
const records = ['history', 'charts', 'board', 'report']

const orders = JSON.parse(process.argv[2] ?? '') as WorkerOrders
const { databaseUrl, brokerUrl, pushOrigin } = orders
const settings = {
  ...{ databaseUrl, pushOrigins: [pushOrigin], silentMs: neverMs, answerMs: neverMs, reachMs: neverMs },
  devices: brokerUrl === undefined ? { port: 0 } : { url: brokerUrl },
}
const ward = orders.shape === 'today' ? new Ward(settings) : new FirstWard(settings)
const spine = new Eventspine(orders.recordsAreBehind ? fromNow(ward.app) : ward.app, {
  ...{ databaseUrl, cells: ward.cells(databaseUrl), prepare: ward.prepare, shutdownMs },
  logger: jsonLogger('error', Date.now, (line) => process.stderr.write(line)),
})
process.on('message', (message: ToChild) => {
  if (message.kind === 'stop') void stop()
})
process.once('disconnect', () => process.exit(0))
await spine.start()
process.send?.({ kind: 'ready' } satisfies FromWorker)

/** The alarms are up to date and the records are not, as when those were switched off for a night. The first shape has one function, and so one place in the log. */
function fromNow(app: Ward['app']): Ward['app'] {
  const isUrgent = (name: string) => !records.includes(name) && orders.shape === 'today'
  return {
    ...app,
    subscriptions: app.subscriptions.map((each) => (isUrgent(each.name) ? { ...each, start: 'now' } : each)),
  }
}

async function stop(): Promise<void> {
  await spine.stop()
  await ward.stop()
  process.exit(0)
}
