// What `npm run ward` runs: the ward on this machine, with recorded stays told again by bedside monitors. Ctrl-C drains and stops. With
// --beside, as `npm start` runs it: fewer beds, on the database of the order pipeline, whose console shows both.
import { createWriteStream, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createConsole } from '@eventspine/console'
import { EmbeddedPostgres } from '@eventspine/embedded'
import { createServer } from '@eventspine/server'
import { Eventspine, jsonLogger } from 'eventspine'
import { dutySet } from './events.js'
import { Bedside } from './replay/bedside.js'
import { portsFrom, settingsFrom } from './settings.js'
import { Site } from './site/site.js'
import { Ward } from './ward.js'

const usage = `Usage: npm run ward
Runs the ward on this machine until Ctrl-C. Environment: DATABASE_URL, EVENTSPINE_DIRECTORY, WARD_SITE_PORT, WARD_API_PORT,
WARD_MQTT_PORT and those of apps/patient-monitoring/README.md, "Settings".
`
const beside = isBeside()
const folder = beside ? '../../../.eventspine' : '../../../.eventspine/ward'
const directory = resolve(
  process.env['EVENTSPINE_DIRECTORY'] || fileURLToPath(new URL(folder, import.meta.url)),
)
const mqttPort = 4683
/** 48 hours in eight minutes, again and again: between two readings of a bed lie up to twelve seconds. */
const replay = { ward: 'icu', beds: beside ? 3 : 6, speed: 360 }
const silentMs = 60_000
/** The last two days are told first: none of it is too old to be an alarm. */
const readingAgeMsMax = 49 * 3_600_000
/** One is told after another. */
const firstOnDuty = ['carer', 'second', 'lead']
/** Each address signs in one browser, once. */
const invitationMs = 12 * 3_600_000

const stops: (() => Promise<unknown>)[] = []

async function main(): Promise<void> {
  // An embedded database that another process has started is joined, and ends with the last of them.
  const database = new EmbeddedPostgres({ directory: resolve(directory, 'postgres') })
  const given = process.env['DATABASE_URL'] || undefined
  if (given === undefined) stops.push(() => database.stop())
  const databaseUrl = given ?? (await database.start()).url
  const ports = portsFrom(process.env)
  const settings = { silentMs, readingAgeMsMax, devices: { port: mqttPort }, ...settingsFrom(process.env) }
  const ward = new Ward({ ...settings, databaseUrl })
  stops.push(() => ward.stop())
  const spine = new Eventspine(ward.app, {
    ...{ databaseUrl, cells: ward.cells(databaseUrl), prepare: ward.prepare },
    ...(beside && { logger: logger() }),
  })
  stops.push(() => spine.stop())
  await spine.start()
  const seen = beside ? 'the one above: both apps share the log' : await serve(spine, ports.api)
  const site = new Site({ database: ward.database, keys: ward.keys, spine, port: ports.site })
  stops.push(() => site.stop())
  const { url } = await site.start()
  const people = await onDuty(spine, ward)
  const invited = async (kind: 'carer' | 'display', person: string) =>
    `${url}${await site.invitation({ kind, person, ward: replay.ward }, invitationMs)}`
  const broker =
    'url' in settings.devices ? settings.devices.url : `mqtt://127.0.0.1:${settings.devices.port}`
  const bedside = new Bedside({ ...replay, url: broker, keys: ward.keys, database: ward.database, spine })
  stops.push(() => bedside.stop())
  bedside.start()
  const phones = await Promise.all(
    people.map(async (person) => `  phone   ${await invited('carer', person)}   ${person}\n`),
  )
  process.stdout.write(
    `${beside ? '\n' : ''}The ward runs${beside ? ' beside it' : ''}: ${replay.beds} beds, ${replay.speed} times as fast as they were recorded, from two days ago until now.\n` +
      `  board   ${await invited('display', 'wall')}\n${phones.join('')}  console ${seen}\nCtrl-C stops${beside ? ' both' : ''}.\n`,
  )
}

function isBeside(): boolean {
  const flag = { type: 'boolean', default: false } as const
  try {
    const { beside, help } = parseArgs({ options: { beside: flag, help: flag } }).values
    if (!help) return beside
    process.stdout.write(usage)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
  process.exit()
}

/** Whom a person has put there stays. */
async function onDuty(spine: Eventspine, { database }: Ward): Promise<readonly string[]> {
  const rows = await database.query<{ person: string }>(
    'SELECT person FROM ward.duty WHERE ward = $1 ORDER BY position',
    [replay.ward],
  )
  if (rows.length > 0) return rows.map(({ person }) => person)
  await spine.publish(dutySet, { ward: replay.ward, people: firstOnDuty })
  return firstOnDuty
}

/** The API and the console of a ward that stands alone; answers where the console is. */
async function serve(spine: Eventspine, port: number): Promise<string> {
  const keyFile = resolve(directory, 'development-key')
  const server = createServer(spine, {
    port,
    development: true,
    keyFile,
    console: createConsole(),
  })
  stops.push(() => server.stop())
  const { url } = await server.start()
  return `${url}/console/   key ${server.developmentKey ?? ''}`
}

// The terminal belongs to the story that is told there.
function logger() {
  mkdirSync(directory, { recursive: true })
  const stream = createWriteStream(resolve(directory, 'ward.log'), { flags: 'a' })
  stops.push(() => new Promise((done) => stream.end(done)))
  return jsonLogger('info', Date.now, (line) => stream.write(line))
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
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(beside ? `The ward does not run: ${message}\n` : `${message}\n`)
  process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
// Whoever started it beside itself is gone.
if (beside) process.on('disconnect', () => void stop())
main().catch((error: unknown) => {
  // What is interrupted by a signal fails on the way out: that is no news.
  if (stopping === undefined) explain(error)
  return stop()
})
