// What the tests share: a schema of their own, programs that are gone afterwards, and waiting on conditions.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type App, Eventspine, type EventspineOptions, jsonLogger } from 'eventspine'
import pg from 'pg'
import { afterEach } from 'vitest'

export const databaseUrl = process.env['EVENTSPINE_TEST_DATABASE_URL'] ?? ''

const cleanups: (() => unknown)[] = []
let schemas = 0

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Runs after the test, whatever became of it. */
export const afterTest = (cleanup: () => unknown) => void cleanups.push(cleanup)

export function freshSchema(): string {
  const schema = `mqtt${process.pid}_${++schemas}`
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

export const logged: string[] = []

/** Started, and stopped after the test. */
export async function running(
  app: App,
  schema: string,
  options: Partial<EventspineOptions> = {},
): Promise<Eventspine> {
  const spine = new Eventspine(app, {
    ...{ databaseUrl, schema, shutdownMs: 5_000, stalledMs: 0 },
    logger: jsonLogger('info', Date.now, (line) => logged.push(line)),
    ...options,
  })
  afterTest(() => spine.stop())
  await spine.start()
  return spine
}

/** Asks until `condition` holds. */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  ms = 20_000,
): Promise<NonNullable<Value>> {
  for (const end = Date.now() + ms; ; ) {
    const last = await condition()
    if (last) return last as NonNullable<Value>
    if (Date.now() > end)
      throw new Error(`Not within ${ms} ms: ${condition.toString()}\n${logged.slice(-20).join('')}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A worker process of `script`, with these variables. */
export class Worker {
  readonly #child: ChildProcess
  output = ''

  constructor(script: string, environment: Readonly<Record<string, string>>) {
    const parameters = [
      '--import',
      'tsx',
      '--conditions=source',
      fileURLToPath(new URL(script, import.meta.url)),
    ]
    this.#child = spawn(process.execPath, parameters, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const listen = (chunk: Buffer) => {
      this.output = (this.output + chunk).slice(-100_000)
    }
    this.#child.stdout?.on('data', listen)
    this.#child.stderr?.on('data', listen)
    afterTest(() => this.kill())
  }

  async says(text: string): Promise<void> {
    await until(() => {
      if (this.#child.exitCode !== null) throw new Error(`It ended without "${text}":\n${this.output}`)
      return this.output.includes(text)
    }, 60_000)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode
    this.#child.kill(signal)
    await once(this.#child, 'exit')
    return this.#child.exitCode
  }
}
