// The ward in its first shape, with the same library, rules and tables: what becomes of a reading is one function. It is here to be
// measured beside the other; nothing of the other needs it.
import { type App, defineApp, type EventspineOptions } from 'eventspine'
import { events } from '../events.js'
import { devices, duty } from '../functions/people.js'
import { completed, type WardSettings } from '../settings.js'
import { devicesBy } from '../sources/devices.js'
import { routesOf } from '../sources/routes.js'
import { Ward } from '../ward.js'
import { readingArrived } from './reading-arrived.js'

export class FirstWard {
  readonly app: App
  readonly prepare: NonNullable<EventspineOptions['prepare']>
  readonly #ward: Ward

  constructor(given: WardSettings = {}) {
    const settings = completed(given)
    const { pushSubject: subject, pushAnswerMsMax: answerMsMax, pushOrigins, now } = settings
    const { readingAgeMsMax } = settings
    // Tables, keys and connections are those of the ward of today.
    this.#ward = new Ward(given)
    const { database, keys, beds, prepare } = this.#ward
    this.prepare = prepare
    this.app = defineApp({
      name: 'first-ward',
      events,
      subscriptions: [
        readingArrived({ database, keys, subject, answerMsMax, pushOrigins, readingAgeMsMax }),
        ...[duty, devices],
      ],
      sources: [
        devicesBy(settings.devices, { keys, beds, now }),
        ...routesOf({ keys, beds, now, pushOrigins }),
      ],
    })
  }

  /** As many connections as the ward of today. */
  cells(databaseUrl: string): NonNullable<EventspineOptions['cells']> {
    return this.#ward.cells(databaseUrl)
  }

  /** Safe to call twice, and before anything was asked. */
  stop(): Promise<void> {
    return this.#ward.stop()
  }
}
