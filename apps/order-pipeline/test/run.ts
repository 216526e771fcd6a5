// Runs the program as `npm start` does, in a data folder of its own, and looks into its database afterwards.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EmbeddedPostgres } from '@eventspine/embedded'
import pg from 'pg'
import type { Story } from '../src/story/live.js'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** A data folder for one test. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'order-pipeline-'))

  constructor() {
    // The embedded database runs under another user when the test is root.
    if (process.getuid?.() === 0) chmodSync(this.path, 0o711)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10 })
  }

  /** Invoices that `idempotency` has judged so far, as the log file tells. */
  get claims(): number {
    const file = join(this.path, 'order-pipeline.log')
    return existsSync(file) ? readFileSync(file, 'utf8').split('"verdict"').length - 1 : 0
  }

  get postmaster(): number {
    return Number(readFileSync(join(this.path, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
  }
}

export class Run {
  readonly #child: ChildProcess
  #output = ''
  #errors = ''

  constructor(folder: Folder, environment: NodeJS.ProcessEnv = {}) {
    const parameters = ['--import', 'tsx', '--conditions=source', main, '--once', '--json']
    const env = {
      ...process.env,
      PORT: '0',
      EVENTSPINE_DIRECTORY: folder.path,
      DATABASE_URL: '',
      ...environment,
    }
    this.#child = spawn(process.execPath, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout?.on('data', (chunk) => {
      this.#output += chunk
    })
    this.#child.stderr?.on('data', (chunk) => {
      this.#errors += chunk
    })
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves with exit code or signal. */
  async ended(): Promise<number | string> {
    if (this.running) await once(this.#child, 'close')
    return this.#child.exitCode ?? this.#child.signalCode ?? 'unknown'
  }

  /** The document that it printed at its end. */
  async story(): Promise<Story> {
    const code = await this.ended()
    if (code !== 0) throw new Error(`the run ended with ${code}: ${this.#errors}`)
    return JSON.parse(this.#output)
  }
}

/** Resolves as soon as `met`. Throws when the run ends before, or after a minute. */
export async function whileRunning(run: Run, met: () => boolean): Promise<void> {
  for (let looks = 0; looks < 6_000 && run.running; looks += 1) {
    if (met()) return
    await sleep(10)
  }
  throw new Error('the run ended before it came so far')
}

export interface Books {
  readonly invoices: number
  readonly pence: number
  /** Invoices that were announced, and how often in all. */
  readonly announced: number
  readonly announcements: number
  /** Events in the log. */
  readonly events: number
}

/** What the database of a stopped pipeline holds. */
export async function readBooks(folder: Folder): Promise<Books> {
  const database = new EmbeddedPostgres({ directory: join(folder.path, 'postgres') })
  const { url } = await database.start()
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    const { rows } = await client.query<Books>(
      `SELECT (SELECT count(*)::int FROM orders.invoice) AS invoices,
              (SELECT sum(quantity * unit_pence)::int FROM orders.line) AS pence,
              count(DISTINCT subject) FILTER (WHERE type = 'orders.order-announced')::int AS announced,
              count(*) FILTER (WHERE type = 'orders.order-announced')::int AS announcements,
              count(*)::int AS events
       FROM eventspine.event`,
    )
    return rows[0] ?? Promise.reject(new Error('no answer'))
  } finally {
    await client.end()
    await database.stop()
  }
}
