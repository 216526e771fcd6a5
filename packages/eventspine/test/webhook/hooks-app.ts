// An app whose orders go to one customer, and where that one is.
import { defineApp, defineEvent, retries } from 'eventspine'
import { webhooksOut } from 'eventspine/webhooks'
import { z } from 'zod'

export const orderPlaced = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ order: z.string() }),
})

export const hooksApp = (url: string, secret: string) =>
  defineApp({
    name: 'shop',
    webhooks: [
      webhooksOut({
        name: 'partners',
        on: orderPlaced,
        endpoints: () => ['customer'],
        endpoint: () => ({ url, secrets: [secret] }),
        retry: retries.webhook({ timeScale: 0.001 }),
        network: { allowHttp: true, allowPrivate: true, ports: 'any' },
      }),
    ],
  })
