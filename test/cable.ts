// The way from a program to its database, which a test can cut or hang, and mend.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to the database until it is told not to. */
export class Cable {
  readonly #sockets = new Set<Socket>()
  readonly #target: URL
  readonly #server: Server
  #cut = false
  #hung = false

  constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((near) => this.#join(near))
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return url.href
  }

  #join(near: Socket): void {
    if (this.#cut) {
      near.destroy()
      return
    }
    const far = connect(Number(this.#target.port || 5432), this.#target.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
      socket.pipe(other)
      if (this.#hung) socket.pause()
    }
  }

  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Every connection stays, and nothing comes through. */
  hang(): void {
    this.#hung = true
    for (const socket of this.#sockets) socket.pause()
  }

  mend(): void {
    this.#cut = false
    this.#hung = false
    for (const socket of this.#sockets) socket.resume()
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
