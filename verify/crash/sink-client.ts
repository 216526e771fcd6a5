// A worker's line to the effect sink. A line is told when the kernel has it: what kills the process cannot take it back.
// Where runs are compared in time the last one waits for the sink's word, so that by its clock no follower begins before.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { onLine } from './lines.js'

export class SinkClient {
  readonly #socket: Socket
  readonly #waiting: (() => void)[] = []
  // A process id comes again, this does not.
  readonly #name = randomUUID().slice(0, 13)
  #runs = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    onLine(socket, () => this.#waiting.shift()?.())
  }

  static async connect(port: number): Promise<SinkClient> {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const client = new SinkClient(socket)
    await client.#ask(`hello ${process.pid}`)
    // The sink outlives everything that is crashed.
    socket.once('close', () => process.exit(70))
    return client
  }

  /** Answers the name of this run. */
  async begin(subscription: string, event: string, key: string, attempt: number): Promise<string> {
    const run = `${this.#name}-${++this.#runs}`
    await this.#tell(`begin ${run} ${subscription} ${event} ${key} ${attempt}`)
    return run
  }

  end(run: string, waits: boolean): Promise<void> {
    return waits ? this.#ask(`end? ${run}`) : this.#tell(`end ${run}`)
  }

  fail(run: string): Promise<void> {
    return this.#tell(`fail ${run}`)
  }

  #tell(line: string): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(`${line}\n`, () => resolve())
    })
  }

  #ask(line: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#socket.write(`${line}\n`)
    })
  }
}
