// A link to the database that can fall silent: what is sent on it arrives nowhere, and nobody is told, as when a server
// or a router forgot its connections. New ones are taken.
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

export class SilentLink {
  readonly #server = createServer((socket) => this.#accept(socket))
  readonly #clients = new Map<Socket, Socket>()
  #target = new URL('postgres://127.0.0.1')
  /** A connection that sends this falls silent, once. */
  #trigger: string | undefined

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
    const server = createConnection(Number(this.#target.port), this.#target.hostname)
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('data', (sent: Buffer) => {
      if (this.#trigger === undefined || !sent.includes(this.#trigger)) return
      this.#trigger = undefined
      silence(client, server)
    })
    client.pipe(server)
    server.pipe(client)
    client.once('close', () => {
      server.destroy()
      this.#clients.delete(client)
    })
    this.#clients.set(client, server)
  }

  /** Every connection that there is now. */
  fallSilent(): void {
    for (const [client, server] of this.#clients) silence(client, server)
  }

  /** The next connection that sends `text`. */
  fallSilentAt(text: string): void {
    this.#trigger = text
  }

  get waits(): boolean {
    return this.#trigger !== undefined
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.keys()) client.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function silence(client: Socket, server: Socket): void {
  client.unpipe(server)
  server.unpipe(client)
  server.destroy()
  client.resume()
}
