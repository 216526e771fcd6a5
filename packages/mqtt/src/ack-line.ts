// Acknowledgements in the order of their messages, as MQTT wants them (MQTT-4.6.0-2), though the messages are stored in any. What
// is stored together is acknowledged in one write.
import { nextTick } from 'node:process'

interface Place {
  readonly messageId: number
  settled: boolean
}

/** PUBACK with reason "success", which MQTT 5 leaves out. */
const pubackType = 0x40
const pubackBytes = 4

export class AckLine {
  readonly #send: (packets: Buffer) => void
  /** As long as the broker sends without an answer: `receiveMaximum`. */
  readonly #line: Place[] = []
  #isDue = false

  constructor(send: (packets: Buffer) => void) {
    this.#send = send
  }

  get length(): number {
    return this.#line.length
  }

  /** Takes a place; what is answered settles it. All that is settled up to the first that is not is sent once everything that
   *  became known with it has settled, too. */
  enter(messageId: number): () => void {
    const place = { messageId, settled: false }
    this.#line.push(place)
    return () => {
      place.settled = true
      if (this.#isDue || place !== this.#line[0]) return
      this.#isDue = true
      // Behind the microtasks: the messages of one append settle in these. A write for each cost 9 µs of a message.
      nextTick(() => this.flush())
    }
  }

  /** Sends now what may be sent. */
  flush(): void {
    this.#isDue = false
    const open = this.#line.findIndex(({ settled }) => !settled)
    const settled = this.#line.splice(0, open < 0 ? this.#line.length : open)
    if (settled.length === 0) return
    const packets = Buffer.allocUnsafe(settled.length * pubackBytes)
    let at = 0
    for (const { messageId } of settled) {
      at = packets.writeUInt16BE((pubackType << 8) | (pubackBytes - 2), at)
      at = packets.writeUInt16BE(messageId, at)
    }
    this.#send(packets)
  }
}
