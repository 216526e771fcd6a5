// What the server under fire runs: an event that takes anything, versions, a chain, and what ends as dead letters.
import { defineApp, defineEvent, defineSubscription, PermanentError, TransientError } from 'eventspine'
import { httpRoute, standardWebhooks, webhook } from 'eventspine/source'
import { webhooksOut } from 'eventspine/webhooks'
import { schedule, workflow } from 'eventspine/workflow'
import { z } from 'zod'

const orderV1 = defineEvent({
  type: 'orders.order-placed',
  version: 1,
  schema: z.object({ order: z.string(), amount: z.number() }),
})

const orderPlaced = defineEvent({
  type: 'orders.order-placed',
  version: 2,
  schema: z.object({ order: z.string().min(1), quantity: z.int().min(1), note: z.string().optional() }),
  key: (data) => data.order,
  upcast: { 1: (old: { order: string; amount: number }) => ({ order: old.order, quantity: old.amount }) },
})

const orderConfirmed = defineEvent({
  type: 'orders.order-confirmed',
  schema: z.object({ order: z.string() }),
})
const anything = defineEvent({ type: 'tests.anything', schema: z.unknown() })
const failing = defineEvent({ type: 'tests.failing', schema: z.object({ reason: z.string().max(100) }) })

const confirm = defineSubscription({
  name: 'confirm',
  on: orderPlaced,
  breaker: { name: 'payments', failures: 1_000, cooldownMs: 1_000 },
  handle: (event, context) => context.publish(orderConfirmed, { order: event.data.order }),
})

const remember = defineSubscription({
  name: 'remember',
  on: ['orders.*', 'tests.anything'],
  handle: () => {},
  external: false,
})

// Stacks are shown to whoever may read dead letters. Without one, any path in any answer is a leak.
const fail = defineSubscription({
  name: 'fail',
  on: failing,
  external: false,
  handle: (event) => {
    const error =
      event.data.reason === 'transient' ? new TransientError('Later') : new PermanentError('No luck')
    error.stack = error.message
    throw error
  },
})

// For whoever removes it.
const spare = defineSubscription({ name: 'spare', on: orderConfirmed, handle: () => {}, external: false })

const ask = workflow({
  name: 'ask',
  run: async (ctx, input) => {
    const signalled = await ctx.signal('go', { timeoutMs: 1_000 })
    const approval = await ctx.approval('release', { to: 'anyone', timeoutMs: 60_000 })
    return ctx.step('answer', () => ({ input, signalled, approved: approval?.approved }))
  },
})

// Whatever is sent becomes an event, or is kept; and one whose secret nobody has.
const taken = webhook({
  name: 'taken',
  verify: ({ headers }) => ({ id: headers['webhook-id'] }),
  to: (message) => ({ event: anything, data: message.json() }),
})
const signed = webhook({
  name: 'signed',
  verify: standardWebhooks({ secrets: ['whsec_bm9ib2R5IGhhcyB0aGlzIHNlY3JldA=='] }),
  to: () => null,
})

// Routes of the app's own: one that is answered by an event, or by none, and one that anybody may use.
const asked = defineEvent({
  type: 'things.asked',
  schema: z.object({ thing: z.string(), count: z.int(), value: z.unknown() }),
})
const answered = defineEvent({ type: 'things.answered', schema: z.object({ count: z.int() }) })
const askThing = httpRoute({
  name: 'ask-thing',
  path: '/fuzz/things/:thing',
  query: z.strictObject({ shade: z.enum(['red', 'green']).optional() }),
  body: z.object({ count: z.int().min(0).max(1_000), value: z.unknown() }),
  to: ({ params, body: { count, value } }) => ({
    event: asked,
    data: { thing: params.thing, count, value: value ?? null },
  }),
  reply: {
    event: answered,
    to: ({ data: { count } }) => (count > 500 ? { status: 409, body: { count } } : { body: { count } }),
    answers: { 200: z.object({ count: z.int() }), 409: z.object({ count: z.int() }) },
  },
})
const answerThing = defineSubscription({
  name: 'answer-thing',
  on: asked,
  external: false,
  handle: async ({ data: { count } }, { publish }) => {
    if (count % 2 === 0) await publish(answered, { count })
  },
})
const replaceThing = httpRoute({
  name: 'replace-thing',
  method: 'PUT',
  path: '/fuzz/things/:thing',
  access: 'open',
  body: z.array(z.string()).max(100),
  to: ({ params, body }) => ({ event: asked, data: { thing: params.thing, count: 1, value: body } }),
})

// For whoever disables and enables its endpoints; nothing is sent.
const partners = webhooksOut({
  name: 'partners',
  on: orderConfirmed,
  endpoints: () => [],
  endpoint: () => null,
})

export const app = defineApp({
  name: 'fuzz',
  events: [orderV1, orderPlaced, orderConfirmed, anything, failing, asked],
  subscriptions: [confirm, remember, fail, spare, answerThing],
  workflows: [ask],
  sources: [taken, signed, askThing, replaceThing],
  webhooks: [partners],
  // For whoever has it run: by itself it comes round once a year.
  schedules: [
    schedule({ name: 'yearly', cron: '0 0 1 1 *', event: orderConfirmed, data: () => ({ order: 'yearly' }) }),
  ],
})
