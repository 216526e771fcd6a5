// Several supervised processes as one: started together, stopped together, and over when one of them can never work.
import type { ExitCode, Failure } from '../failure.js'
import { tell } from '../failure.js'
import type { Interruption } from '../interruption.js'
import type { Screen } from '../screen/screen.js'
import { dim, green, red, type Text, yellow } from '../screen/text.js'
import { duration } from '../screen/time.js'
import { logLine } from './log-line.js'
import type { Ready } from './messages.js'
import type { Report } from './report.js'
import {
  type Death,
  howItDied,
  type ProcessListener,
  type ProcessOptions,
  SupervisedProcess,
} from './supervised-process.js'

export interface SupervisorOptions {
  readonly screen: Screen
  readonly report: Report
  readonly processes: readonly ProcessOptions[]
  /** Called each time one is ready. */
  readonly ready: (name: string, ready: Ready, tookMs: number, starts: number) => void
  /** Called with each file of the app that one has loaded. */
  readonly loaded?: (path: string) => void
  /** Called where one waits for a change, since it could not start. */
  readonly waits?: () => void
  /** What is said where a fault of the app waits for a change. */
  readonly waitsFor?: string
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #processes: readonly SupervisedProcess[]
  #end: (exitCode: ExitCode) => void = () => {}
  readonly #over = new Promise<ExitCode>((resolve) => {
    this.#end = resolve
  })

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#processes = options.processes.map((each) => new SupervisedProcess(each, this.#listener(each.name)))
  }

  /** Runs until Ctrl-C or SIGTERM, or until a process turns out to be impossible. Leaves nothing behind. */
  async run(interruption: Interruption): Promise<ExitCode> {
    const signal = interruption.claim(() => this.#each((process) => process.kill()))
    const interrupted = new Promise<ExitCode>((resolve) => {
      signal.addEventListener('abort', () => resolve(0), { once: true })
      if (signal.aborted) resolve(0)
    })
    for (const process of this.#processes) process.start()
    const exitCode = await Promise.race([this.#over, interrupted])
    const { report } = this.#options
    if (exitCode === 0)
      report.say(
        'stopping',
        {},
        '',
        dim('Stopping: what is under way is finished first. Ctrl-C again does not wait.'),
      )
    await this.#each((process) => process.end())
    if (exitCode === 0) report.say('stopped', {}, [green('✓'), ' Stopped.'])
    return exitCode
  }

  /** Stops and starts every process. */
  restart(): Promise<void> {
    return this.#each((process) => process.restart())
  }

  async #each(action: (process: SupervisedProcess) => Promise<void>): Promise<void> {
    await Promise.all(this.#processes.map(action))
  }

  #listener(name: string): ProcessListener {
    const { report, screen, ready } = this.#options
    return {
      ready: (message, tookMs, starts) => ready(name, message, tookMs, starts),
      died: (death) => this.#died(name, death),
      refused: (failure, next) => {
        if (next === 'ends') {
          tell(screen, failure)
          this.#end(failure.exitCode)
        } else {
          if (next === 'waits') this.#options.waits?.()
          const { code, message: reason } = failure
          const lines = this.#refusal(name, failure, next === 'waits')
          report.say('refused', { process: name, code, reason, next }, ...lines)
        }
      },
      loaded: (path) => this.#options.loaded?.(path),
      line: (stream, line) => {
        if (stream === 'errors' || screen.json) screen.passOn(line, logLine(line))
        else screen.print(line)
      },
    }
  }

  #died(name: string, death: Death): void {
    const how = howItDied(death)
    const next = dim(` Starting it again in ${duration(death.restartInMs)}.`)
    const fields = { process: name, code: death.code, signal: death.signal, restartInMs: death.restartInMs }
    this.#options.report.say('died', fields, [red('✗'), ` The ${name} ${how}.`, next])
  }

  #refusal(name: string, { code, message }: Failure, waits: boolean): Text[] {
    const what = waits ? (this.#options.waitsFor ?? '') : 'Trying again.'
    const [first = '', ...rest] = message.split('\n')
    return [
      [red('✗'), ` The ${name} cannot start: `, first, dim(` [${code}]`)],
      ...rest,
      [yellow('… '), what],
    ]
  }
}
