// Runs the real command as a process of its own, and a database for a test file on the server of the test run.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pg from 'pg'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const waitMsMax = 60_000

/** The apps that the tests run. */
export const shop = fileURLToPath(new URL('./apps/shop.ts', import.meta.url))
export const checkout = fileURLToPath(new URL('./apps/checkout.ts', import.meta.url))
export const persons = fileURLToPath(new URL('./apps/persons.ts', import.meta.url))

export interface Surroundings {
  readonly environment?: NodeJS.ProcessEnv
  readonly input?: string
  readonly folder?: string
}

export interface Result {
  readonly code: number | null
  readonly output: string
  readonly errors: string
  /** Standard output as one JSON document. */
  document<Document = Record<string, unknown>>(): Document
  /** The error that --json wrote. */
  failure(): { readonly code: string; readonly message: string; readonly field?: string }
}

/** A run of the command that goes on until it ends or is killed. */
export class Run {
  readonly child: ChildProcess
  output = ''
  errors = ''
  readonly #waiting: (() => void)[] = []

  constructor(parameters: readonly string[], { environment, input, folder }: Surroundings = {}) {
    this.child = spawn(process.execPath, ['--import', loader, '--conditions=source', main, ...parameters], {
      cwd: folder ?? fileURLToPath(new URL('..', import.meta.url)),
      env: {
        ...process.env,
        NO_COLOR: '1',
        DATABASE_URL: '',
        PORT: '',
        npm_lifecycle_event: '',
        ...environment,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', (chunk) => this.#heard(() => (this.output += chunk)))
    this.child.stderr?.on('data', (chunk) => this.#heard(() => (this.errors += chunk)))
    this.child.once('close', () => this.#wake())
    this.child.stdin?.on('error', () => {})
    this.child.stdin?.end(input)
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** JSON lines of standard output so far. */
  get records(): Record<string, unknown>[] {
    const lines = this.output.split('\n').slice(0, -1)
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  }

  /** The first record from index `from` on that is so; waits for it. */
  async record(is: (record: Record<string, unknown>) => boolean, from = 0): Promise<Record<string, unknown>> {
    await this.until(() => this.records.slice(from).some(is))
    return this.records.slice(from).find(is) ?? {}
  }

  /** Resolves when `met` holds, looked at whenever something was written. Throws when the run ends before. */
  async until(met: () => boolean): Promise<void> {
    let late = false
    const bound = setTimeout(() => {
      late = true
      this.#wake()
    }, waitMsMax)
    try {
      while (!met()) {
        if (late || !this.running) throw new Error(`waited in vain:\n${this.output}\n${this.errors}`)
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    } finally {
      clearTimeout(bound)
    }
  }

  /** Resolves with exit code or signal. */
  async ended(): Promise<number | string> {
    if (this.running) await once(this.child, 'close')
    return this.child.exitCode ?? this.child.signalCode ?? 'unknown'
  }

  /** Ends it however it is; for afterEach. */
  async kill(): Promise<void> {
    this.child.kill('SIGTERM')
    await this.ended()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #heard(keep: () => void): void {
    keep()
    this.#wake()
  }
}

/** Runs the command to its end. */
export async function eventspine(
  parameters: readonly string[],
  surroundings?: Surroundings,
): Promise<Result> {
  const run = new Run(parameters, surroundings)
  if (run.child.exitCode === null) await once(run.child, 'close')
  const { output, errors } = run
  return {
    code: run.child.exitCode,
    output,
    errors,
    document: () => JSON.parse(output),
    failure: () => JSON.parse(errors.trim().split('\n').at(-1) ?? ''),
  }
}

export interface OwnDatabase {
  readonly url: string
  rows<Row = Record<string, unknown>>(text: string): Promise<Row[]>
  drop(): Promise<void>
}

/** A new database on the server of the test run. */
export async function ownDatabase(): Promise<OwnDatabase> {
  const server = process.env.EVENTSPINE_TEST_DATABASE_URL
  if (server === undefined)
    throw new Error('EVENTSPINE_TEST_DATABASE_URL is not set: run this through vitest')
  const name = `cli_${randomBytes(6).toString('hex')}`
  await query(server, `CREATE DATABASE ${name}`)
  const address = new URL(server)
  address.pathname = `/${name}`
  const url = address.href
  return {
    url,
    rows: (text) => query(url, text),
    drop: async () => void (await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  }
}

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as Row[]
  } finally {
    await client.end()
  }
}

/** Whether a process runs. One that ended and whose parent did not ask for its exit code yet does not: a database whose
 *  parent is gone waits for the first process of the machine to do so. */
export function isRunning(processId: unknown): boolean {
  try {
    process.kill(Number(processId), 0)
  } catch {
    return false
  }
  return !isZombie(Number(processId))
}

function isZombie(processId: number): boolean {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}
