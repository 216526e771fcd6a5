// Bedside monitors that tell the recorded stays again and again, by MQTT and faster than they were: each bed is a device with a password of
// its own. Stopped and started again, they go on where they stopped.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Eventspine } from 'eventspine'
import mqtt, { type MqttClient } from 'mqtt'
import type { Database } from '../database.js'
import type { KeyChain } from '../keys.js'
import { course, placeOf } from './course.js'
import { inOrderOfTime, type Recorded } from './stays.js'

export interface BedsideOptions {
  /** Of the broker. */
  readonly url: string
  readonly keys: KeyChain
  /** What the ward knows of its beds. */
  readonly database: Database
  /** What was told of them. */
  readonly spine: Eventspine
  readonly ward: string
  readonly beds: number
  /** Seconds of the recording in a second. */
  readonly speed: number
}

const reconnectMs = 1_000
/** So long a broker may take to acknowledge what was told last, and so long to hear a goodbye. */
const leaveMsMax = 10_000

export class Bedside {
  readonly #options: BedsideOptions
  readonly #ending = new AbortController()
  readonly #clients = new Map<string, MqttClient>()
  /** What the broker has not acknowledged so far, and under which number it was sent. */
  readonly #sending = new Map<Promise<unknown>, { readonly client: MqttClient; readonly number: number }>()
  #telling: Promise<void> | undefined

  constructor(options: BedsideOptions) {
    this.#options = options
  }

  start(): void {
    this.#telling ??= this.#tell().catch((error: unknown) => {
      if (!this.#ending.signal.aborted) throw error
    })
  }

  /** Safe to call twice, and before start. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#telling
    await within(leaveMsMax, Promise.all(this.#sending.keys()))
    // Who says goodbye is not missed: nobody is told that a bed is silent. A client says it behind the last word that is acknowledged: what
    // is not by now is taken back, and told by whoever goes on here.
    for (const { client, number } of this.#sending.values()) client.removeOutgoingMessage(number)
    await within(leaveMsMax, Promise.all([...this.#clients.values()].map((client) => client.endAsync())))
    this.#clients.clear()
  }

  async #tell(): Promise<void> {
    const { speed, beds, database, spine } = this.#options
    const recorded = await inOrderOfTime(beds)
    const beganMs = Date.now()
    const place = await placeOf({ database, spine }, recorded, beganMs)
    for (const due of course(recorded, place, beganMs, speed)) {
      const waitMs = due.dueMs - Date.now()
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#ending.signal })
      this.#ending.signal.throwIfAborted()
      await this.#publish(due.recorded, new Date(due.takenMs))
    }
  }

  async #publish({ bed, parameter, value }: Recorded, takenAt: Date): Promise<void> {
    const client = this.#clients.get(bed) ?? (await this.#connect(bed))
    const { ward } = this.#options
    // Not awaited: what the broker has not acknowledged is sent again by itself.
    const sending: Promise<unknown> = client
      .publishAsync(
        `ward/${ward}/bed/${bed}/${parameter}`,
        JSON.stringify({ value, takenAt: takenAt.toISOString() }),
        { qos: 1 },
      )
      .catch(() => undefined)
      .then(() => this.#sending.delete(sending))
    this.#sending.set(sending, { client, number: client.getLastMessageId() })
  }

  async #connect(bed: string): Promise<MqttClient> {
    const { url, keys, ward } = this.#options
    const client = mqtt.connect(url, {
      ...{ clientId: `monitor-${bed}`, username: `ward/${ward}/bed/${bed}`, reconnectPeriod: reconnectMs },
      password: await keys.devicePassword(ward, bed),
      will: {
        topic: `ward/${ward}/bed/${bed}/status`,
        payload: Buffer.from('offline'),
        qos: 1,
        retain: false,
      },
    })
    // It connects again by itself.
    client.on('error', () => {})
    this.#clients.set(bed, client)
    return client
  }
}

async function within(msMax: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController()
  const { signal } = done
  await Promise.race([work, sleep(msMax, undefined, { signal }).catch(() => undefined)])
  done.abort()
}
