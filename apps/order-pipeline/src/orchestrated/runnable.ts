// The orchestrated variant for the command line: eventspine dev --app apps/order-pipeline/src/orchestrated/runnable.ts
import { once } from 'node:events'
import { customSource } from 'eventspine/source'
import { invoiceReceived } from '../events.js'
import { type RawInvoice, readInvoices } from '../invoices.js'
import { prepare as prepareTables } from '../prepare.js'
import { orchestratedApp } from './app.js'
import { DatabaseBooks } from './database-books.js'

let books: DatabaseBooks | undefined

function opened(): DatabaseBooks {
  const url = process.env.DATABASE_URL
  if (books === undefined && url === undefined) throw new Error('Set DATABASE_URL, or run eventspine dev.')
  books ??= new DatabaseBooks(url as string)
  return books
}

/** The books lie in the database of the log: whichever that is, is known here. */
export const prepare: typeof prepareTables = async (cell) => {
  await prepareTables(cell)
  books ??= new DatabaseBooks(cell.databaseUrl)
}

/** The shop: sends its invoices, whenever it is started; those that are known by their number are not taken again. */
const shop = customSource({
  name: 'shop',
  where: 'one-worker',
  to: (message) => ({ event: invoiceReceived, data: message.json() as RawInvoice }),
  async run({ receive, signal }) {
    for (const invoice of await readInvoices())
      await receive({ id: invoice.InvoiceNo, body: JSON.stringify(invoice) })
    if (!signal.aborted) await once(signal, 'abort')
  },
})

export const app = orchestratedApp(
  {
    write: (invoice) => opened().write(invoice),
    remove: (invoice) => opened().remove(invoice),
  },
  [shop],
)
