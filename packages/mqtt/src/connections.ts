// Who is connected to the broker, how fast each device may go, and who has fallen silent.
import { randomUUID } from 'node:crypto'
import type { Client } from 'aedes'
import type { MqttBrokerOptions } from './broker-options.js'
import type { Device } from './device.js'
import { Pace } from './pace.js'

export interface Connection {
  readonly id: string
  /** As the device calls it. */
  readonly clientId: string
  readonly device: Device
  readonly filters: readonly string[]
  readonly keepaliveMs: number
  readonly pace: Pace
  /** Messages of it that are in hand: while it is held up, it cannot say that it lives. */
  held: number
  /** The same client has come again. */
  replaced: boolean
  bytesSeen: number
  seenAtMs: number
}

const messagesPerSecondMaxDefault = 100
const connectionsMaxDefault = 10

export class Connections {
  readonly #messagesPerSecondMax: number
  readonly #connectionsMax: number
  readonly #open = new Map<Client, Connection>()
  readonly #byClientId = new Map<string, Client>()
  /** Of each device, the oldest first. */
  readonly #byDevice = new Map<string, Set<Client>>()
  /** What a connection that has just gone leaves behind, such as its last will, is still of its device. */
  readonly #known = new WeakMap<Client, Connection>()
  /** By device, whatever its connections: a new one is no fresh start. */
  readonly #paces = new Map<string, Pace>()

  constructor({ messagesPerSecondMax, connectionsMax }: NonNullable<MqttBrokerOptions['perDevice']> = {}) {
    this.#messagesPerSecondMax = messagesPerSecondMax ?? messagesPerSecondMaxDefault
    this.#connectionsMax = connectionsMax ?? connectionsMaxDefault
  }

  /** Answers the one that must end for it, where the device has as many as it may. */
  add(
    client: Client,
    { clientId, device }: Pick<Connection, 'clientId' | 'device'>,
    filters: readonly string[],
    keepaliveMs: number,
    nowMs: number,
  ): Client | undefined {
    const before = this.#of(client.id)
    if (before !== undefined) before.replaced = true
    const pace = this.#paces.get(device.id) ?? new Pace(this.#messagesPerSecondMax)
    this.#paces.set(device.id, pace)
    const connection: Connection = {
      ...{ id: randomUUID(), clientId, device, filters, keepaliveMs, pace },
      ...{ held: 0, replaced: false, bytesSeen: 0, seenAtMs: nowMs },
    }
    this.#open.set(client, connection)
    this.#byClientId.set(client.id, client)
    this.#known.set(client, connection)
    const own = this.#byDevice.get(device.id) ?? new Set()
    this.#byDevice.set(device.id, own.add(client))
    if (own.size <= this.#connectionsMax) return undefined
    const [oldest] = own
    const ending = oldest && this.#open.get(oldest)
    if (ending !== undefined) ending.replaced = true
    return oldest
  }

  remove(client: Client): void {
    const id = this.#open.get(client)?.device.id ?? ''
    const own = this.#byDevice.get(id)
    own?.delete(client)
    if (own?.size === 0) this.#byDevice.delete(id)
    this.#open.delete(client)
    if (this.#byClientId.get(client.id) === client) this.#byClientId.delete(client.id)
  }

  of(client: Client): Connection | undefined {
    return this.#known.get(client)
  }

  #of(clientId: string): Connection | undefined {
    const client = this.#byClientId.get(clientId)
    return client && this.#open.get(client)
  }

  /** Those that have said nothing for one and a half times as long as they wanted to (MQTT-3.1.2-24). Forgets what holds nobody up any more. */
  silent(nowMs: number): readonly Client[] {
    const silent: Client[] = []
    for (const [client, connection] of this.#open) {
      const { bytesRead = 0 } = client.conn as { readonly bytesRead?: number }
      if (connection.held > 0 || bytesRead !== connection.bytesSeen) {
        connection.bytesSeen = bytesRead
        connection.seenAtMs = nowMs
      } else if (connection.keepaliveMs > 0 && nowMs - connection.seenAtMs > connection.keepaliveMs * 1.5)
        silent.push(client)
    }
    for (const [id, pace] of this.#paces) if (pace.isIdle(nowMs)) this.#paces.delete(id)
    return silent
  }
}
