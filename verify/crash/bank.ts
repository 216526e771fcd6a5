// Where the money of the run is kept: a row for each thing that was done to a purchase. A repeat of one is the same row, as
// with any bank that knows its customers' idempotency keys.
import pg from 'pg'

export type Booking = 'charge' | 'order' | 'refund'

const connections = 3

export class Bank {
  readonly #pool: pg.Pool
  readonly #statement: string

  constructor(connectionString: string, schema: string) {
    this.#pool = new pg.Pool({ connectionString, max: connections, connectionTimeoutMillis: 5_000 })
    this.#pool.on('error', () => {})
    this.#statement = `INSERT INTO ${schema}.money (event, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING`
  }

  async book(event: string, kind: Booking): Promise<void> {
    await this.#pool.query(this.#statement, [event, kind])
  }
}
