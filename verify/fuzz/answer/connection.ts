// One connection to the server under fire, kept alive from request to request as long as the server wants it. Raw
// bytes go in, one answer comes out, or none within the bound.
import { connect, type Socket } from 'node:net'
import { BrokenReply, type Reply, readReply } from './reply.js'

export interface Outcome {
  /** Undefined when there was none. */
  readonly reply: Reply | undefined
  /** `hang`: neither answered nor closed in time. `broken`: bytes that are no HTTP. */
  readonly end: 'answered' | 'closed' | 'hang' | 'broken'
  readonly ms: number
  /** What was wrong with the bytes. */
  readonly fault: string | undefined
}

export class Connection {
  readonly #port: number
  readonly #answerMsMax: number
  #socket: Socket | undefined

  constructor(port: number, answerMsMax: number) {
    this.#port = port
    this.#answerMsMax = answerMsMax
  }

  /** Sends bytes and waits for one answer. One at a time. */
  exchange(bytes: Buffer, method: string): Promise<Outcome> {
    const beganAt = performance.now()
    const socket = this.#open()
    let received: Buffer = Buffer.alloc(0)
    return new Promise((resolve) => {
      const done = (end: Outcome['end'], reply?: Reply, fault?: string) => {
        clearTimeout(timer)
        socket.off('data', take).off('close', close)
        if (end !== 'answered' || reply?.headers.get('connection') === 'close') this.close()
        resolve({ reply, end, ms: performance.now() - beganAt, fault })
      }
      const read = (ended: boolean) => {
        try {
          const reading = readReply(received, method, ended)
          if (reading === undefined) return
          if (reading.open) this.close()
          const surplus = received.length - reading.bytes
          // What could not be read as HTTP may have been a HEAD: its refusal has a body, and closes.
          const closing = method === 'HEAD' && reading.reply.headers.get('connection') === 'close'
          if (surplus > 0 && !closing) done('broken', reading.reply, `${surplus} bytes behind the answer`)
          else done('answered', reading.reply)
        } catch (error) {
          if (!(error instanceof BrokenReply)) throw error
          done('broken', undefined, error.message)
        }
      }
      const take = (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
        read(false)
      }
      const close = () => {
        this.close()
        read(true)
        done('closed')
      }
      const timer = setTimeout(() => done('hang'), this.#answerMsMax)
      socket.on('data', take).once('close', close)
      socket.write(bytes)
    })
  }

  /** Safe to call twice. */
  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Socket {
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable) return this.#socket
    const socket = connect(this.#port, '127.0.0.1')
    // A close says all that a reset says.
    socket.setNoDelay(true).on('error', () => {})
    this.#socket = socket
    return socket
  }
}
