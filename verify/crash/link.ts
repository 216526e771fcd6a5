// From one worker to the database. It can be made to wait for a moment, such as a settlement that is being sent, and
// then either hold everything back from that message on or let it pass; what was held arrives when it heals.
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { FrontendReader } from '../faults/frontend.js'
import { reset } from '../faults/reset.js'

/** A message that a worker sends: its kind and the beginning of its text, and what the same connection sent before. */
export interface Moment {
  readonly message: RegExp
  /** The last statement of a handler on this connection since its last transaction ended. */
  readonly behind?: RegExp
}

interface Awaited {
  readonly moment: Moment
  met(): 'hold' | 'pass'
}

const handlersStatement = /handle\.statement/
const transactionEnds = /settle\.end/

export class Link {
  readonly #connections = new Set<Connection>()
  readonly #server = createServer((socket) => this.#accept(socket))
  #target = new URL('postgres://127.0.0.1')
  #awaited: Awaited | undefined
  #holds = false

  /** Answers the address under which `url` is reached through this link. */
  async start(url: string): Promise<string> {
    this.#target = new URL(url)
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const through = new URL(url)
    through.port = String((this.#server.address() as AddressInfo).port)
    return through.href
  }

  #accept(client: Socket): void {
    const server = createConnection({
      host: this.#target.hostname,
      port: Number(this.#target.port),
      noDelay: true,
    })
    const connection: Connection = new Connection(client.setNoDelay(true), server, {
      holds: () => this.#holds,
      sent: (message, behind) => this.#sent(message, behind),
      ended: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
  }

  #sent(message: string, behind: string): void {
    const awaited = this.#awaited
    if (awaited === undefined || !awaited.moment.message.test(message)) return
    if (awaited.moment.behind !== undefined && !awaited.moment.behind.test(behind)) return
    this.#awaited = undefined
    if (awaited.met() === 'hold') this.#holds = true
  }

  /** `met` is called once, while the message is still here; by what it answers, it and all behind it are held or pass. */
  expect(moment: Moment, met: Awaited['met']): void {
    this.#awaited = { moment, met }
  }

  /** Waits for no moment any more. */
  expectNothing(): void {
    this.#awaited = undefined
  }

  hold(): void {
    this.#holds = true
  }

  /** Everything passes again, also what waited. */
  heal(): void {
    this.#holds = false
    for (const connection of this.#connections) connection.flow()
  }

  /** What is held never arrives, and all connections end. Safe to call twice. */
  cut(): void {
    this.#holds = false
    for (const connection of this.#connections) connection.cut()
  }

  /** Safe to call twice. */
  stop(): void {
    this.cut()
    this.#server.close()
  }
}

interface Control {
  holds(): boolean
  sent(message: string, behind: string): void
  ended(): void
}

class Connection {
  readonly #client: Socket
  readonly #server: Socket
  readonly #toServer: Way
  readonly #toClient: Way

  constructor(client: Socket, server: Socket, control: Control) {
    this.#client = client
    this.#server = server
    this.#toServer = new Way(client, server, control.holds)
    this.#toClient = new Way(server, client, control.holds)
    let statement = ''
    const reader = new FrontendReader((type, head) => {
      if (type === 'P' && handlersStatement.test(head)) statement = head
      control.sent(type + head, statement)
      if (transactionEnds.test(head)) statement = ''
    })
    client.on('data', (chunk) => {
      reader.read(chunk)
      this.#toServer.send(chunk)
    })
    server.on('data', (chunk) => this.#toClient.send(chunk))
    for (const socket of [client, server]) socket.on('error', () => {})
    // As on a network: that the sender is gone is learned behind all that it sent.
    let open = 2
    const closed = (behind: Way) => {
      behind.end()
      if (--open === 0) control.ended()
    }
    client.on('close', () => closed(this.#toServer))
    server.on('close', () => closed(this.#toClient))
  }

  flow(): void {
    this.#toServer.flow()
    this.#toClient.flow()
  }

  cut(): void {
    for (const socket of [this.#client, this.#server]) reset(socket)
  }
}

/** Bytes of one direction, in their order. */
class Way {
  readonly #from: Socket
  readonly #to: Socket
  readonly #holds: () => boolean
  #waiting: Buffer[] = []
  #ending = false

  constructor(from: Socket, to: Socket, holds: () => boolean) {
    this.#from = from
    this.#to = to
    this.#holds = holds
  }

  send(chunk: Buffer): void {
    if (this.#holds()) {
      this.#waiting.push(chunk)
      // What is sent on fills the sender's own buffers, as on a real link.
      this.#from.pause()
    } else if (!this.#to.destroyed) this.#to.write(chunk)
  }

  flow(): void {
    for (const chunk of this.#waiting.splice(0)) if (!this.#to.destroyed) this.#to.write(chunk)
    if (this.#ending) this.#to.end()
    this.#from.resume()
  }

  end(): void {
    this.#ending = true
    if (!this.#holds()) this.flow()
  }
}
