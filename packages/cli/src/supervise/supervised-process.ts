// A process that is kept running: when it ends without being told to, it is started again, sooner at first and later
// when it keeps ending. It ends by itself when its supervisor is gone.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { exitCodes, type Failure } from '../failure.js'
import { messageOf, type Ready, stop } from './messages.js'

export interface ProcessOptions {
  /** Shown to people. */
  readonly name: string
  /** Arguments of this command itself. */
  readonly parameters: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  /** How long it may take to end when told to. */
  readonly patienceMs: number
  /** Its output is read line by line, else it goes where the supervisor's goes. */
  readonly readsLines: boolean
  /** After a fault of the app a new start waits for `restart`. */
  readonly waitsForChange: boolean
}

export interface Death {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly restartInMs: number
}

/** `waits` for `restart`; `ends`: it never worked, and is given up; `retries` by itself. */
export type AfterRefusal = 'waits' | 'ends' | 'retries'

export interface ProcessListener {
  /** `starts` is 1 for the first time. */
  ready(ready: Ready, tookMs: number, starts: number): void
  died(death: Death): void
  /** It could not start. */
  refused(failure: Failure, next: AfterRefusal): void
  line(stream: 'output' | 'errors', line: string): void
  /** It loaded a file of the app. */
  loaded(path: string): void
}

/** Events live for a tenth of a second. In V8's usual 16 MiB for young objects most are carried into old memory before
 *  they die: 32,000 events/s on two cores instead of 44,000. */
const youngSpace = '--max-semi-space-size=64'
const backoffMsMin = 200
const backoffMsMax = 3_000
/** A process that ran so long did not die of its start. Less than what a delivery waits that is suspected of killing its
 *  process: while such a one is put to the proof, its neighbours stand still for a new start and no longer. */
const steadyMs = 1_000

export class SupervisedProcess {
  readonly #options: ProcessOptions
  readonly #listener: ProcessListener
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #wanted = false
  /** Told to end: nothing starts it any more. */
  #over = false
  #deaths = 0
  #readies = 0
  #restarting: Promise<void> | undefined
  #again = false

  constructor(options: ProcessOptions, listener: ProcessListener) {
    this.#options = options
    this.#listener = listener
  }

  get name(): string {
    return this.#options.name
  }

  /** Safe to call twice. */
  start(): void {
    clearTimeout(this.#timer)
    if (this.#over) return
    this.#wanted = true
    if (this.#child === undefined) this.#spawn()
  }

  /** Drains it, or kills it when it does not end in time, and for good: a restart that is under way starts nothing. Safe
   *  to call twice. */
  end(): Promise<void> {
    this.#over = true
    return this.#stop()
  }

  async #stop(): Promise<void> {
    this.#wanted = false
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined) return
    if (child.connected) child.send(stop, () => {})
    else child.kill('SIGTERM')
    const impatience = setTimeout(() => child.kill('SIGKILL'), this.#options.patienceMs)
    await this.#ended
    clearTimeout(impatience)
  }

  /** Ends it at once, and for good. */
  async kill(): Promise<void> {
    this.#over = true
    this.#wanted = false
    clearTimeout(this.#timer)
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** Stops and starts it. Asked again meanwhile, it does so once more. */
  restart(): Promise<void> {
    this.#again = true
    this.#restarting ??= this.#restart().finally(() => {
      this.#restarting = undefined
    })
    return this.#restarting
  }

  async #restart(): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#stop()
      this.#deaths = 0
      this.start()
    }
  }

  #spawn(): void {
    const { parameters, environment, readsLines } = this.#options
    const output = readsLines ? 'pipe' : 'inherit'
    const script = process.argv[1] ?? ''
    const child = spawn(process.execPath, [...process.execArgv, youngSpace, script, ...parameters], {
      env: environment,
      stdio: ['ignore', output, output, 'ipc'],
    })
    const beganAtMs = performance.now()
    let refusal: Failure | undefined
    let readyAtMs: number | undefined
    this.#child = child
    this.#readLines(child)
    child.on('message', (value) => {
      const message = messageOf(value)
      if (message?.kind === 'refused') refusal = message.failure
      if (message?.kind === 'loaded') this.#listener.loaded(message.path)
      if (message?.kind !== 'ready') return
      readyAtMs = performance.now()
      this.#readies += 1
      this.#listener.ready(message, readyAtMs - beganAtMs, this.#readies)
    })
    this.#ended = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null) => {
        if (this.#child !== child) return
        this.#child = undefined
        if (readyAtMs !== undefined && performance.now() - readyAtMs > steadyMs) this.#deaths = 0
        if (this.#wanted) this.#bury(code, signal, refusal)
        resolve()
      }
      child.once('exit', ended)
      child.once('error', () => ended(exitCodes.failed, null))
    })
  }

  #bury(code: number | null, signal: NodeJS.Signals | null, refusal: Failure | undefined): void {
    const restartInMs = Math.min(backoffMsMin * 2 ** this.#deaths, backoffMsMax)
    this.#deaths += 1
    if (refusal === undefined) {
      this.#listener.died({ code, signal, restartInMs })
    } else {
      const next = this.#after(refusal)
      this.#listener.refused(refusal, next)
      if (next !== 'retries') return
    }
    this.#timer = setTimeout(() => this.start(), restartInMs)
  }

  #after(refusal: Failure): AfterRefusal {
    if (this.#options.waitsForChange && refusal.exitCode === exitCodes.usage) return 'waits'
    return this.#readies === 0 ? 'ends' : 'retries'
  }

  #readLines(child: ChildProcess): void {
    for (const [stream, readable] of [
      ['output', child.stdout],
      ['errors', child.stderr],
    ] as const) {
      if (readable === null) continue
      createInterface({ input: readable }).on('line', (line) => this.#listener.line(stream, line))
    }
  }
}

/** `killed by SIGKILL`, `ended with exit code 1`. */
export const howItDied = ({ code, signal }: Pick<Death, 'code' | 'signal'>) =>
  signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`
