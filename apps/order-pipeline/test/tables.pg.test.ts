// What the functions do in the application's own tables.
import type { Transaction } from 'eventspine'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createTables, holdingsOf, writeOrder } from '../src/books.js'
import { claim, succeed } from '../src/functions/idempotency.js'
import type { Order } from '../src/rules.js'
import { TestDatabase } from './database.js'

const database = new TestDatabase(inject('postgresUrl'), 'order_pipeline')
let client: pg.Client
let tx: Transaction

beforeAll(async () => {
  client = await database.start()
  tx = {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      const { rows, rowCount } = await client.query(text, [...values])
      return { rows: rows as Row[], rowCount }
    },
  }
})
afterAll(() => database.stop())

describe('the tables', () => {
  it('may be created again', async () => {
    await expect(client.query(createTables)).resolves.toBeDefined()
  })
})

describe('idempotency', () => {
  const endLease = (key: string) =>
    client.query('UPDATE orders.idempotency SET leased_until = clock_timestamp() WHERE key = $1', [key])

  it('lets an invoice through once while its lease lasts', async () => {
    expect(await claim(tx, 'once', '536365')).toBe('NEW')
    expect(await claim(tx, 'once', '536365')).toBe('INFLIGHT')
    expect(await claim(tx, 'another', '536366')).toBe('NEW')
  })

  it('lets it through again when the lease ran out and nobody finished', async () => {
    expect(await claim(tx, 'stuck', '536367')).toBe('NEW')
    await endLease('stuck')
    expect(await claim(tx, 'stuck', '536367')).toBe('RETRY')
    expect(await claim(tx, 'stuck', '536367')).toBe('INFLIGHT')
  })

  it('never again once it has succeeded, which happens once', async () => {
    expect(await claim(tx, 'done', '536368')).toBe('NEW')
    expect(await succeed(tx, 'done')).toBe(true)
    expect(await succeed(tx, 'done')).toBe(false)
    await endLease('done')
    expect(await claim(tx, 'done', '536368')).toBe('SUCCEEDED')
  })

  it('knows nothing of a claim that was rolled back', async () => {
    await client.query('BEGIN')
    expect(await claim(tx, 'undone', '536369')).toBe('NEW')
    await client.query('ROLLBACK')
    expect(await claim(tx, 'undone', '536369')).toBe('NEW')
  })
})

describe('the books', () => {
  const order = (number: string, quantity: number, stockCode = '22960'): Order => ({
    number,
    kind: quantity > 0 ? 'order' : 'cancellation',
    customer: '17897',
    lines: [{ stockCode, description: null, quantity, unitPence: 425 }],
    totalPence: quantity * 425,
    originals: [],
  })

  it('know what a customer holds, and from which invoices', async () => {
    expect(await holdingsOf(tx, '17897')).toEqual(new Map())
    await writeOrder(tx, order('536488', 8))
    await writeOrder(tx, order('536489', 2, '84879'))
    await writeOrder(tx, order('C536506', -6))
    expect(await holdingsOf(tx, '17897')).toEqual(
      new Map([
        ['22960', { quantity: 2, invoices: ['536488'] }],
        ['84879', { quantity: 2, invoices: ['536489'] }],
      ]),
    )
    expect(await holdingsOf(tx, null)).toEqual(new Map())
  })

  it('refuse a number that is taken', async () => {
    await writeOrder(tx, order('536490', 1))
    await expect(writeOrder(tx, order('536490', 3))).rejects.toThrow('536490 is in the books already')
  })
})
