// The devices, in a process of their own: each reading is sent when it is due, whether or not those before it have arrived (open loop).
// What it says it took at a moment is what latency counts from, so that a late sender makes an alarm late, and not early.
import { setTimeout as sleep } from 'node:timers/promises'
import { defineApp, Eventspine } from 'eventspine'
import mqtt from 'mqtt'
import { readingsTaken } from '../../src/events.js'
import { taken } from '../../src/sources/reading.js'
import type { FromGenerator, GeneratorOrders, ToChild } from './protocol.js'
import { percentile } from './statistics.js'
import { type Due, readStays, streamOf } from './stream.js'

/** Between the word to start and the first reading, so that connections open before anything is measured by them. */
const leadMs = 500

interface Way {
  /** Resolves when it is accepted. */
  send(due: Due, takenAt: string): Promise<unknown>
  close(): Promise<unknown>
}

const { databaseUrl, plan, brokerUrl } = JSON.parse(process.argv[2] ?? '') as GeneratorOrders
const stays = await readStays()
const way = brokerUrl === undefined ? await toLog() : await toBroker(brokerUrl)
const started = new Promise<void>((resolve) => {
  process.on('message', (message: ToChild) => {
    if (message.kind === 'start') resolve()
  })
})
process.once('disconnect', () => process.exit(0))
tell({ kind: 'ready' })
await started
await run()
await way.close()
process.disconnect()

function tell(message: FromGenerator): void {
  process.send?.(message)
}

async function run(): Promise<void> {
  const startMs = Date.now() + leadMs
  tell({ kind: 'started', startMs })
  const sending = new Set<Promise<unknown>>()
  const lateMs: number[] = []
  let readings = 0
  for (const due of streamOf(plan, stays)) {
    const dueMs = startMs + due.afterMs
    if (dueMs > Date.now()) await sleep(dueMs - Date.now())
    lateMs.push(Date.now() - dueMs)
    readings += due.readings.length
    const sent: Promise<unknown> = way.send(due, new Date(dueMs).toISOString())
    sending.add(sent)
    void sent.then(() => sending.delete(sent))
  }
  await Promise.all(sending)
  const [lateMs99, lateMsMax] = [percentile(lateMs, 0.99), percentile(lateMs, 1)]
  tell({ kind: 'done', sent: { events: lateMs.length, readings, lateMs99, lateMsMax } })
}

async function toLog(): Promise<Way> {
  const app = defineApp({ name: 'gateway', events: [readingsTaken] })
  const spine = new Eventspine(app, { databaseUrl, work: false, migrate: false, contracts: false })
  await spine.start()
  return {
    send({ ward, bed, readings }, takenAt) {
      const { event, data } = taken(
        ward,
        bed,
        readings.map((reading) => ({ ...reading, takenAt })),
      )
      return spine.publish(event, data)
    },
    close: () => spine.stop(),
  }
}

/** What the broker has not acknowledged is sent again once it is back. */
async function toBroker(url: string): Promise<Way> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: leadMs })
  client.on('error', () => {})
  return {
    send: ({ ward, bed, readings }, takenAt) =>
      Promise.all(
        readings.map(({ parameter, value }) =>
          client.publishAsync(`ward/${ward}/bed/${bed}/${parameter}`, JSON.stringify({ value, takenAt }), {
            qos: 1,
          }),
        ),
      ),
    close: () => client.endAsync(),
  }
}
