// A process of the demonstration: started with its orders, listened to, stopped or killed. It ends with this one, since its channel does.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FromGenerator, FromWorker, ToChild } from './protocol.js'

type Said = FromWorker | FromGenerator

const answerMsMax = 60_000
const stopMsMax = 15_000
const outputCharactersMax = 4_000

export class Child {
  readonly #child: ChildProcess
  readonly #said: Said[] = []
  #output = ''

  constructor(program: string, orders: unknown) {
    this.#child = spawn(
      process.execPath,
      [
        ...['--import', 'tsx', '--conditions=source', '--max-semi-space-size=64'],
        ...[fileURLToPath(new URL(program, import.meta.url)), JSON.stringify(orders)],
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    )
    this.#child.on('message', (message: Said) => this.#said.push(message))
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (text) => {
        this.#output = (this.#output + text).slice(-outputCharactersMax)
      })
  }

  tell(message: ToChild): void {
    this.#child.send(message)
  }

  /** What it says of this kind, now or later. */
  async says<Kind extends Said['kind']>(
    kind: Kind,
    msMax = answerMsMax,
  ): Promise<Extract<Said, { kind: Kind }>> {
    const patience = AbortSignal.timeout(msMax)
    const found = () => this.#said.find((message) => message.kind === kind)
    for (;;) {
      const message = found()
      if (message !== undefined) return message as Extract<Said, { kind: Kind }>
      if (this.#hasEnded || patience.aborted)
        throw new Error(`A process of the ward did not say "${kind}".\n${this.#output}`)
      const ending = new AbortController()
      const signal = AbortSignal.any([patience, ending.signal])
      await Promise.race([
        once(this.#child, 'message', { signal }),
        once(this.#child, 'exit', { signal }),
      ]).catch(() => {})
      ending.abort()
    }
  }

  async kill(): Promise<void> {
    await this.#end(() => this.#child.kill('SIGKILL'))
  }

  /** Drains it; kills it where it does not end. Safe to call twice. */
  async stop(): Promise<void> {
    const cut = setTimeout(() => this.#child.kill('SIGKILL'), stopMsMax)
    await this.#end(() => (this.#child.connected ? this.tell({ kind: 'stop' }) : this.#child.kill()))
    clearTimeout(cut)
  }

  async #end(how: () => void): Promise<void> {
    if (this.#hasEnded) return
    const ended = once(this.#child, 'exit')
    how()
    await ended
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }
}
