// One run of the broker, from its first connection to its last. aedes speaks the protocol: it acknowledges a message when
// `authorizePublish` calls back, and reads on when all that it has read is acknowledged. So that is where messages are stored,
// and where a device is held up.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { createServer as createTlsServer } from 'node:tls'
import { Aedes, type AedesOptions, type AuthenticateError, type Client } from 'aedes'
import type { ReceivedMessage, SourceRun } from 'eventspine/source'
import { bytesMost, type MqttBrokerOptions, type PublishedByDevice } from './broker-options.js'
import { type Connection, Connections } from './connections.js'
import { type Device, faultOf } from './device.js'
import { FrameGuard } from './frame-guard.js'
import { headersOf } from './message.js'
import { isRefused, Persistence } from './persistence.js'
import { filterMatches } from './topic-pattern.js'

type Hooks = Required<
  Pick<AedesOptions, 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe'>
>
type Publish = Parameters<Hooks['authorizePublish']>[1]

const connectTimeoutMs = 10_000
const connectionsMaxDefault = 10_000
const clientIdCharactersMax = 200
/** A topic and the headers of a packet, besides its payload. */
const packetBytesMore = 70_000
const watchEveryMs = 1_000
/** What is in hand at the end is stored and acknowledged; the source itself has 5 s. */
const drainMsMax = 3_000
const farewellMsMax = 1_000
/** Return codes of CONNACK. */
const refusals = { unavailable: 3, credentials: 4 } as const

export class DeviceBroker {
  readonly #options: MqttBrokerOptions
  readonly #run: SourceRun
  readonly #connections: Connections
  readonly #persistence: Persistence
  readonly #sockets = new Set<Socket>()
  /** Seconds between two signs of life, as a client says before it is known. */
  readonly #keepalives = new WeakMap<Client, number>()
  readonly #inHand = new Set<Promise<void>>()

  constructor(options: MqttBrokerOptions, run: SourceRun) {
    this.#options = options
    this.#run = run
    this.#persistence = new Persistence(run)
    this.#connections = new Connections(options.perDevice)
  }

  /** Resolves when its signal has aborted and what was in hand is acknowledged. */
  async run(): Promise<void> {
    const { signal, logger, pause } = this.#run
    const broker = await Aedes.createBroker({ ...this.#hooks(), connectTimeout: connectTimeoutMs })
    // Each connection that fails says so there; that it ended is seen without.
    broker.on('clientError', (client, error) =>
      logger.debug('a connection failed', { client: client.id, error }),
    )
    broker.on('connectionError', (_, error) => logger.debug('a connection failed', { error }))
    const server = this.#server((socket) => this.#accept(broker, socket))
    try {
      const { port, host = '127.0.0.1' } = this.#options
      await once(server.listen(port, host), 'listening')
      logger.info('the MQTT broker listens', server.address() as object as Record<string, unknown>)
      while (!signal.aborted) {
        await pause(watchEveryMs)
        for (const client of this.#connections.silent(performance.now())) client.close()
      }
    } finally {
      await this.#close(broker, server)
    }
  }

  #server(accept: (socket: Socket) => void): Server {
    const { tls, connectionsMax = connectionsMaxDefault } = this.#options
    const server =
      tls === undefined
        ? createServer(accept)
        : createTlsServer({ ...tls, handshakeTimeout: connectTimeoutMs }, accept)
    server.maxConnections = connectionsMax
    return server
  }

  #accept(broker: Aedes, socket: Socket): void {
    const { bytesMax = bytesMost } = this.#options.perDevice ?? {}
    const guard = new FrameGuard(bytesMax + packetBytesMore)
    const read = socket.read.bind(socket)
    socket.read = (size) => {
      const chunk = read(size) as Buffer | null
      if (chunk === null || guard.admits(chunk)) return chunk
      this.#run.logger.warn('an MQTT client sends more than it may, and is disconnected', {
        address: socket.remoteAddress,
      })
      socket.destroy()
      return null
    }
    this.#sockets.add(socket)
    const client = broker.handle(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#connections.remove(client)
    })
  }

  #hooks(): Hooks {
    return {
      preConnect: (client, packet, done) => {
        const fault = this.#run.signal.aborted || packet.clientId.length > clientIdCharactersMax
        // Its signs of life are watched here: aedes would take it for dead while it is held up.
        this.#keepalives.set(client, packet.keepalive ?? 0)
        packet.keepalive = 0
        // Without a goodbye aedes speaks of the last will alone.
        if (this.#options.offline !== undefined)
          packet.will ??= { topic: noWill, payload: Buffer.alloc(0), qos: 1, retain: false }
        done(fault ? new Error('not taken') : null, !fault)
      },
      authenticate: (client, username, password, done) => {
        void this.#answer(client, username, password?.toString(), done)
      },
      authorizeSubscribe: (_client, _subscription, done) => done(null, null),
      authorizePublish: (client, packet, done) => this.#publish(client, packet, done),
    }
  }

  async #answer(
    client: Client,
    username: string | undefined,
    password: string | undefined,
    done: Parameters<Hooks['authenticate']>[3],
  ): Promise<void> {
    const returnCode = await this.#authenticate(client, username, password)
    if (returnCode === undefined) return done(null, true)
    const refusal = Object.assign(new Error('refused'), {
      returnCode: returnCode as AuthenticateError['returnCode'],
    })
    done(refusal, false)
  }

  /** Answers with what it is refused; undefined where it is welcome. */
  async #authenticate(
    client: Client,
    username: string | undefined,
    password: string | undefined,
  ): Promise<number | undefined> {
    const { logger } = this.#run
    const { devices, topics = ownTopics } = this.#options
    const { remoteAddress: address } = client.conn as Socket
    const clientId = client.id
    try {
      const asked = devices({ clientId, username, password, address })
      const device = await within(connectTimeoutMs, asked, () => {
        throw new Error(`devices() did not answer within ${connectTimeoutMs / 1_000} s`)
      })
      if (device === null) {
        logger.warn('an MQTT client is refused: nobody knows it', { clientId, address })
        return refusals.credentials
      }
      const fault = faultOf(device)
      if (fault !== undefined) throw new TypeError(fault)
      // Each device has client ids of its own: by that of another it could cut that one off, or lock it out.
      client.id = JSON.stringify([device.id, clientId])
      if ((client.conn as Socket).destroyed) return refusals.unavailable
      const keepaliveMs = (this.#keepalives.get(client) ?? 0) * 1_000
      const own = { clientId, device }
      const oldest = this.#connections.add(client, own, topics(device), keepaliveMs, performance.now())
      if (oldest === undefined) return undefined
      logger.warn('a device has more connections than it may, and its oldest ends', { device: device.id })
      oldest.close()
      return undefined
    } catch (error) {
      logger.error('an MQTT client could not be told who it is', { clientId, address, error })
      return refusals.unavailable
    }
  }

  #publish(client: Client | null, packet: Publish, done: (error?: Error | null) => void): void {
    const connection = client === null ? undefined : this.#connections.of(client)
    if (client === null || connection === undefined) return done(new Error('nobody publishes this'))
    const { signal } = this.#run
    if (packet === (client as Client & { readonly will?: unknown }).will) {
      // That the broker ends is no news of its devices.
      if (!signal.aborted) this.#ended(connection, packet)
      // Nobody is there whom aedes could tell.
      return done(new Error('taken'))
    }
    // Without an answer: it is neither stored nor acknowledged, and the connection stays for what still will be.
    if (signal.aborted) return
    const fault = this.#faultOf(connection, packet)
    if (fault !== undefined) {
      const { device } = connection
      this.#run.logger.warn(`a device ${fault}, and is disconnected`, {
        device: device.id,
        topic: packet.topic.slice(0, 200),
      })
      return done(new Error(fault))
    }
    const { topic, qos, retain } = packet
    const headers = headersOf({ topic, qos, retain: retain === true }, ownHeaders(connection))
    // Nobody asks for it later.
    packet.retain = false
    const isWanted = () => packet.qos === 0 || !client.closed
    void this.#acknowledged(this.#hold(connection, this.#take(connection, packet, headers, isWanted)), done)
  }

  async #acknowledged(stored: Promise<void>, done: (error?: Error | null) => void): Promise<void> {
    try {
      await stored
    } catch {
      // The connection ends, and the device sends it again.
      return done(new Error('not stored'))
    }
    done(null)
  }

  #faultOf({ filters }: Connection, { topic, payload }: Publish): string | undefined {
    const { bytesMax = bytesMost } = this.#options.perDevice ?? {}
    if (!filters.some((filter) => filterMatches(filter, topic)))
      return 'published under a topic that is not its own'
    return payload.length > bytesMax ? `published more than ${bytesMax} bytes at once` : undefined
  }

  async #take(
    connection: Connection,
    packet: Publish,
    headers: Record<string, string>,
    isWanted: () => boolean,
  ): Promise<void> {
    const waits = connection.pace.turn(() => performance.now(), this.#run.pause)
    if (waits !== undefined) await waits
    // Sent again: it was not acknowledged.
    if (!isWanted()) throw new Error('its connection is gone')
    const body = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    const id = this.#idOf({ device: connection.device.id, topic: packet.topic, payload: body })
    await this.#receive(connection, { ...(id !== undefined && { id }), headers, body }, isWanted)
  }

  // One that has none can still be kept for a person; to disconnect the device would have it send the same again.
  #idOf(message: PublishedByDevice): string | undefined {
    try {
      return this.#options.id?.(message)
    } catch (error) {
      const { device } = message
      this.#run.logger.warn(
        'the id of an MQTT message could not be taken from it; a repeat is another event',
        {
          ...{ device, error },
        },
      )
      return undefined
    }
  }

  // Each device is an order of its own.
  async #receive({ device }: Connection, message: ReceivedMessage, isWanted?: () => boolean): Promise<void> {
    try {
      await this.#persistence.receive({ ...message, orderKey: device.id }, isWanted)
    } catch (error) {
      if (!isRefused(error)) throw error
      this.#run.logger.error('an MQTT message was refused and is lost', {
        topic: message.headers?.['mqtt-topic'],
        error,
      })
    }
  }

  // The connection has ended without a goodbye.
  #ended(connection: Connection, will: Publish): void {
    const { device, replaced } = connection
    const report = (kind: 'will' | 'offline', headers: Record<string, string>, body: Uint8Array | string) => {
      const message = {
        id: `${connection.id}:${kind}`,
        headers: { ...headers, [`mqtt-${kind}`]: 'true' },
        body,
      }
      this.#hold(connection, this.#receive(connection, message)).catch((error: unknown) =>
        this.#run.logger.error(`the end of a connection was not stored`, { device: device.id, kind, error }),
      )
    }
    const own = ownHeaders(connection)
    if (will.topic !== noWill) {
      const fault = this.#faultOf(connection, will)
      if (fault === undefined)
        report('will', headersOf({ topic: will.topic, qos: will.qos, retain: false }, own), will.payload)
      else
        this.#run.logger.warn(`a device ${fault} as its last will, which is left out`, { device: device.id })
    }
    if (this.#options.offline !== undefined && !replaced)
      report('offline', own, JSON.stringify({ device: device.id, clientId: connection.clientId }))
  }

  #hold(connection: Connection, work: Promise<void>): Promise<void> {
    connection.held++
    const held = work.finally(() => {
      connection.held--
      this.#inHand.delete(held)
    })
    this.#inHand.add(held)
    return held
  }

  async #close(broker: Aedes, server: Server): Promise<void> {
    server.close()
    await within(drainMsMax, this.#drained(), () =>
      this.#run.logger.warn('messages of devices were not stored in time, and not acknowledged', {
        messages: this.#inHand.size,
      }),
    )
    // Behind their last acknowledgements.
    const closed = [...this.#sockets].map((socket) => {
      socket.end()
      return once(socket, 'close')
    })
    await within(farewellMsMax, Promise.allSettled(closed), () => {})
    await new Promise<void>((resolve) => broker.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
  }

  async #drained(): Promise<void> {
    while (this.#inHand.size > 0) await Promise.allSettled(this.#inHand)
  }
}

/** The last will of those that have none, for the broker alone. */
const noWill = '$eventspine/no-will'

const ownTopics = ({ id }: Device) => [`devices/${id}/#`]

const ownHeaders = ({ device }: Connection) => ({ ...device.headers, 'mqtt-device': device.id })

/** What `work` answers, or what `late` does once so many milliseconds are over. */
async function within<Answer, Late>(
  ms: number,
  work: Promise<Answer>,
  late: () => Late,
): Promise<Answer | Late> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    const first = await Promise.race([work.then((answer) => ({ answer })), over])
    return first === undefined ? late() : first.answer
  } finally {
    clearTimeout(timer)
  }
}
