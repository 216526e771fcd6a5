// A link to Postgres that can be made slow, mute, broken or forgetful. One for each process that is harmed.
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'
import { FrontendReader, isCommitted, isReady } from './frontend.js'
import { reset } from './reset.js'

/** What happens to bytes on their way. `mute`: they wait, as in a network that is cut, and arrive once it heals. */
export type LinkState =
  | { readonly kind: 'open' }
  | { readonly kind: 'slow'; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: 'mute' }

const open: LinkState = { kind: 'open' }
const committing = /append\.|settle|COMMIT/

export class LinkProxy {
  readonly #server: Server
  readonly #links = new Set<Link>()
  #target = new URL('postgres://127.0.0.1')
  #cutEvery = 0
  #committed = 0
  state: LinkState = open
  /** Replies to a commit that were swallowed together with their connection. */
  cuts = 0

  constructor() {
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket))
  }

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
    client.setNoDelay(true)
    const link: Link = new Link(client, server, {
      state: () => this.state,
      cutsNow: () => this.#cutEvery > 0 && this.#committed++ % this.#cutEvery === 0,
      cut: () => {
        this.cuts++
      },
      ended: () => this.#links.delete(link),
    })
    this.#links.add(link)
  }

  /** Every connection ends with a reset. */
  reset(): void {
    for (const link of this.#links) link.reset()
  }

  /** The server's side of every connection is gone, and the client is never told: what it sends is lost. */
  halfOpen(): void {
    for (const link of this.#links) link.forget()
  }

  /** From now on every n-th commit that was sent is done, and its reply lost with the connection. 0: none. */
  cutCommits(every: number): void {
    this.#cutEvery = every
  }

  /** Everything passes again, also what waited. */
  heal(): void {
    this.state = open
    this.#cutEvery = 0
    for (const link of this.#links) link.flow()
  }

  /** Safe to call twice. */
  stop(): void {
    for (const link of this.#links) link.reset()
    this.#server.close()
  }
}

interface LinkControl {
  state(): LinkState
  /** Asked once for each commit that is sent. */
  cutsNow(): boolean
  cut(): void
  ended(): void
}

class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #control: LinkControl
  readonly #toServer: Direction
  readonly #toClient: Direction
  /** The reply to a commit that is to be lost, as far as it has come. */
  #held: Buffer[] | undefined
  #forgotten = false

  constructor(client: Socket, server: Socket, control: LinkControl) {
    this.#client = client
    this.#server = server
    this.#control = control
    this.#toServer = new Direction(client, server, control.state)
    this.#toClient = new Direction(server, client, control.state)
    const reader = new FrontendReader((type, head) => {
      if ((type === 'Q' || type === 'B') && committing.test(head) && control.cutsNow()) this.#held ??= []
    })
    client.on('data', (chunk) => {
      if (this.#forgotten) return
      reader.read(chunk)
      this.#toServer.send(chunk)
    })
    server.on('data', (chunk) => this.#reply(chunk))
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('close', () => {
      server.destroy()
      control.ended()
    })
    server.on('close', () => {
      if (!this.#forgotten) this.#toClient.end()
    })
  }

  #reply(chunk: Buffer): void {
    if (this.#held === undefined) return this.#toClient.send(chunk)
    this.#held.push(chunk)
    const held = Buffer.concat(this.#held)
    if (!isReady(held)) return
    this.#held = undefined
    if (!isCommitted(held)) return this.#toClient.send(held)
    this.#control.cut()
    this.reset()
  }

  flow(): void {
    this.#toServer.flow()
    this.#toClient.flow()
  }

  forget(): void {
    this.#forgotten = true
    this.#server.destroy()
  }

  reset(): void {
    reset(this.#client)
    reset(this.#server)
  }
}

/** Bytes of one direction, in their order. */
class Direction {
  readonly #from: Socket
  readonly #to: Socket
  readonly #state: () => LinkState
  #waiting: Buffer[] = []
  #last: Promise<void> = Promise.resolve()
  #ending = false

  constructor(from: Socket, to: Socket, state: () => LinkState) {
    this.#from = from
    this.#to = to
    this.#state = state
  }

  send(chunk: Buffer): void {
    const state = this.#state()
    if (state.kind === 'slow') {
      const until = performance.now() + state.ms + Math.random() * state.jitterMs
      this.#last = this.#last.then(() => waitUntil(until)).then(() => this.#pass(chunk))
    } else if (state.kind === 'mute' || this.#waiting.length > 0) {
      this.#waiting.push(chunk)
      // What the other side sends on fills its own buffers, as on a real link.
      this.#from.pause()
    } else {
      this.#last = this.#last.then(() => this.#pass(chunk))
    }
  }

  #pass(chunk: Buffer): void {
    if (!this.#to.destroyed) this.#to.write(chunk)
  }

  flow(): void {
    const waiting = this.#waiting.splice(0)
    this.#last = this.#last.then(() => {
      for (const chunk of waiting) this.#pass(chunk)
      if (this.#ending) this.#to.end()
    })
    this.#from.resume()
  }

  /** The sender is gone: the receiver learns of it behind all that was sent, and on a mute link not before it heals. */
  end(): void {
    this.#ending = true
    if (this.#state().kind !== 'mute') this.flow()
  }
}

const waitUntil = (at: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())))
