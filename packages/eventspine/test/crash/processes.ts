// Child processes of the crash tests: started from source, watched by what they print, gone after the test.

import { afterTest, until } from '../support.js'
import type { apps } from './apps.js'
import { Program as Process } from './system/program.js'

export interface Surroundings {
  readonly databaseUrl: string
  readonly schema: string
  readonly sink: string
  readonly app: keyof typeof apps
  readonly events?: number
}

export class Program extends Process {
  constructor(
    script: 'worker' | 'publisher' | 'half-started',
    { databaseUrl, schema, sink, app, events = 0 }: Surroundings,
  ) {
    super(new URL(`./${script}.ts`, import.meta.url), {
      DATABASE_URL: databaseUrl,
      CRASH_SCHEMA: schema,
      CRASH_SINK: sink,
      CRASH_APP: app,
      CRASH_EVENTS: String(events),
    })
    afterTest(() => this.kill())
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
