// Fifth of five. Tells the world what became of the invoice.
import { defineSubscription } from 'eventspine'
import { orderAnnounced, orderCancelled, orderProcessed } from '../events.js'
import { breakers, queueClass } from '../policies.js'
import { partnerBus } from '../services.js'

export const announce = defineSubscription({
  name: 'events',
  description: 'Announces the result on the bus of the partners.',
  on: [orderProcessed, orderCancelled],
  ...queueClass,
  breaker: breakers.bus,
  async handle({ type, data: { invoice, totalPence } }, context) {
    const announcement = {
      invoice,
      result: type === orderCancelled.type ? 'cancelled' : 'processed',
      totalPence,
    } as const
    await partnerBus.send(context.deliveryId, announcement)
    await context.publish(orderAnnounced, announcement)
  },
})
