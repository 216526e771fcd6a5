// What the tests of the running ward share: a database of its own, people with phones, readings of beds.
import { createHash } from 'node:crypto'
import { Eventspine, type EventspineOptions, jsonLogger } from 'eventspine'
import pg from 'pg'
import { afterTest, databaseUrl, until } from '../../../test/spine.js'
import { FirstWard } from '../src/before/first-ward.js'
import { deviceRegistered, dutySet, readingsTaken } from '../src/events.js'
import { isArtefact, type Parameter } from '../src/rules/parameters.js'
import type { WardSettings } from '../src/settings.js'
import { Ward } from '../src/ward.js'
import { type Answer, PushService } from './push-service.js'

let databases = 0

/** Where it is between 10 and 11 in the morning: no shift ends for three hours, whenever the tests run. */
const timeZone = (() => {
  const ahead = ((10 - new Date().getUTCHours() + 36) % 24) - 12
  return `Etc/GMT${ahead < 0 ? '+' : '-'}${Math.abs(ahead)}`
})()

/** The ward of today, or its first shape. */
export type Shape = 'today' | 'first'

export class Stage {
  /** Of whose app the first shape takes the place; tables, keys and connections are the same. */
  readonly ward: Ward
  readonly spine: Eventspine
  readonly push: PushService
  readonly url: string
  /** Lines of the log, from `warn`. */
  readonly logged: string[] = []
  readonly #first: FirstWard | undefined

  private constructor(
    url: string,
    push: PushService,
    settings: WardSettings,
    options: Partial<EventspineOptions>,
    shape: Shape,
  ) {
    this.url = url
    this.push = push
    const all = { devices: { port: 0 }, pushOrigins: [push.origin], databaseUrl: url, timeZone, ...settings }
    this.ward = new Ward(all)
    this.#first = shape === 'first' ? new FirstWard(all) : undefined
    this.spine = new Eventspine((this.#first ?? this.ward).app, {
      ...{ databaseUrl: url, cells: this.ward.cells(url), prepare: this.ward.prepare },
      ...{ shutdownMs: 2_000, stalledMs: 0, sources: false },
      logger: jsonLogger('warn', Date.now, (line) => this.logged.push(line)),
      ...options,
    })
  }

  static async start(
    settings: WardSettings = {},
    options: Partial<EventspineOptions> = {},
    shape: Shape = 'today',
  ): Promise<Stage> {
    const url = settings.databaseUrl ?? (await freshDatabase())
    const push = new PushService()
    await push.start()
    afterTest(() => push.stop())
    const stage = new Stage(url, push, settings, options, shape)
    afterTest(async () => {
      await stage.spine.stop()
      await stage.#first?.stop()
      await stage.ward.stop()
    })
    await stage.spine.start()
    return stage
  }

  async sql<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.ward.database.query<Row>(text, values)
  }

  /** Who is told of the alarms of ward `icu`, each with phones that answer so. */
  async onDuty(people: Readonly<Record<string, Readonly<Record<string, readonly Answer[]>>>>): Promise<void> {
    await this.spine.publish(dutySet, { ward: 'icu', people: Object.keys(people) })
    let phones = 0
    for (const [person, of] of Object.entries(people))
      for (const [phone, answers] of Object.entries(of)) {
        const { endpoint, keys } = this.push.subscribe(phone, ...answers)
        await this.spine.publish(deviceRegistered, {
          person,
          device: { id: idOf(endpoint), endpoint, ...keys },
        })
        phones += 1
        // The first that is registered is tried first.
        await until(async () => (await this.sql('SELECT FROM ward.device')).length === phones)
      }
    await until(async () => (await this.sql('SELECT FROM ward.duty')).length === Object.keys(people).length)
  }

  /** One alarm, of the mean pressure: nothing else is made of it. */
  async alarm(bed: string): Promise<void> {
    const nowMs = Date.now()
    await this.spine.publish(readingsTaken, {
      ...{ ward: 'icu', bed },
      readings: [10_000, 0].map((beforeMs) => ({
        ...{ parameter: 'MAP' as const, value: 50, artefact: false },
        takenAt: new Date(nowMs - beforeMs).toISOString(),
      })),
    })
  }

  async measure(bed: string, parameter: Parameter, value: number, takenAt = new Date()): Promise<void> {
    await this.spine.publish(readingsTaken, {
      ...{ ward: 'icu', bed },
      readings: [
        { parameter, value, takenAt: takenAt.toISOString(), artefact: isArtefact(parameter, value) },
      ],
    })
  }

  /** Data of the events of a type, oldest first, once there are so many. */
  events<Data>(type: string, atLeast = 0, ms?: number): Promise<readonly Data[]> {
    return until(async () => {
      const { items } = await this.spine
        .operator()
        .events({ type: `ward.${type}`, order: 'oldest', limit: 500 })
      return items.length >= atLeast ? items.map(({ data }) => data as Data) : null
    }, ms)
  }
}

export const idOf = (endpoint: string) =>
  createHash('sha256').update(endpoint).digest('base64url').slice(0, 22)

/** On the server of the tests, gone after the test: the tables of the ward have one name. */
export async function freshDatabase(): Promise<string> {
  const name = `ward_${process.pid}_${++databases}`
  await asOwner(`CREATE DATABASE ${name}`)
  afterTest(() => asOwner(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return url.href
}

async function asOwner(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
