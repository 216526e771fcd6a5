// A database with the shop, or another app, on it for one test file: its commands, run as an operator runs them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { run } from '../src/run.js'
import { eventspine, type OwnDatabase, ownDatabase, type Result, Run, shop } from './command.js'

export class Day {
  readonly folder = mkdtempSync(join(tmpdir(), 'eventspine-day-'))
  readonly #down = join(this.folder, 'down')
  #worker: Run | undefined

  private constructor(
    readonly database: OwnDatabase,
    readonly app: string,
  ) {}

  static async begin(app = shop): Promise<Day> {
    return new Day(await ownDatabase(), app)
  }

  async end(): Promise<void> {
    await this.#worker?.kill()
    await this.database.drop()
    rmSync(this.folder, { recursive: true })
  }

  /** The bank that the handler of `bill` calls. */
  setBank(state: 'up' | 'down'): void {
    if (state === 'down') writeFileSync(this.#down, '')
    else rmSync(this.#down, { force: true })
  }

  /** A file with this text; its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  /** Runs a command as a process, to its end. */
  command(parameters: readonly string[], input?: string): Promise<Result> {
    const surroundings = { environment: this.#environment, ...(input !== undefined && { input }) }
    return eventspine([...parameters, '--app', this.app], surroundings)
  }

  /** Runs a command as a process that goes on. */
  start(...parameters: string[]): Run {
    return new Run([...parameters, '--app', this.app], { environment: this.#environment })
  }

  /** The worker of the day, started when it is first asked for; resolves when it delivers. */
  async worker(): Promise<Run> {
    this.#worker ??= this.start('worker')
    await this.#worker.record(({ message }) => message === 'ready')
    return this.#worker
  }

  /** The JSON answer of a command that succeeds. */
  async answered<Document>(...parameters: string[]): Promise<Document> {
    const given = ['--app', this.app, '--database-url', this.database.url]
    const { output, errors } = await here([...parameters, ...given], {})
    expect(errors).toBe('')
    return JSON.parse(output)
  }

  /** The JSON error of a command that must fail with this exit code. */
  refused(exitCode: number, ...parameters: string[]): Promise<Failure> {
    return refusal(exitCode, [...parameters, '--app', this.app, '--database-url', this.database.url])
  }

  get #environment(): NodeJS.ProcessEnv {
    return { DATABASE_URL: this.database.url, SHOP_DOWN_FILE: this.#down }
  }
}

type Failure = ReturnType<Result['failure']>

/** The JSON error of a command that must fail. */
export async function refusal(
  exitCode: number,
  parameters: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Failure> {
  const { code, output, errors } = await here(parameters, env)
  expect(code, output + errors).toBe(exitCode)
  expect(output).toBe('')
  return JSON.parse(errors)
}

/** A command with --json, run in this process: that is many times faster than one of its own. */
async function here(parameters: readonly string[], env: NodeJS.ProcessEnv) {
  let errors = ''
  let output = ''
  const code = await run([...parameters, '--json'], {
    stdout: { write: (text) => (output += text) },
    stderr: { write: (text) => (errors += text) },
    stdin: {},
    env,
  })
  return { code, output, errors }
}

/** The command that publishes an order. */
export const order = (data: object, ...more: string[]) => [
  'publish',
  'shop.order-placed',
  '--data',
  JSON.stringify(data),
  ...more,
]

const looksMax = 600
const lookMs = 50

/** Waits until `read` answers what `met` wants: the database is asked again and again, with a bound. */
export async function eventually<Value>(
  read: () => Promise<Value>,
  met: (value: Value) => boolean,
): Promise<Value> {
  for (let looks = 0; looks < looksMax; looks += 1) {
    const value = await read()
    if (met(value)) return value
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
  throw new Error('it did not come so far')
}
