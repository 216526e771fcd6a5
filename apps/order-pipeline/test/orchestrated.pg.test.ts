// The orchestrated variant on PostgreSQL: the books come out as those of the five functions do, with every invoice sent twice.
import { Eventspine } from 'eventspine'
import type pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { invoiceReceived } from '../src/events.js'
import { readInvoices } from '../src/invoices.js'
import { orchestratedApp } from '../src/orchestrated/app.js'
import { DatabaseBooks } from '../src/orchestrated/database-books.js'
import { TestDatabase } from './database.js'
import { brokenInvoices, expectedTally } from './expected.js'

const database = new TestDatabase(inject('postgresUrl'), 'orchestrated')
let client: pg.Client
let books: DatabaseBooks
let spine: Eventspine

beforeAll(async () => {
  client = await database.start()
  books = new DatabaseBooks(database.url)
  spine = new Eventspine(orchestratedApp(books), { databaseUrl: database.url })
  await spine.start()
})
afterAll(async () => {
  await spine.stop()
  await books.stop()
  await database.stop()
})

test('the books are exact', { timeout: 120_000 }, async () => {
  const invoices = await readInvoices()
  for (const { InvoiceNo, lines } of [...invoices, ...invoices])
    await spine.publish(invoiceReceived, { InvoiceNo, lines: lines.map((line) => ({ ...line })) })
  const open = async () => (await spine.workflows.list({ state: 'open', limit: 1 })).items.length
  await expect
    .poll(async () => (await spine.workflows.list({ limit: 500 })).items.length, { timeout: 60_000 })
    .toBe(invoices.length)
  await expect.poll(open, { timeout: 60_000 }).toBe(0)
  const { processed, cancelled, processedPence, cancelledPence } = expectedTally
  const { rows } = await client.query(
    `SELECT (SELECT count(*)::int FROM orders.invoice) AS invoices, (SELECT sum(quantity * unit_pence)::int FROM orders.line) AS pence`,
  )
  expect(rows).toEqual([{ invoices: processed + cancelled, pence: processedPence + cancelledPence }])
  const refused = await spine.workflows.list({ state: 'compensated' })
  expect(refused.items.map(({ id }) => id.split(' ')[0]).sort()).toEqual(brokenInvoices)
})
