// The parent's side of a process under measurement: starts it, asks it, ends it whatever state it is in.
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Answer, Ask, Methods } from './protocol.js'

type Parameters_<Method extends keyof Methods> = Parameters<Methods[Method]>
type Result<Method extends keyof Methods> = Awaited<ReturnType<Methods[Method]>>

const endMsMax = 2_000
/** What the command `eventspine` starts its processes with. Given to all systems alike: it helps whoever holds many
 *  events for a moment. */
const youngSpace = '--max-semi-space-size=64'

export class Subject {
  readonly #child: ChildProcess
  readonly #asked = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  readonly #ended: Promise<void>
  #id = 0

  /** `node`: the program that runs it, the same for all systems. */
  constructor(node: string) {
    const program = fileURLToPath(new URL('./child.ts', import.meta.url))
    const loader = import.meta.resolve('tsx')
    this.#child = spawn(node, [youngSpace, '--import', loader, program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
    })
    this.#child.on('message', (answer: Answer) => this.#answered(answer))
    this.#ended = new Promise((ended) => {
      const end = (reason: string) => {
        for (const { reject } of this.#asked.values())
          reject(new Error(`The measured process ended: ${reason}`))
        this.#asked.clear()
        ended()
      }
      this.#child.once('error', (error) => end(error.message))
      this.#child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  get processId(): number | undefined {
    return this.#child.pid
  }

  call<Method extends keyof Methods>(
    method: Method,
    ...[parameters]: Parameters_<Method>
  ): Promise<Result<Method>> {
    const id = ++this.#id
    const ask: Ask = { id, method, parameters }
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new Error('The measured process has ended'))
      this.#asked.set(id, { resolve: (result) => resolve(result as Result<Method>), reject })
      this.#child.send(ask)
    })
  }

  #answered(answer: Answer): void {
    const asked = this.#asked.get(answer.id)
    this.#asked.delete(answer.id)
    if ('error' in answer) asked?.reject(new Error(answer.error))
    else asked?.resolve(answer.result)
  }

  /** Closes what it has open and ends it. Safe to call twice. */
  async stop(): Promise<void> {
    if (this.#child.connected) {
      await Promise.race([this.call('close').catch(() => {}), delay(endMsMax * 5, undefined, { ref: false })])
    }
    await this.end()
  }

  /** Ends it as it is. Safe to call twice. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), endMsMax)
    await this.#ended
    clearTimeout(patience)
  }
}
