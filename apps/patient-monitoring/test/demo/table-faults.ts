// What happens to tables: a migration that went wrong has renamed them, one that does not end holds them.
import pg from 'pg'

/** Whose charts, board, history and report are. */
const tables = ['chart', 'board', 'alarm', 'alarm_step', 'report']

export class TableFaults {
  readonly #url: string
  #holder: pg.Client | undefined

  constructor(url: string) {
    this.#url = url
  }

  rename(): Promise<void> {
    return this.#alter((table) => `ALTER TABLE ward.${table} RENAME TO ${table}_away`)
  }

  restore(): Promise<void> {
    return this.#alter((table) => `ALTER TABLE ward.${table}_away RENAME TO ${table}`)
  }

  async #alter(statement: (table: string) => string): Promise<void> {
    const client = await this.#connect()
    // One by one, so that it does not wait for one lock while it holds another.
    for (const table of tables) await client.query(statement(table))
    await client.end()
  }

  async lock(): Promise<void> {
    this.#holder = await this.#connect()
    await this.#holder.query('BEGIN')
    for (const table of tables) await this.#holder.query(`LOCK TABLE ward.${table} IN ACCESS EXCLUSIVE MODE`)
  }

  /** Safe to call twice, and where nothing is locked. */
  async unlock(): Promise<void> {
    const holder = this.#holder
    this.#holder = undefined
    await holder?.end()
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url })
    client.on('error', () => {})
    await client.connect()
    return client
  }
}
