// A small app for the tests of the command: its handlers fail as the data, or a file that a test makes, tell them to.
import { existsSync } from 'node:fs'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  PermanentError,
  retries,
  TransientError,
} from 'eventspine'
import { z } from 'zod'

const downFile = process.env.SHOP_DOWN_FILE ?? '/nonexistent'

const orderPlaced = defineEvent({
  type: 'shop.order-placed',
  schema: z.object({ order: z.string(), amount: z.int().min(1), card: z.string().optional() }),
  key: ({ order }) => order,
  subject: ({ order }) => order,
})

const orderBilled = defineEvent({
  type: 'shop.order-billed',
  schema: z.object({ order: z.string() }),
  key: ({ order }) => order,
})

const bill = defineSubscription({
  name: 'bill',
  on: orderPlaced,
  start: 'beginning',
  retry: retries.standard({ attemptsMax: 2, timeScale: 0.001 }),
  breaker: { name: 'bank', failures: 1_000, cooldownMs: 60_000 },
  handle: async ({ data }, context) => {
    if (data.card === 'stolen')
      throw new PermanentError(`The card of ${data.order} is \u001b[31mstolen\u0007`)
    if (existsSync(downFile)) throw new TransientError('The bank is away')
    await context.publish(orderBilled, { order: data.order })
  },
})

const count = defineSubscription({
  name: 'count-orders',
  on: 'shop.*',
  start: 'beginning',
  external: false,
  handle: () => {},
})

export const app = defineApp({
  name: 'shop',
  events: [orderPlaced, orderBilled],
  subscriptions: [bill, count],
})
