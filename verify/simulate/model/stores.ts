// The two stores that are compared: memory, and PostgreSQL in a schema of its own that is emptied for each sequence.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import {
  createMemoryStore,
  createPostgresStore,
  type SqlExecutor,
  type Store,
  seededRandom,
  silentLogger,
  systemClock,
  VirtualClock,
} from '../engine.js'

export interface OpenTransaction {
  readonly executor: SqlExecutor
  commit(): void | Promise<void>
  rollback(): void | Promise<void>
}

export interface ModelStore {
  readonly store: Store
  transaction(): Promise<OpenTransaction>
  /** Lets time pass between two operations, as it does by itself where it is real. */
  pass?(): Promise<void>
}

const stepMs = 1

const idempotencyWindowMs = 3_600_000

export function memoryModel(): ModelStore {
  const clock = new VirtualClock()
  const store = createMemoryStore({ clock, random: seededRandom(1), idempotencyWindowMs })
  return {
    store,
    transaction: async () => store.createMemoryTransaction(),
    pass: () => clock.advance(stepMs),
  }
}

export class PostgresModel implements ModelStore {
  readonly store: Store
  readonly #url: string
  readonly #schema = `model_${randomBytes(6).toString('hex')}`
  readonly #administrator: pg.Client
  readonly #idle: pg.Client[] = []

  constructor(url: string) {
    this.#url = url
    this.#administrator = new pg.Client({ connectionString: url })
    this.store = createPostgresStore(
      { url, schema: this.#schema, idempotencyWindowMs },
      systemClock,
      silentLogger,
    )
  }

  async start(): Promise<void> {
    await this.#administrator.connect()
    await this.store.migrate()
    await this.store.open()
  }

  async stop(): Promise<void> {
    await this.store.close()
    await Promise.all(this.#idle.map((client) => client.end()))
    await this.#administrator.query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`)
    await this.#administrator.end()
  }

  /** Leaves what migrate() made: the epoch, and the tick that the beginning stands behind. */
  async empty(): Promise<void> {
    const schema = this.#schema
    const { rows } = await this.#administrator.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('epoch', 'migration')`,
      [schema],
    )
    const deletions = rows.map(({ name }) => `DELETE FROM ${schema}.${name};`)
    await this.#administrator.query(`${deletions.join('\n')}
      ALTER SEQUENCE ${schema}.event_seq RESTART;
      INSERT INTO ${schema}.tick (number, epoch, after, snapshot, seq_estimate)
      SELECT 0, 1, pg_current_snapshot(), pg_current_snapshot(), 0`)
  }

  async transaction(): Promise<OpenTransaction> {
    const client = this.#idle.pop() ?? (await this.#connected())
    await client.query('BEGIN')
    let ended = false
    const end = async (command: 'COMMIT' | 'ROLLBACK') => {
      if (ended) return
      ended = true
      await client.query(command)
      this.#idle.push(client)
    }
    return {
      executor: async (text, values) => (await client.query(text, [...values])).rows,
      commit: () => end('COMMIT'),
      rollback: () => end('ROLLBACK'),
    }
  }

  async #connected(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url })
    await client.connect()
    return client
  }
}
