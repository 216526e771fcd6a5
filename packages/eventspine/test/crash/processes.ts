// Child processes of the crash tests: started from source, watched by what they print, gone after the test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterTest, until } from '../support.js'
import type { apps } from './apps.js'

export interface Surroundings {
  readonly databaseUrl: string
  readonly schema: string
  readonly sink: string
  readonly app: keyof typeof apps
  readonly events?: number
}

export class Program {
  readonly #child: ChildProcess
  output = ''
  ended = false

  constructor(script: 'worker' | 'publisher', { databaseUrl, schema, sink, app, events = 0 }: Surroundings) {
    const path = fileURLToPath(new URL(`./${script}.ts`, import.meta.url))
    this.#child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', path], {
      env: {
        ...process.env,
        DATABASE_URL: databaseUrl,
        CRASH_SCHEMA: schema,
        CRASH_SINK: sink,
        CRASH_APP: app,
        CRASH_EVENTS: String(events),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const listen = (chunk: Buffer) => {
      this.output += chunk.toString()
    }
    this.#child.stdout?.on('data', listen)
    this.#child.stderr?.on('data', listen)
    this.#child.once('exit', () => {
      this.ended = true
    })
    afterTest(() => this.kill())
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Exit code; null when a signal ended it. */
  get code(): number | null {
    return this.#child.exitCode
  }

  says(text: string): Promise<unknown> {
    return until(() => this.output.includes(text) || this.#over(text), 30_000)
  }

  #over(text: string): false {
    if (this.ended) throw new Error(`The program ended without "${text}":\n${this.output}`)
    return false
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async end(): Promise<void> {
    if (!this.ended) await once(this.#child, 'exit')
  }

  async kill(): Promise<void> {
    if (this.ended) return
    this.#child.kill('SIGKILL')
    await this.end()
  }
}

/** Keeps one worker alive: whenever it dies, another takes its place. */
export class Supervisor {
  readonly #surroundings: Surroundings
  #stopping = false
  #running: Promise<void> | undefined
  worker: Program | undefined
  /** Workers that ended without being asked to. */
  deaths = 0

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  start(): this {
    this.#running ??= this.#loop()
    afterTest(() => this.stop())
    return this
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      this.worker = new Program('worker', this.#surroundings)
      await this.worker.end()
      if (!this.#stopping) this.deaths++
    }
  }

  /** Kills the worker once it delivers, after `ms` of doing so. */
  async killAfter(ms: number): Promise<void> {
    const { worker } = this
    await until(() => worker?.ended || worker?.output.includes('ready'), 30_000)
    await new Promise((resolve) => setTimeout(resolve, ms))
    await worker?.kill()
    await until(() => this.worker !== worker)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.worker?.kill()
    await this.#running
  }
}
