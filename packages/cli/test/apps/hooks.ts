// An app with webhooks, for the commands about their endpoints.
import { defineApp, defineEvent } from 'eventspine'
import { webhooksOut } from 'eventspine/webhooks'
import { z } from 'zod'

const orderPlaced = defineEvent({ type: 'shop.order-placed', schema: z.object({ order: z.string() }) })

const partners = webhooksOut({
  name: 'partners',
  on: orderPlaced,
  endpoints: () => ['ep-1'],
  endpoint: () => null,
})

export const app = defineApp({ name: 'shop', webhooks: [partners] })
