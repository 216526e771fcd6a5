// The effect sink: an append-only record of every handler run, kept by a process that nobody crashes. It answers what
// is waited for once it has it, and knows who is inside a handler right now.

import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { onLine } from './lines.js'

/** How a run of a handler came to its end; `cut`: it never did. */
export type RunEnd = 'end' | 'fail' | 'cut'

/** One run of a handler, by the clock of the sink. */
export interface HandlerRun {
  readonly run: string
  readonly subscription: string
  readonly event: string
  readonly key: string
  readonly beganAt: number
  readonly ended: RunEnd
  /** Infinite for one that was cut. */
  readonly endedAt: number
}

export class EffectSink {
  readonly file: string
  readonly #stream: WriteStream
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Worker by process id → runs that began and did not end → their subscriptions. */
  readonly #running = new Map<number, Map<string, string>>()
  begun = 0

  constructor(file: string) {
    this.file = file
    this.#stream = createWriteStream(file, { flags: 'a' })
    this.#server = createServer((socket) => this.#accept(socket))
  }

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** True while a handler runs, of whatever process and subscription or of these. */
  runs(pid?: number, subscriptions?: readonly string[]): boolean {
    const processes = pid === undefined ? [...this.#running.values()] : [this.#running.get(pid) ?? new Map()]
    return processes.some((runs) =>
      [...runs.values()].some((name) => subscriptions === undefined || subscriptions.includes(name)),
    )
  }

  #accept(socket: Socket): void {
    const runs = new Map<string, string>()
    let pid = 0
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#running.delete(pid)
    })
    onLine(socket, (line) => {
      const [word, name = ''] = line.split(' ')
      if (word === 'hello') {
        pid = Number(name)
        this.#running.set(pid, runs)
      } else {
        this.#record(word, name, line, runs)
      }
      if (word === 'hello' || word === 'end?') socket.write('\n')
    })
  }

  #record(word: string | undefined, run: string, line: string, runs: Map<string, string>): void {
    if (word === 'begin') {
      this.begun++
      runs.set(run, line.split(' ')[2] ?? '')
    } else {
      runs.delete(run)
    }
    this.#stream.write(`${performance.now().toFixed(3)} ${line.replace('end?', 'end')}\n`)
  }

  /** Ends every connection and writes the rest. Safe to call twice. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    if (this.#stream.closed) return
    this.#stream.end()
    await once(this.#stream, 'close')
  }
}
