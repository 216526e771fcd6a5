// The books in the database, for steps: a step has no transaction of the engine's, so each call brings its own, and finds
// what it wrote before.
import type { Transaction } from 'eventspine'
import pg from 'pg'
import { holdingsOf, writeOrder } from '../books.js'
import type { Invoice } from '../events.js'
import { contentKey } from '../functions/publish.js'
import { judge, type Order } from '../rules.js'
import type { Books } from './invoice.js'

const connectionsMax = 5

export class DatabaseBooks implements Books {
  readonly #pool: pg.Pool

  constructor(connectionString: string) {
    this.#pool = new pg.Pool({ connectionString, max: connectionsMax })
    // A connection that breaks while it is idle is replaced; the step that needs one says so.
    this.#pool.on('error', () => {})
  }

  async stop(): Promise<void> {
    await this.#pool.end()
  }

  write(invoice: Invoice): Promise<Order> {
    return this.#transaction(async (tx) => {
      // One invoice of a customer at a time: the next one is judged by what this one left.
      await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [invoice.customer ?? invoice.number])
      const key = contentKey(invoice)
      const { rows } = await tx.query<{ order: Order }>(
        'SELECT written AS order FROM orders.written WHERE key = $1',
        [key],
      )
      if (rows[0] !== undefined) return rows[0].order
      const order = judge(invoice, await holdingsOf(tx, invoice.customer))
      await writeOrder(tx, order)
      await tx.query('INSERT INTO orders.written VALUES ($1, $2)', [key, JSON.stringify(order)])
      return order
    })
  }

  async remove(invoice: Invoice): Promise<void> {
    await this.#transaction(async (tx) => {
      const gone = await tx.query('DELETE FROM orders.written WHERE key = $1', [contentKey(invoice)])
      if (gone.rowCount === 0) return
      await tx.query('DELETE FROM orders.line WHERE invoice = $1', [invoice.number])
      await tx.query('DELETE FROM orders.invoice WHERE number = $1', [invoice.number])
    })
  }

  async #transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect()
    const tx: Transaction = {
      query: async <Row>(text: string, values: readonly unknown[] = []) => {
        const { rows, rowCount } = await client.query(text, [...values])
        return { rows: rows as Row[], rowCount }
      },
    }
    try {
      await client.query('BEGIN')
      const result = await work(tx)
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {})
      throw error
    } finally {
      client.release()
    }
  }
}
