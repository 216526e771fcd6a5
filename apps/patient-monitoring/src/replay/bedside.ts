// Bedside monitors that tell the recorded stays again, by MQTT and faster than they were: each bed is a device with a password of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import type { KeyChain } from '../keys.js'
import { inOrderOfTime, type Recorded } from './stays.js'

export interface BedsideOptions {
  /** Of the broker. */
  readonly url: string
  readonly keys: KeyChain
  readonly ward: string
  readonly beds: number
  /** Seconds of the recording in a second. */
  readonly speed: number
}

const recordedMs = 48 * 3_600_000
const reconnectMs = 1_000

export class Bedside {
  readonly #options: BedsideOptions
  readonly #ending = new AbortController()
  readonly #clients = new Map<string, MqttClient>()
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
    await Promise.all([...this.#clients.values()].map((client) => client.endAsync(true)))
    this.#clients.clear()
  }

  // The recording ends now: no reading is of the future, and the last ones are fresh.
  async #tell(): Promise<void> {
    const { speed, beds } = this.#options
    const beganMs = Date.now()
    const admittedMs = beganMs + recordedMs / speed - recordedMs
    for (const recorded of await inOrderOfTime(beds)) {
      const dueMs = beganMs + recorded.afterMs / speed
      if (dueMs > Date.now()) await sleep(dueMs - Date.now(), undefined, { signal: this.#ending.signal })
      await this.#publish(recorded, new Date(admittedMs + recorded.afterMs))
    }
  }

  async #publish({ bed, parameter, value }: Recorded, takenAt: Date): Promise<void> {
    const client = this.#clients.get(bed) ?? (await this.#connect(bed))
    const { ward } = this.#options
    // Not awaited: what the broker has not acknowledged is sent again by itself.
    client.publish(
      `ward/${ward}/bed/${bed}/${parameter}`,
      JSON.stringify({ value, takenAt: takenAt.toISOString() }),
      { qos: 1 },
    )
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
