// The server under fire: @eventspine/server on a real Eventspine, in a process of its own. Its parent asks it for what
// only the inside can tell: stalls, memory, what the log says.
import { setTimeout as delay } from 'node:timers/promises'
import { createConsole } from '@eventspine/console'
import { createApiKey, createServer } from '@eventspine/server'
import { Eventspine, jsonLogger } from 'eventspine'
import { app } from './app.js'
import { links } from './links.js'
import { LoopWatch } from './loop-watch.js'
import type { Figures, Question, Started } from './protocol.js'

const databaseUrl = process.argv[2] ?? ''
const canary = process.argv[3] ?? ''
/** Faults of the log that are told in full. */
const faultsMax = 20

const unlimited = createApiKey({ scopes: ['publish', 'read', 'operate', 'admin'], name: 'operator' })
const reader = createApiKey({ scopes: ['read'], name: 'reader' })
const ofTenant = createApiKey({
  scopes: ['publish', 'read', 'operate', 'admin'],
  name: 'acme',
  tenant: 'acme',
})
const keys = [unlimited, reader, ofTenant]

const logFaults: string[] = []
let rssPeakBytes = 0

const logger = jsonLogger('debug', Date.now, (line) => {
  const leak = line.includes(canary) || keys.some(({ key }) => line.includes(key))
  if (leak && logFaults.length < faultsMax) logFaults.push(`in the log: ${line.slice(0, 500)}`)
  if (process.env.FUZZ_LOG === 'yes' && /"level":"(error|warn)"/.test(line)) process.stderr.write(line)
})

const spine = new Eventspine(app, { databaseUrl, logger, shutdownMs: 2_000 })
const pages = createConsole()
const server = createServer(spine, {
  console: pages,
  port: 0,
  apiKeys: keys.map(({ record }) => record),
  logger,
  approvalLinks: links,
  limits: { headersMsMax: 1_000, requestMsMax: 2_000, keepAliveMsMax: 4_000, drainMsMax: 2_000 },
})
const watch = new LoopWatch()

await spine.start()
const { url } = await server.start()
// A build beside it would be a stall.
while (pages.state === 'building') await delay(100)
watch.start()
setInterval(measureMemory, 100).unref()
process.on('message', (question: Question) => void answer(question))
process.once('disconnect', () => process.exit(0))
say({ kind: 'started', url, keys: { all: unlimited.key, reader: reader.key, tenant: ofTenant.key } })

function say(message: Started | Figures): void {
  process.send?.(message)
}

function measureMemory(): number {
  const { rss } = process.memoryUsage()
  rssPeakBytes = Math.max(rssPeakBytes, rss)
  return rss
}

async function answer(question: Question): Promise<void> {
  if (question === 'stop') {
    watch.stop()
    await server.stop()
    await spine.stop()
    process.disconnect()
    process.exit(0)
  }
  const stalls = watch.take()
  if (question === 'figures') for (let round = 0; round < 2; round++) globalThis.gc?.()
  measureMemory()
  say({
    kind: 'figures',
    stalls,
    heapBytes: process.memoryUsage().heapUsed,
    rssPeakBytes,
    logFaults,
    prototypeKeys: Object.keys(Object.prototype),
  })
  // What the collection of garbage took is nobody's stall.
  if (question === 'figures') setImmediate(() => watch.take())
}
