// A PostgreSQL server of one's own, with fsync, that may be killed. Its data survive that as on any server.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedPostgres } from '@eventspine/embedded'
import pg from 'pg'
import { Leftovers } from './leftovers.js'

const connectMsMax = 5_000

export class OwnServer {
  readonly directory: string
  readonly #data: string
  readonly #leftovers: Leftovers
  #postgres: EmbeddedPostgres
  #url = ''
  #pid = 0

  /** `data`: where its data are; default in `directory`, which it makes and removes. */
  constructor(data?: string) {
    this.directory = mkdtempSync(join(tmpdir(), 'eventspine-crash-'))
    if (process.getuid?.() === 0) chmodSync(this.directory, 0o711)
    this.#data = data ?? join(this.directory, 'postgres')
    this.#leftovers = new Leftovers(this.#data, this.directory)
    this.#postgres = this.#embedded()
  }

  #embedded(): EmbeddedPostgres {
    return new EmbeddedPostgres({ directory: this.#data })
  }

  get url(): string {
    return this.#url
  }

  async start(): Promise<void> {
    this.#url = (await this.#postgres.start()).url
  }

  async stop(): Promise<void> {
    await this.#postgres.stop()
    this.#postgres = this.#embedded()
  }

  /** Stops it and removes its data. Safe to call twice. */
  async remove(): Promise<void> {
    await this.#postgres.stop()
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 })
    this.#leftovers.none()
  }

  /** kill -9 of its main process. It is started again by itself. Answers false when it is not up yet. */
  async kill(): Promise<boolean> {
    try {
      const [row] = await this.sql<{ file: string }>(
        `SELECT current_setting('data_directory') || '/postmaster.pid' AS file`,
      )
      const pid = Number(readFileSync(row?.file ?? '', 'utf8').split('\n')[0])
      if (pid === this.#pid) return false
      process.kill(pid, 'SIGKILL')
      this.#pid = pid
      return true
    } catch {
      return false
    }
  }

  /** One statement on a connection of its own. */
  async sql<Row extends pg.QueryResultRow = Record<string, unknown>>(
    text: string,
    values: unknown[] = [],
  ): Promise<Row[]> {
    const client = await this.session()
    try {
      return (await client.query<Row>(text, values)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }

  /** A connected session. Whoever opens it ends it. */
  async session(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: connectMsMax })
    client.on('error', () => {})
    await client.connect()
    return client
  }
}
