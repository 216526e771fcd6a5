// The application as a whole, from its settings: what comes in, who reacts to it, what it needs in its database.
import { type App, defineApp, type EventspineOptions } from 'eventspine'
import pg from 'pg'
import { Beds } from './beds.js'
import { Database } from './database.js'
import { events } from './events.js'
import { acknowledge } from './functions/acknowledge.js'
import { address } from './functions/address.js'
import { board } from './functions/board.js'
import { charts } from './functions/charts.js'
import { escalation } from './functions/escalation.js'
import { history } from './functions/history.js'
import { invite } from './functions/invite.js'
import { devices, duty, whoIsOnDuty } from './functions/people.js'
import { push } from './functions/push.js'
import { qualify } from './functions/qualify.js'
import { report, shiftEnds } from './functions/report.js'
import { silenceWatch, watch } from './functions/watch.js'
import { firstKeys, KeyChain } from './keys.js'
import { completed, type WardSettings } from './settings.js'
import { devicesBy } from './sources/devices.js'
import { routesOf } from './sources/routes.js'
import { createTables } from './tables.js'

export class Ward {
  readonly app: App
  /** Of the pages: what hangs behind them may take all of it. */
  readonly database: Database
  readonly keys: KeyChain
  readonly beds: Beds
  /** Of what stands between a reading and a person. */
  readonly #urgent: Database
  #databaseUrl: string | undefined

  constructor(given: WardSettings = {}) {
    const settings = completed(given)
    this.#databaseUrl = given.databaseUrl
    this.database = new Database(() => this.#url)
    this.#urgent = new Database(() => this.#url)
    this.keys = new KeyChain(this.#urgent)
    this.beds = new Beds(this.#urgent)
    const { pushSubject: subject, pushAnswerMsMax: answerMsMax, pushOrigins, now } = settings
    const { readingAgeMsMax } = settings
    // Between a reading and a person.
    const urgent = [
      ...[qualify(readingAgeMsMax), watch(settings.silentMs), address, acknowledge, duty, devices],
      push(this.#urgent, this.keys, { subject, answerMsMax, pushOrigins }),
    ]
    // Whatever else is made of it.
    const records = [history, charts(readingAgeMsMax), board, report, invite(this.keys)]
    this.app = defineApp({
      name: 'ward',
      events,
      subscriptions: [...urgent, ...records],
      workflows: [escalation(settings, (of) => whoIsOnDuty(this.#urgent, of))],
      schedules: [silenceWatch, shiftEnds(settings.timeZone)],
      sources: [
        devicesBy(settings.devices, { keys: this.keys, beds: this.beds, now }),
        ...routesOf({ keys: this.keys, beds: this.beds, now, pushOrigins }),
      ],
    })
  }

  /** What the app needs in its database; give it to `new Eventspine(ward.app, { prepare: ward.prepare })`. */
  readonly prepare: NonNullable<EventspineOptions['prepare']> = async ({ databaseUrl }) => {
    this.#databaseUrl ??= databaseUrl
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    try {
      await client.query(createTables)
      const [text, values] = firstKeys()
      await client.query(text, [...values])
    } finally {
      await client.end()
    }
  }

  /** Give it to `new Eventspine(ward.app, { cells: ward.cells(databaseUrl) })`: a connection for each function that has transactions. It
   *  has one at a time, so that those which hang leave all others theirs. With the usual six, while four hung, alarms found none 147 times of 1,148. */
  cells(databaseUrl: string): NonNullable<EventspineOptions['cells']> {
    const connectionsMax = this.app.subscriptions.filter(({ handle }) => handle === undefined).length
    return { main: { url: databaseUrl, connectionsMax } }
  }

  /** Ends the application's own connections. Safe to call twice, and before anything was asked. */
  async stop(): Promise<void> {
    await Promise.all([this.database.stop(), this.#urgent.stop()])
  }

  get #url(): string {
    const url = this.#databaseUrl ?? process.env['DATABASE_URL'] ?? ''
    if (url === '')
      throw new Error('The ward knows no database. Set DATABASE_URL, or start it with its prepare.')
    return url
  }
}
