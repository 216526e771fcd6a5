// Acknowledgements in the order of their messages, as MQTT wants them (MQTT-4.6.0-2), though the messages are stored in any.

interface Place {
  readonly messageId: number
  settled: boolean
}

/** PUBACK with reason "success", which MQTT 5 leaves out. */
const puback = (messageId: number) => Buffer.from([0x40, 0x02, messageId >> 8, messageId & 0xff])

export class AckLine {
  readonly #send: (packets: Buffer) => void
  /** As long as the broker sends without an answer: `receiveMaximum`. */
  readonly #line: Place[] = []

  constructor(send: (packets: Buffer) => void) {
    this.#send = send
  }

  get length(): number {
    return this.#line.length
  }

  /** Takes a place; what is answered settles it, and sends all that is settled up to the first that is not. */
  enter(messageId: number): () => void {
    const place = { messageId, settled: false }
    this.#line.push(place)
    return () => {
      place.settled = true
      this.#flush()
    }
  }

  #flush(): void {
    const open = this.#line.findIndex(({ settled }) => !settled)
    const settled = this.#line.splice(0, open < 0 ? this.#line.length : open)
    if (settled.length > 0) this.#send(Buffer.concat(settled.map(({ messageId }) => puback(messageId))))
  }
}
