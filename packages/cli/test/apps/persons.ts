// An app whose events say something about persons.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { z } from 'zod'

const registered = defineEvent({
  type: 'shop.registered',
  schema: z.object({ customer: z.string(), email: z.string() }),
  personal: { person: ({ customer }) => customer, fields: { email: 'erased' } },
})
const mails = defineSubscription({ name: 'mails', on: registered, handle() {} })

export const app = defineApp({ name: 'persons', events: [registered], subscriptions: [mails] })
