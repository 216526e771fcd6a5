// A child process, watched by what it prints.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { until } from './until.js'

/** What is kept of its output: the end. */
const outputCharactersMax = 4_000_000
const saysMsMax = 60_000

export class Program {
  readonly #child: ChildProcess
  output = ''
  ended = false

  /** Runs the file at `url`, TypeScript or JavaScript, with these variables added to the environment. */
  constructor(url: URL, environment: NodeJS.ProcessEnv) {
    const loader = url.pathname.endsWith('.ts') ? ['--import', 'tsx', '--conditions=source'] : []
    this.#child = spawn(process.execPath, [...loader, fileURLToPath(url)], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const listen = (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-outputCharactersMax)
    }
    this.#child.stdout?.on('data', listen)
    this.#child.stderr?.on('data', listen)
    this.#child.once('exit', () => {
      this.ended = true
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Exit code; null while it runs and when a signal ended it. */
  get code(): number | null {
    return this.#child.exitCode
  }

  /** Resident memory in MiB, by the system's account: now and at its highest. Undefined when it is gone. */
  get memory(): { readonly now: number; readonly highest: number } | undefined {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
      const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024
      return { now: of('VmRSS'), highest: of('VmHWM') }
    } catch {
      return undefined
    }
  }

  says(text: string): Promise<unknown> {
    return until(`a program says "${text}"`, saysMsMax, () => this.output.includes(text) || this.#over(text))
  }

  #over(text: string): false {
    if (this.ended) throw new Error(`The program ended without "${text}":\n${this.output.slice(-4_000)}`)
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
