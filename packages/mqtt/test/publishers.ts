// Devices that publish with QoS 1, and write down what the broker has acknowledged: that must not be lost.
import mqtt, { type MqttClient } from 'mqtt'
import { afterTest } from '../../../test/spine.js'

export class Publishers {
  readonly #clients: readonly MqttClient[]
  /** Numbers of messages that were acknowledged. */
  readonly acknowledged = new Set<number>()
  sent = 0

  private constructor(clients: readonly MqttClient[]) {
    this.#clients = clients
  }

  static async connect(url: string, count: number): Promise<Publishers> {
    const connecting = Array.from({ length: count }, () =>
      mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 100, keepalive: 10 }),
    )
    const publishers = new Publishers(await Promise.all(connecting))
    afterTest(() => publishers.end())
    for (const client of publishers.#clients) client.on('error', () => {})
    return publishers
  }

  /** So many more messages, each client one after another; what is not acknowledged is sent again by itself. */
  async publish(count: number): Promise<void> {
    const end = this.sent + count
    await Promise.all(
      this.#clients.map(async (client, index) => {
        while (this.sent < end) {
          const n = this.sent++
          await client.publishAsync(`wards/icu/beds/${index}/vitals`, JSON.stringify({ n }), {
            qos: 1,
            properties: { userProperties: { id: String(n) } },
          })
          this.acknowledged.add(n)
        }
      }),
    )
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true)))
  }
}
