// The app that `eventspine dev` is started with: one event, one subscription.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { z } from 'zod'

const happened = defineEvent({ type: 'idle.happened', schema: z.object({ n: z.number() }) })

export const app = defineApp({
  name: 'idle',
  events: [happened],
  subscriptions: [defineSubscription({ name: 'notice', on: happened, handle: () => {} })],
})

export default app
