// Many devices that publish with QoS 1, at next to no cost: what is to be measured is the other side. Each has a connection of its
// own, and sends again what was not acknowledged once it is connected again.
import { connect, type Socket } from 'node:net'

export interface DevicesOptions {
  readonly port: number
  /** Connections. */
  readonly count: number
  /** Messages of one device that wait for their acknowledgement. Default 1. */
  readonly inFlightMax?: number
  /** Of which the device's number is a part. Default `wards/icu/beds/N/vitals`. */
  topicOf?(device: number): string
}

const reconnectMs = 100
/** Connections that are being made at once: a broker's backlog is short. */
const connectingMax = 50
const receiveBytes = 64 * 1024
/** Digits of a number in a message: its packet always has the same length. */
const digits = 9
const numberMost = 10 ** digits - 1
const packetType = { connack: 2, puback: 4 }

/** Publishes the numbers 0, 1, 2 …, each once, as `{"n":…}` and as the user property `id`. */
export class Devices {
  readonly #devices: readonly Device[]
  /** All sockets are read into it, one after another. */
  readonly #buffer = Buffer.allocUnsafe(receiveBytes)
  #sent = 0
  #end = 0
  /** Messages that the broker has taken over: these must not be lost. */
  acknowledged = 0
  #settled = () => {}

  private constructor({ port, count, inFlightMax = 1, topicOf = vitalsOf }: DevicesOptions) {
    const line: Line = {
      port,
      buffer: this.#buffer,
      next: () => (this.#sent < this.#end ? this.#sent++ : undefined),
      acknowledged: () => {
        this.acknowledged++
        if (this.acknowledged === this.#end) this.#settled()
      },
    }
    this.#devices = Array.from(
      { length: count },
      (_, device) => new Device(line, topicOf(device), inFlightMax),
    )
  }

  /** Resolves when all are connected. */
  static async connect(options: DevicesOptions): Promise<Devices> {
    const devices = new Devices(options)
    const waiting = [...devices.#devices]
    const lane = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await next.connect()
    }
    await Promise.all(Array.from({ length: connectingMax }, lane))
    return devices
  }

  /** So many more, from all devices as each is acknowledged what it sent. Resolves when all are acknowledged. */
  async publish(count: number): Promise<void> {
    this.#end += count
    if (this.#end > numberMost) throw new RangeError(`At most ${numberMost} messages can be numbered.`)
    const settled = new Promise<void>((resolve) => (this.#settled = resolve))
    for (const device of this.#devices) device.publish()
    await settled
  }

  /** Ends all connections as they are. */
  end(): void {
    for (const device of this.#devices) device.end()
  }
}

const vitalsOf = (device: number) => `wards/icu/beds/${device}/vitals`

/** What devices share. */
interface Line {
  readonly port: number
  readonly buffer: Buffer
  /** Number of the next message; undefined where there is none. */
  next(): number | undefined
  acknowledged(): void
}

/** A message on its way has a packet of its own, which is written anew once it was acknowledged: then nobody reads it any more. */
class Device {
  readonly #line: Line
  readonly #packets: readonly PublishPacket[]
  readonly #free: PublishPacket[]
  #socket: Socket | undefined
  #connected = () => {}
  #isConnected = false
  /** Of a packet whose end has not come. */
  #rest: Buffer = Buffer.alloc(0)
  #ended = false

  constructor(line: Line, topic: string, inFlightMax: number) {
    this.#line = line
    this.#packets = Array.from({ length: inFlightMax }, (_, index) => new PublishPacket(index + 1, topic))
    this.#free = [...this.#packets]
  }

  connect(): Promise<void> {
    this.#open()
    return new Promise((resolve) => (this.#connected = resolve))
  }

  publish(): void {
    while (this.#isConnected && this.#free.length > 0) {
      const n = this.#line.next()
      if (n === undefined) return
      const packet = this.#free.pop() as PublishPacket
      packet.carry(n)
      this.#socket?.write(packet.bytes)
    }
  }

  end(): void {
    this.#ended = true
    this.#socket?.destroy()
  }

  #open(): void {
    const callback = (bytes: number, buffer: Uint8Array) => {
      this.#read((buffer as Buffer).subarray(0, bytes))
      return true
    }
    const socket = connect({
      port: this.#line.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: this.#line.buffer, callback },
    })
    this.#socket = socket
    this.#rest = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.once('connect', () => socket.write(connectPacket))
    socket.once('close', () => {
      this.#isConnected = false
      if (!this.#ended) setTimeout(() => this.#ended || this.#open(), reconnectMs)
    })
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    // Packets of a broker to a publisher are shorter than 128 bytes: their length is one.
    for (let length = 0; at + 2 <= bytes.length; at += length) {
      length = 2 + (bytes[at + 1] as number)
      if (at + length > bytes.length) break
      this.#take((bytes[at] as number) >> 4, bytes, at)
    }
    this.#rest = at === bytes.length ? this.#rest.subarray(0, 0) : Buffer.from(bytes.subarray(at))
  }

  #take(type: number, bytes: Buffer, at: number): void {
    if (type === packetType.connack) return this.#greeted()
    if (type !== packetType.puback) throw new Error(`The broker sent a packet of type ${type}.`)
    const packet = this.#packets[bytes.readUInt16BE(at + 2) - 1]
    if (packet === undefined) throw new Error('The broker acknowledged what was never sent.')
    packet.isOpen = false
    this.#free.push(packet)
    this.#line.acknowledged()
    this.publish()
  }

  #greeted(): void {
    this.#isConnected = true
    this.#connected()
    for (const packet of this.#packets) if (packet.isOpen) this.#socket?.write(packet.bytes)
    this.publish()
  }
}

class PublishPacket {
  readonly bytes: Buffer
  /** It was sent, and not acknowledged. */
  isOpen = false
  readonly #idAt: number
  readonly #numberAt: number

  constructor(messageId: number, topic: string) {
    const id = '0'.repeat(digits)
    const property = Buffer.concat([Buffer.of(0x26), textOf('id'), textOf(id)])
    const head = Buffer.concat([textOf(topic), Buffer.of(messageId >> 8, messageId & 0xff)])
    const before = Buffer.concat([head, Buffer.of(property.length), property])
    const body = Buffer.from(`{"n":${' '.repeat(digits)},"pulse":72,"oxygen":97,"pressure":"120/80"}`)
    const length = before.length + body.length
    this.bytes = Buffer.concat([Buffer.of(0x32), variableOf(length), before, body])
    this.#idAt = this.bytes.length - body.length - digits
    this.#numberAt = this.bytes.length - body.length + '{"n":'.length
  }

  carry(n: number): void {
    this.isOpen = true
    this.bytes.write(String(n).padStart(digits, '0'), this.#idAt, 'latin1')
    // JSON takes no leading zeros.
    this.bytes.write(String(n).padStart(digits), this.#numberAt, 'latin1')
  }
}

function textOf(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes])
}

const variableOf = (length: number) =>
  length < 128 ? Buffer.of(length) : Buffer.of((length & 0x7f) | 0x80, length >> 7)

/** MQTT 5, a clean start, no keep-alive, a client id of the broker's. */
const connectPacket = Buffer.concat([
  ...[Buffer.of(0x10, 13), textOf('MQTT'), Buffer.of(5, 0x02, 0, 0, 0), textOf('')],
])
