// What the tests of packages beside the library share: an Eventspine in a schema of its own, waiting on conditions, and workers
// that are killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type App, Eventspine, type EventspineOptions, type EventView, jsonLogger } from 'eventspine'
import pg from 'pg'
import { afterEach } from 'vitest'

export const databaseUrl = process.env['EVENTSPINE_TEST_DATABASE_URL'] ?? ''

let schemas = 0
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Runs after the test, whatever became of it; what was said last first. */
export const afterTest = (cleanup: () => unknown) => void cleanups.push(cleanup)

export function freshSchema(): string {
  const schema = `p${process.pid}_${++schemas}`
  afterTest(() => sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`))
  return schema
}

export async function sql<Row extends pg.QueryResultRow = Record<string, unknown>>(
  text: string,
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

/** Lines that engines of this test file logged. */
export const logged: string[] = []

/** A started Eventspine, stopped after the test. */
export async function running(
  app: App,
  schema = freshSchema(),
  options: Partial<EventspineOptions> = {},
): Promise<Eventspine> {
  const spine = new Eventspine(app, {
    ...{ databaseUrl, schema, shutdownMs: 5_000 },
    logger: jsonLogger('info', Date.now, (line) => logged.push(line)),
    // The process under it is that of the tests.
    stalledMs: 0,
    ...options,
  })
  afterTest(() => spine.stop())
  await spine.start()
  return spine
}

/** The events of a type once there are so many that can be read, oldest first, at most 500: those that follow a tick. */
export function eventsOf(spine: Eventspine, type: string, atLeast: number): Promise<readonly EventView[]> {
  return until(async () => {
    const { items } = await spine.operator().events({ type, order: 'oldest', limit: 500 })
    return items.length >= atLeast ? items : null
  })
}

/** Asks until `condition` holds; fails with what it asked after `ms`. */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  ms = 20_000,
): Promise<NonNullable<Value>> {
  for (const end = Date.now() + ms; ; ) {
    const value = await condition()
    if (value) return value as NonNullable<Value>
    if (Date.now() > end)
      throw new Error(`Not within ${ms} ms: ${condition.toString()}\n${logged.slice(-20).join('')}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const outputCharactersMax = 100_000

/** A process that runs a TypeScript file. Killed after the test. */
export class WorkerProcess {
  readonly #child: ChildProcess
  /** What it printed last. */
  output = ''

  constructor(url: URL, environment: NodeJS.ProcessEnv) {
    const loader = ['--import', 'tsx', '--conditions=source']
    this.#child = spawn(process.execPath, [...loader, fileURLToPath(url)], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const listen = (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-outputCharactersMax)
    }
    this.#child.stdout?.on('data', listen)
    this.#child.stderr?.on('data', listen)
    afterTest(() => this.kill())
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Fails when it ends without having said so. */
  async says(text: string): Promise<void> {
    await until(() => {
      if (this.#ended && !this.output.includes(text))
        throw new Error(`The worker ended without "${text}":\n${this.output}`)
      return this.output.includes(text)
    }, 60_000)
  }

  async kill(): Promise<void> {
    if (!this.#ended) await this.#end('SIGKILL')
  }

  /** Drains it. Answers its exit code. */
  async stop(): Promise<number | null> {
    if (!this.#ended) await this.#end('SIGTERM')
    return this.#child.exitCode
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal)
    await once(this.#child, 'exit')
  }
}
