// The system under load, in a process of its own: library, worker and HTTP server together, as a small service runs them.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createApiKey, createServer } from '@eventspine/server'
import { Eventspine } from 'eventspine'
import { appWith } from './app.js'
import { LibraryLoader } from './library-load.js'
import type { Figures, LibraryLoad, Question, Started } from './protocol.js'

const alarmMs: number[] = []
const loop = monitorEventLoopDelay({ resolution: 10 })
const publisher = createApiKey({ scopes: ['publish'], name: 'ward' })
const alarms = createApiKey({ scopes: ['publish'], name: 'alarms' })
let rssPeakBytes = 0

const spine = new Eventspine(
  appWith((ms) => void alarmMs.push(ms)),
  {
    databaseUrl: process.argv[2] ?? '',
    shutdownMs: 5_000,
  },
)
const server = createServer(spine, { port: 0, apiKeys: [publisher.record, alarms.record] })

await spine.start()
const { url } = await server.start()
loop.enable()
setInterval(measureMemory, 50).unref()
process.on('message', (question: Question) => void answer(question))
process.once('disconnect', () => process.exit(0))
say({ kind: 'started', url, key: publisher.key, alarmKey: alarms.key })

function say(message: Started | Figures | LibraryLoad): void {
  process.send?.(message)
}

function measureMemory(): void {
  rssPeakBytes = Math.max(rssPeakBytes, process.memoryUsage.rss())
}

async function answer(question: Question): Promise<void> {
  if (question.kind === 'figures') return figures()
  if (question.kind === 'load') {
    return say(
      await new LibraryLoader(spine, question.first).pace(question.eventsPerSecond, question.seconds),
    )
  }
  if (question.kind === 'flood') {
    return say(await new LibraryLoader(spine, question.first).flood(question.inFlight, question.seconds))
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
    alarmMs: alarmMs.splice(0),
  })
  loop.reset()
}
