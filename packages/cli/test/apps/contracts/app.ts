// An app at three moments: as it was deployed, with a schema changed on the quiet, and with a new version.
import { type AnyEventDefinition, defineApp, defineEvent, defineSubscription } from 'eventspine'
import { z } from 'zod'

const first = z.object({ order: z.string(), total: z.number() })

export const placed = defineEvent({ type: 'orders.placed', schema: first, description: 'Somebody | bought.' })
export const changed = defineEvent({ type: 'orders.placed', schema: first.omit({ total: true }) })
export const second = defineEvent({
  ...{ type: 'orders.placed', version: 2, schema: first.extend({ currency: z.string() }) },
  upcast: { 1: (old: object) => ({ ...old, currency: 'EUR' }) },
})

export const app = (name: string, event: AnyEventDefinition) =>
  defineApp({
    name,
    events: [event],
    subscriptions: [
      defineSubscription({ name: `${name}-ledger`, on: event as typeof placed, handle: () => {} }),
    ],
  })
