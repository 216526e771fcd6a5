// One connection of a source to its broker, from CONNECT to its end. Many messages are in hand at once, and each is acknowledged
// when it is durable.
import type { SourceRun } from 'eventspine/source'
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient, type Packet } from 'mqtt'
import { AckLine } from './ack-line.js'
import { connectionFault } from './connection-fault.js'
import { headersOf } from './message.js'
import { isRefused, Persistence } from './persistence.js'

export interface SubscriberOptions {
  readonly url: string
  readonly clientId: string
  readonly connect: IClientOptions
  readonly filters: readonly string[]
  readonly inFlightMax: number
  readonly sessionExpirySeconds: number
  /** Undefined where it has none. */
  id(publish: IPublishPacket): string | undefined
  orderKey(publish: IPublishPacket): string
}

const connectTimeoutMs = 10_000
const keepaliveSeconds = 30
/** A body of 256 KiB, its topic and its properties. What is larger a broker does not send. */
const packetBytesMax = 384 * 1024
/** What is in hand when it is told to end is stored and acknowledged; the source itself has 5 s. */
const drainMsMax = 3_000
/** Told to mqtt.js for each message. Made once: the stack of one for each was a tenth of what a message costs. */
const notYet = new Error('It is acknowledged when it is durable.')

export class Subscriber {
  readonly #options: SubscriberOptions
  readonly #run: SourceRun
  readonly #client: MqttClient
  readonly #acks: AckLine
  readonly #persistence: Persistence
  /** Messages in hand, of QoS 0 as well. */
  #inHand = 0
  #emptied = () => {}

  constructor(options: SubscriberOptions, run: SourceRun) {
    this.#options = options
    this.#run = run
    this.#persistence = new Persistence(run)
    this.#client = mqtt.connect(options.url, {
      keepalive: keepaliveSeconds,
      connectTimeout: connectTimeoutMs,
      ...options.connect,
      ...{ protocolVersion: 5, clientId: options.clientId, clean: false },
      // A lost connection ends the run: that is logged, counted and seen, and the source is started again.
      ...{ reconnectPeriod: 0, resubscribe: false },
      properties: {
        receiveMaximum: options.inFlightMax,
        sessionExpiryInterval: options.sessionExpirySeconds,
        maximumPacketSize: packetBytesMax,
      },
    })
    this.#client.handleMessage = (packet, done) => this.#take(packet, done)
    this.#acks = new AckLine((packets) => {
      // Of a connection that is gone nothing can be acknowledged: the next one is sent it again.
      if (this.#client.connected) this.#client.stream.write(packets)
    })
  }

  /** Resolves when its signal aborts and what was in hand is acknowledged; rejects with why the connection ended. */
  async run(): Promise<void> {
    const { signal, logger } = this.#run
    const ended = this.#ended()
    try {
      await Promise.race([this.#subscribe(), ended, aborted(signal)])
      if (!signal.aborted) logger.info('connected to the MQTT broker', { clientId: this.#options.clientId })
      await Promise.race([aborted(signal), ended])
      await Promise.race([this.#drained(), ended, after(drainMsMax)])
      this.#acks.flush()
      // The session stays, and what was not acknowledged with it.
      await this.#client.endAsync()
    } finally {
      this.#client.end(true)
      ended.catch(() => {})
    }
  }

  #ended(): Promise<never> {
    let cause: Error | undefined
    return new Promise((_, reject) => {
      this.#client.on('error', (error) => {
        cause ??= error
      })
      this.#client.on('disconnect', ({ reasonCode }) => {
        cause ??= new Error(`the broker ended the connection with reason ${reasonCode}`)
      })
      this.#client.once('close', () => reject(connectionFault(cause)))
    })
  }

  async #subscribe(): Promise<void> {
    if (!this.#client.connected)
      await new Promise<unknown>((resolve) => this.#client.once('connect', resolve))
    const wanted = Object.fromEntries(this.#options.filters.map((filter) => [filter, { qos: 1 as const }]))
    // Sent again with each connection: a session may have been lost with its broker.
    for (const { topic, qos } of await this.#client.subscribeAsync(wanted))
      if (qos >= 0x80)
        throw new Error(`The MQTT broker refuses the subscription to ${topic} (reason ${qos}).`)
  }

  // mqtt.js goes on to the next packet when `done` is called, and acknowledges this one unless it is given an error. With
  // `done` behind the append there would be one message in hand; so it is told at once not to, and that is done here.
  #take(packet: Packet, done: (error?: Error) => void): void {
    if (packet.cmd !== 'publish') return done()
    // Not taken any more: sent again to whoever has this session next.
    if (this.#run.signal.aborted) return done(notYet)
    const settle = packet.qos > 0 ? this.#acks.enter(packet.messageId ?? 0) : undefined
    this.#inHand++
    // A broker is to stop at `receiveMaximum`. For QoS 0 it need not, and mosquitto 2.0.11 does not once it is acknowledged
    // something (9,900 where 100 were wanted): then no more is read, and TCP holds it up.
    const isOver = this.#inHand > this.#options.inFlightMax
    const leave = () => {
      this.#inHand--
      if (this.#inHand === 0) this.#emptied()
      if (isOver) done(notYet)
    }
    void this.#receive(packet).then(() => {
      settle?.()
      leave()
    }, leave)
    if (!isOver) done(notYet)
  }

  async #receive(packet: IPublishPacket): Promise<void> {
    const { logger } = this.#run
    const { topic, qos, retain, payload, properties = {} } = packet
    const { userProperties, contentType } = properties
    const id = this.#said(packet, 'id')
    const orderKey = this.#said(packet, 'orderKey') ?? topic
    const headers = headersOf({ topic, qos, retain, properties: userProperties as never, contentType })
    const message = { orderKey, headers, body: payload }
    try {
      await this.#persistence.receive(id === undefined ? message : { ...message, id })
    } catch (error) {
      if (!isRefused(error)) throw error
      logger.error('an MQTT message was refused and is lost', { topic: topic.slice(0, 200), error })
    }
  }

  // A message of which it cannot be said can still be kept for a person.
  #said(packet: IPublishPacket, option: 'id' | 'orderKey'): string | undefined {
    try {
      return this.#options[option](packet)
    } catch (error) {
      const lost = option === 'id' ? 'a repeat is another event' : 'it is in the order of its topic'
      this.#run.logger.warn(`the ${option} of an MQTT message could not be taken from it; ${lost}`, { error })
      return undefined
    }
  }

  async #drained(): Promise<void> {
    if (this.#inHand > 0) await new Promise<void>((resolve) => (this.#emptied = resolve))
  }
}

/** By which a broker knows the n-th worker that runs a source. */
export const clientIdOf = (name: string, slot: number) => `${name}-${slot}`

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
