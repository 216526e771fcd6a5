// Second of five. Hands the invoice on: to the warehouse, and into the log with the key and the attributes by
// which everyone downstream can recognise, sort and filter it.
import { createHash } from 'node:crypto'
import { defineSubscription } from 'eventspine'
import { type Invoice, invoiceAccepted, invoiceValidated } from '../events.js'
import { breakers, queueClass } from '../policies.js'
import { warehouseQueue } from '../services.js'

export const publish = defineSubscription({
  name: 'publish',
  description: 'Tells the warehouse, and appends the invoice with idempotency key and priority.',
  on: invoiceValidated,
  ...queueClass,
  breaker: breakers.queue,
  async handle({ data: invoice }, context) {
    // This handler may run more than once. The warehouse drops repeats by the delivery's id, which never changes.
    await warehouseQueue.send(context.deliveryId, invoice)
    await context.publish(
      invoiceAccepted,
      { idempotencyKey: contentKey(invoice), invoice },
      { extensions: { priority: priorityOf(invoice) } },
    )
  },
})

/** The same content has the same key, whoever sends it and under whatever event id. */
export function contentKey(invoice: Invoice): string {
  const { number, customer, issuedAt, lines } = invoice
  const content = lines.map(({ stockCode, quantity, unitPence }) => [stockCode, quantity, unitPence])
  return createHash('sha256')
    .update(JSON.stringify([number, customer, issuedAt, content]))
    .digest('hex')
}

/** Money that goes back is waited for. */
const priorityOf = ({ kind }: Invoice) => (kind === 'cancellation' ? 'high' : 'normal')
