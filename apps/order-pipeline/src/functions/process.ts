// Fourth of five. Judges the invoice by the rules of the business and writes it into the books.
import { defineSubscription } from 'eventspine'
import { holdingsOf, writeOrder } from '../books.js'
import { orderCancelled, orderProcessed, processingRequested } from '../events.js'
import { breakers, queueClass } from '../policies.js'
import { judge } from '../rules.js'
import { succeed } from './idempotency.js'

export const processInvoice = defineSubscription({
  name: 'process',
  description: 'Applies the business rules, and writes the order into the books or takes it back.',
  on: processingRequested,
  ...queueClass,
  breaker: breakers.database,
  // Rows, end of the claim and event commit together with the outcome of this delivery: all of it once, or nothing.
  async transact({ data: { idempotencyKey, invoice } }, context) {
    if (!(await succeed(context.tx, idempotencyKey))) return
    const order = judge(invoice, await holdingsOf(context.tx, invoice.customer))
    await writeOrder(context.tx, order)
    const { number, customer, lines, totalPence, originals } = order
    const result = { invoice: number, customer, lines: lines.length, totalPence }
    if (order.kind === 'cancellation') await context.publish(orderCancelled, { ...result, originals })
    else await context.publish(orderProcessed, result)
  },
})
