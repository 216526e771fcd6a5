// Reads what a client sends to Postgres, as far as a proxy has to understand it: where a message begins and what it
// is about. https://www.postgresql.org/docs/current/protocol-message-formats.html

const headBytesMax = 300
const headerBytes = 5

export class FrontendReader {
  readonly #message: (type: string, head: string) => void
  #header = Buffer.alloc(0)
  #body = Buffer.alloc(0)
  #left = 0
  #type = ''
  #started = false

  /** `message` is called for each one that is complete, with the beginning of its body. */
  constructor(message: (type: string, head: string) => void) {
    this.#message = message
  }

  read(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#left === 0) rest = this.#readHeader(rest)
      const taken = rest.subarray(0, this.#left)
      if (this.#body.length < headBytesMax)
        this.#body = Buffer.concat([this.#body, taken]).subarray(0, headBytesMax)
      this.#left -= taken.length
      rest = rest.subarray(taken.length)
      if (this.#left === 0 && this.#type !== '') this.#end()
    }
  }

  // The first message of a connection has no type.
  #readHeader(chunk: Buffer): Buffer {
    const bytes = this.#started ? headerBytes : headerBytes - 1
    const wanted = bytes - this.#header.length
    this.#header = Buffer.concat([this.#header, chunk.subarray(0, wanted)])
    if (this.#header.length < bytes) return chunk.subarray(wanted)
    this.#type = this.#started ? String.fromCharCode(this.#header[0] ?? 0) : 'startup'
    this.#left = this.#header.readInt32BE(bytes - 4) - 4
    this.#header = Buffer.alloc(0)
    this.#started = true
    if (this.#left === 0) this.#end()
    return chunk.subarray(wanted)
  }

  #end(): void {
    const [type, head] = [this.#type, this.#body.toString('latin1')]
    this.#type = ''
    this.#body = Buffer.alloc(0)
    this.#message(type, head)
  }
}

/** True when the server is through with a statement and no transaction is open: what was sent is committed. */
export function isCommitted(reply: Buffer): boolean {
  return reply.length >= 6 && reply.subarray(-6).equals(readyIdle)
}

/** True when the server waits for the next statement. */
export function isReady(reply: Buffer): boolean {
  return reply.length >= 6 && reply.subarray(-6, -1).equals(readyIdle.subarray(0, 5))
}

const readyIdle = Buffer.from('Z\0\0\0\x05I', 'latin1')
