// The app that `console.ts` looks at: what dies in a hundred ways, and what only goes by. `start` runs it from the compiled packages.
import { defineApp, defineEvent, defineSubscription, PermanentError } from 'eventspine'
import { z } from 'zod'

const faultsCount = 100

export const orderPlaced = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ n: z.int(), order: z.string(), country: z.string(), note: z.string() }),
  key: ({ order }) => order,
})
export const pageSeen = defineEvent({
  type: 'shop.page-seen',
  schema: z.object({ n: z.int(), page: z.string(), customer: z.string() }),
  key: ({ customer }) => customer,
})

const ship = defineSubscription({
  ...{ name: 'ship', on: orderPlaced, external: false, concurrency: 100 },
  handle({ data: { n, country } }) {
    // By a letter, not a number: faults that differ in their numbers alone are one.
    const way = String.fromCharCode(97 + (n % 10), 97 + Math.floor((n % faultsCount) / 10))
    throw new PermanentError(`Carrier ${way} does not go to ${country}`)
  },
})
const counted = defineSubscription({
  ...{ name: 'count', on: pageSeen, external: false, concurrency: 100 },
  handle() {},
})

export default defineApp({ name: 'shop', events: [orderPlaced, pageSeen], subscriptions: [ship, counted] })
