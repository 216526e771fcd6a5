// The same order process, told by one function: what the five functions of `functions/` do in answer to one another, this one
// does in a row. What fails takes back what was done before it.
import { createHash } from 'node:crypto'
import { retries, TransientError, ValidationError } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { type Invoice, invoiceReceived, orderAnnounced } from '../events.js'
import { parseInvoice } from '../functions/validate.js'
import type { RawInvoice } from '../invoices.js'
import type { Order } from '../rules.js'
import { partnerBus, warehouseQueue } from '../services.js'
import { timeScale } from '../settings.js'

/** What a step needs of the books: each call is one transaction, and safe to repeat. */
export interface Books {
  /** Judges and writes it. Throws a ValidationError that names every broken rule. */
  write(invoice: Invoice): Promise<Order>
  /** Takes it out again. */
  remove(invoice: Invoice): Promise<void>
}

/** A cancellation may come before its order is in the books: nobody but us keeps the two in order. */
const looksMax = 8

export function invoiceWorkflow(books: Books) {
  return workflow({
    name: 'invoice',
    description: 'One invoice, from the shop to the partners.',
    on: { event: invoiceReceived, id: ({ data }) => `${data.InvoiceNo} ${contentOf(data)}` },
    retry: retries.queue({ timeScale }),
    run: async (ctx, raw: RawInvoice) => {
      const invoice = await ctx.step('validate', () => parseInvoice(raw))
      await ctx.step('tell the warehouse', () => warehouseQueue.send(ctx.id, invoice), {
        undo: () => warehouseQueue.withdraw(ctx.id),
      })
      const order = await ctx.step('write the books', ({ attempt }) => written(books, invoice, attempt), {
        undo: () => books.remove(invoice),
      })
      const announcement = {
        invoice: order.number,
        result: order.kind === 'cancellation' ? 'cancelled' : 'processed',
        totalPence: order.totalPence,
      } as const
      await ctx.step('tell the partners', () => partnerBus.send(ctx.id, announcement), { pivot: true })
      await ctx.publish(orderAnnounced, announcement)
      return announcement
    },
  })
}

async function written(books: Books, invoice: Invoice, attempt: number): Promise<Order> {
  try {
    return await books.write(invoice)
  } catch (error) {
    if (!(error instanceof ValidationError) || invoice.kind === 'order' || attempt >= looksMax) throw error
    throw new TransientError(`${error.message}; perhaps not yet`, { cause: error })
  }
}

/** The same content is the same instance, however often it is sent. */
const contentOf = ({ lines }: RawInvoice) =>
  createHash('sha256').update(JSON.stringify(lines)).digest('hex').slice(0, 16)
