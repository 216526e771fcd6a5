// The whole file of the shop through the orchestrated variant, in virtual time: each invoice comes to the end that the five
// functions bring it to.
import { ValidationError } from 'eventspine'
import { publishing, scenario } from 'eventspine/testing'
import { expect, test } from 'vitest'
import { brokenInvoices, expectedTally } from '../../test/expected.js'
import { type Invoice, invoiceReceived } from '../events.js'
import { type RawInvoice, readInvoices } from '../invoices.js'
import { judge, type Order } from '../rules.js'
import { partnerBus, warehouseQueue } from '../services.js'
import { orchestratedApp } from './app.js'
import type { Books } from './invoice.js'

class MemoryBooks implements Books {
  readonly orders = new Map<string, Order>()

  async write(invoice: Invoice): Promise<Order> {
    const known = this.orders.get(invoice.number)
    if (known !== undefined) return known
    const order = judge(invoice, this.#holdings(invoice.customer))
    this.orders.set(invoice.number, order)
    return order
  }

  async remove({ number }: Invoice): Promise<void> {
    this.orders.delete(number)
  }

  #holdings(customer: string | null) {
    const held = new Map<string, { quantity: number; invoices: string[] }>()
    for (const { number, lines } of [...this.orders.values()].filter((each) => each.customer === customer))
      for (const { stockCode, quantity } of lines) {
        const of = held.get(stockCode) ?? { quantity: 0, invoices: [] }
        held.set(stockCode, {
          quantity: of.quantity + quantity,
          invoices: quantity > 0 ? [...new Set([...of.invoices, number])] : of.invoices,
        })
      }
    return held
  }
}

const received = ({ InvoiceNo, lines }: RawInvoice) =>
  publishing(invoiceReceived, { InvoiceNo, lines: lines.map((line) => ({ ...line })) })

test('each invoice comes to its one right end, and what is refused leaves nothing behind', async () => {
  const invoices = await readInvoices()
  const books = new MemoryBooks()
  const [told, announced] = [warehouseQueue.received.length, partnerBus.received.length]
  const seen = await scenario(orchestratedApp(books)).when(
    ...invoices.map(received),
    ...invoices.map(received),
  )
  const ended = new Map(
    ['completed', 'compensated'].map((state) => [
      state,
      seen.workflows.filter((each) => each.state === state),
    ]),
  )
  const { processed, cancelled, processedPence, cancelledPence } = expectedTally
  expect(ended.get('completed')).toHaveLength(processed + cancelled)
  const refused = ended.get('compensated')?.map(({ id }) => id.split(' ')[0])
  expect(refused?.sort()).toEqual(brokenInvoices)
  expect(seen.workflows).toHaveLength(invoices.length)
  const pence = [...books.orders.values()].reduce((sum, { totalPence }) => sum + totalPence, 0)
  expect(pence).toBe(processedPence + cancelledPence)
  expect(warehouseQueue.received.length - told).toBe(processed + cancelled)
  expect(partnerBus.received.length - announced).toBe(processed + cancelled)
  expect(seen.published.filter(({ type }) => type === 'orders.order-announced')).toHaveLength(
    processed + cancelled,
  )
})

test('a cancellation that overtakes its order waits for it', async () => {
  const invoices = await readInvoices()
  const [order, cancellation] = ['536488', 'C536506'].map(
    (number) => invoices.find(({ InvoiceNo }) => InvoiceNo === number) as RawInvoice,
  )
  const books = new MemoryBooks()
  const seen = await scenario(orchestratedApp(books)).when(
    received(cancellation as RawInvoice),
    received(order as RawInvoice),
  )
  expect(seen.workflows.map(({ state }) => state)).toEqual(['completed', 'completed'])
  expect(books.orders.get('C536506')?.originals).toEqual(['536488'])
})

test('what breaks a rule names it', async () => {
  const books: Books = {
    write: () => Promise.reject(new ValidationError('it names no customer')),
    remove: async () => {},
  }
  const [first] = await readInvoices()
  const seen = await scenario(orchestratedApp(books)).when(received(first as RawInvoice))
  expect(seen.workflows).toMatchObject([
    {
      state: 'compensated',
      failure: { category: 'validation', message: expect.stringContaining('no customer') },
    },
  ])
})
