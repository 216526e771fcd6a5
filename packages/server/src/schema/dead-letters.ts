// How dead letters are chosen, in a query and in the body of a command.
import { z } from 'zod'
import { eventType, instant, subscriptionName, tenantName, text } from './parts.js'
import { categoryView } from './views.js'

export const deadLetterFilters = {
  subscription: subscriptionName.optional(),
  category: categoryView.optional(),
  tenant: tenantName.optional(),
  fingerprint: text(64).describe('Of the failure: same fault, same fingerprint').optional(),
  eventType: eventType.optional(),
  key: text(500).describe("The event's key: of the messages of webhooks, the endpoint").optional(),
  error: text(500).describe('Text that the error message contains').optional(),
  diedAfter: instant.optional(),
  diedBefore: instant.optional(),
}

export const deadLetterFilter = z
  .strictObject({
    ids: z.array(text(400)).min(1).max(1_000).describe('Ids of dead letters').optional(),
    round: z.int().min(0).max(1_000_000).describe('So often redriven before').optional(),
    ...deadLetterFilters,
  })
  .describe('All that is named must hold')
