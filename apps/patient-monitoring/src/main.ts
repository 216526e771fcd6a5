// What `npm run ward` runs: the ward on this machine, with recorded stays told again by bedside monitors. Ctrl-C drains and stops.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createConsole } from '@eventspine/console'
import { EmbeddedPostgres } from '@eventspine/embedded'
import { createServer } from '@eventspine/server'
import { Eventspine } from 'eventspine'
import { dutySet } from './events.js'
import { Bedside } from './replay/bedside.js'
import { settingsFrom } from './settings.js'
import { Site } from './site/site.js'
import { Ward } from './ward.js'

const directory = resolve(
  process.env['EVENTSPINE_DIRECTORY'] || fileURLToPath(new URL('../../../.eventspine/ward', import.meta.url)),
)
const ports = { api: 4610, site: 4611, mqtt: 4683 }
/** 48 hours in eight minutes: between two readings of a bed lie up to twelve seconds. */
const replay = { ward: 'icu', beds: 6, speed: 360 }
const silentMs = 60_000
/** Each address signs in one browser, once. */
const invitationMs = 12 * 3_600_000

const stops: (() => Promise<unknown>)[] = []

async function main(): Promise<void> {
  const database = new EmbeddedPostgres({ directory: resolve(directory, 'postgres') })
  const given = process.env['DATABASE_URL'] || undefined
  if (given === undefined) stops.push(() => database.stop())
  const databaseUrl = given ?? (await database.start()).url
  const ward = new Ward({
    silentMs,
    devices: { port: ports.mqtt },
    ...settingsFrom(process.env),
    databaseUrl,
  })
  stops.push(() => ward.stop())
  const spine = new Eventspine(ward.app, { databaseUrl, prepare: ward.prepare })
  stops.push(() => spine.stop())
  await spine.start()
  const keyFile = resolve(directory, 'development-key')
  const server = createServer(spine, {
    port: ports.api,
    development: true,
    keyFile,
    console: createConsole(),
  })
  stops.push(() => server.stop())
  const { url } = await server.start()
  const site = new Site({ database: ward.database, keys: ward.keys, spine, port: ports.site })
  stops.push(() => site.stop())
  const { url: siteUrl } = await site.start()
  await spine.publish(dutySet, { ward: replay.ward, people: ['carer', 'second', 'lead'] })
  const invited = async (kind: 'carer' | 'display', person: string) =>
    `${siteUrl}${await site.invitation({ kind, person, ward: replay.ward }, invitationMs)}`
  const bedside = new Bedside({ ...replay, url: `mqtt://127.0.0.1:${ports.mqtt}`, keys: ward.keys })
  stops.push(() => bedside.stop())
  bedside.start()
  process.stdout.write(
    `The ward runs: ${replay.beds} beds, ${replay.speed} times as fast as they were recorded.\n` +
      `  board   ${await invited('display', 'wall')}\n  phone   ${await invited('carer', 'carer')}\n  console ${url}/console/   key ${server.developmentKey ?? ''}\nCtrl-C stops.\n`,
  )
}

let stopping: Promise<void> | undefined

/** What was started last stops first. What fails to stop does not keep the rest from it. */
function stop(): Promise<void> {
  stopping ??= (async () => {
    for (let each = stops.pop(); each !== undefined; each = stops.pop()) await each().catch(explain)
  })()
  return stopping
}

function explain(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
main().catch((error: unknown) => {
  explain(error)
  return stop()
})
