// A pool of connections of the application's own, for what runs in no transaction of the library's: the look at an acknowledgement
// before a push, keys, views. Opened at its first use, and no reason for a process to stay.
import pg from 'pg'

const connectionsMax = 4
const idleMs = 5_000
const statementMs = 5_000

export class Database {
  readonly #urlOf: () => string
  #pool: pg.Pool | undefined

  /** @param urlOf asked at the first use: `prepare` may have told it by then */
  constructor(urlOf: () => string) {
    this.#urlOf = urlOf
  }

  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.#pool ??= this.#open()
    return (await this.#pool.query<Row>(text, [...values])).rows
  }

  /** Safe to call twice, and before the first use. */
  async stop(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.end()
  }

  #open(): pg.Pool {
    const pool = new pg.Pool({
      ...{ connectionString: this.#urlOf(), max: connectionsMax, idleTimeoutMillis: idleMs },
      ...{ statement_timeout: statementMs, connectionTimeoutMillis: statementMs, allowExitOnIdle: true },
    })
    // An idle connection that breaks is made anew at the next question.
    pool.on('error', () => {})
    return pool
  }
}
