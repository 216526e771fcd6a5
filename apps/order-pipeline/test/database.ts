// A database of its own for a test file, on the server of the test run.
import pg from 'pg'
import { createTables } from '../src/books.js'

export class TestDatabase {
  readonly #url: string
  readonly #name: string
  #client: pg.Client | undefined

  constructor(url: string, name: string) {
    this.#url = url
    this.#name = `${name}_${process.pid}`
  }

  get url(): string {
    const url = new URL(this.#url)
    url.pathname = `/${this.#name}`
    return url.href
  }

  async start(): Promise<pg.Client> {
    await this.#asOwner(`CREATE DATABASE ${this.#name}`)
    this.#client = new pg.Client({ connectionString: this.url })
    await this.#client.connect()
    await this.#client.query(createTables)
    return this.#client
  }

  async stop(): Promise<void> {
    await this.#client?.end()
    await this.#asOwner(`DROP DATABASE IF EXISTS ${this.#name} WITH (FORCE)`)
  }

  async #asOwner(statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url })
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }
}
