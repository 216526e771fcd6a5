// The system under load, in a process of its own: library, worker and HTTP server together, as a small service runs them.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createApiKey, createServer } from '@eventspine/server'
import { Eventspine } from 'eventspine'
import { appOf, Ward } from './app.js'
import { LibraryPublisher } from './library-load.js'
import type { Figures, LibraryLoad, Question, Started } from './protocol.js'

const ward = new Ward()
const loop = monitorEventLoopDelay({ resolution: 10 })
const publisher = createApiKey({ scopes: ['publish'], name: 'ward' })
const alarms = createApiKey({ scopes: ['publish'], name: 'alarms' })
const quiet = createApiKey({ scopes: ['publish'], name: 'quiet', tenant: 'quiet' })
let rssPeakBytes = 0

const spine = new Eventspine(appOf(ward), { databaseUrl: process.argv[2] ?? '', shutdownMs: 5_000 })
let publishing = new LibraryPublisher(spine)
const server = createServer(spine, { port: 0, apiKeys: [publisher.record, alarms.record, quiet.record] })

await spine.start()
const { url } = await server.start()
loop.enable()
setInterval(measureMemory, 50).unref()
process.on('message', (question: Question) => void answer(question))
process.once('disconnect', () => process.exit(0))
say({ kind: 'started', url, key: publisher.key, alarmKey: alarms.key, quietKey: quiet.key })

function say(message: Started | Figures | LibraryLoad): void {
  process.send?.(message)
}

function measureMemory(): void {
  rssPeakBytes = Math.max(rssPeakBytes, process.memoryUsage.rss())
}

async function answer(question: Question): Promise<void> {
  if (question.kind === 'figures') return figures()
  if (question.kind === 'target') {
    ward.down = question.down
    return
  }
  if (question.kind === 'publish') return publishing.publish(question)
  if (question.kind === 'tally' || question.kind === 'flood') {
    const current = publishing
    publishing = new LibraryPublisher(spine)
    if (question.kind === 'flood') await current.flood(question.first, question.inFlight, question.seconds)
    return say(await current.tally())
  }
  await server.stop()
  await spine.stop()
  process.disconnect()
  process.exit(0)
}

function figures(): void {
  measureMemory()
  const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e5) / 10
  say({
    kind: 'figures',
    rssPeakBytes,
    loopLagMsMax: milliseconds(loop.max),
    loopLagMs99: milliseconds(loop.percentile(99)),
    alarmMs: ward.alarmMs.splice(0),
    timedMs: ward.timedMs.splice(0),
    ...{ attempts: ward.attempts, failedRetries: ward.failedRetries },
  })
  loop.reset()
}
