// Subscriptions: how they stand, pause and resume. Their figures span tenants.
import type { Eventspine, Handling, SubscriptionView } from 'eventspine'
import { z } from 'zod'
import type { Boards } from '../overview/boards.js'
import { defineRoute } from '../route/route.js'
import { cellQuery, listOf, namePath, noPath, reasonText } from '../schema/parts.js'
import { subscriptionView } from '../schema/views.js'
import { found } from './answers.js'

const read = { scope: 'read', tenancy: 'system' } as const
const operate = { scope: 'operate', tenancy: 'system' } as const
const tag = 'Subscriptions'

interface Call {
  readonly spine: Eventspine
  readonly boards: Boards
  readonly query: { readonly cell?: string | undefined }
}

interface Standing extends SubscriptionView {
  readonly perSecond: number | null
  readonly handling: Omit<Handling, 'subscription'>
}

/** Of all, or of the one of that name, if there is one. */
async function standings(
  { spine, boards, query: { cell } }: Call,
  name?: string,
): Promise<readonly Standing[]> {
  const operator = spine.operator(cell)
  const [views, handling, figures] = await Promise.all([
    name === undefined
      ? operator.subscriptions()
      : operator.subscription(name).then((view) => (view === null ? [] : [view])),
    operator.handling(),
    boards.of(cell).current(),
  ])
  const handlings = new Map(handling.map(({ subscription, ...rest }) => [subscription, rest]))
  const rates = new Map(figures.subscriptions.map((each) => [each.name, each.perSecond]))
  return views.flatMap((view) => {
    const own = handlings.get(view.name)
    // One that came between the two readings is shown from the next one on.
    return own === undefined ? [] : [{ ...view, perSecond: rates.get(view.name) ?? null, handling: own }]
  })
}

const listSubscriptions = defineRoute({
  method: 'GET',
  url: '/v1/subscriptions',
  operationId: 'listSubscriptions',
  tag,
  summary: 'List subscriptions with their lag, counts and how long attempts take',
  access: read,
  path: noPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'All subscriptions', schema: listOf(subscriptionView) }],
  problems: ['CELL_UNKNOWN'],
  handle: async (call) => ({ body: { items: await standings(call) } }),
})

const showSubscription = defineRoute({
  method: 'GET',
  url: '/v1/subscriptions/:name',
  operationId: 'showSubscription',
  tag,
  summary: 'Show a subscription',
  access: read,
  path: namePath,
  query: cellQuery,
  successes: [{ status: 200, description: 'The subscription', schema: subscriptionView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle(call) {
    const [standing] = await standings(call, call.path.name)
    return { body: found(standing, 'subscription') }
  },
})

const stateView = z.object({ name: z.string(), state: z.enum(['active', 'paused']) })
const why = z.strictObject({ reason: reasonText.optional() })

const pauseSubscription = defineRoute({
  method: 'POST',
  url: '/v1/subscriptions/:name/pause',
  operationId: 'pauseSubscription',
  tag,
  summary: 'Pause a subscription',
  description: 'Answers once no attempt can start any more. Attempts that run go on to their end.',
  access: operate,
  path: namePath,
  query: cellQuery,
  body: why,
  successes: [{ status: 200, description: 'It is paused', schema: stateView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, query, path, principal, body }) {
    await spine.operator(query.cell).pause(path.name, principal.actor, body.reason)
    return { body: { name: path.name, state: 'paused' } }
  },
})

const resumeSubscription = defineRoute({
  method: 'POST',
  url: '/v1/subscriptions/:name/resume',
  operationId: 'resumeSubscription',
  tag,
  summary: 'Resume a subscription where it stopped',
  access: operate,
  path: namePath,
  query: cellQuery,
  body: why,
  successes: [{ status: 200, description: 'It goes on', schema: stateView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, query, path, principal, body }) {
    await spine.operator(query.cell).resume(path.name, principal.actor, body.reason)
    return { body: { name: path.name, state: 'active' } }
  },
})

const removeSubscription = defineRoute({
  method: 'POST',
  url: '/v1/subscriptions/:name/remove',
  operationId: 'removeSubscription',
  tag,
  summary: 'Remove a subscription that is gone from the code',
  description:
    'Pauses it, then removes its cursor and open deliveries and discards its dead letters; the audit row counts them. A subscription that an app still defines begins anew when that app starts next.',
  access: { ...operate, scope: 'admin' },
  path: namePath,
  query: cellQuery,
  body: why,
  successes: [
    {
      status: 200,
      description: 'It is removed',
      schema: z.object({ name: z.string(), state: z.literal('removed') }),
    },
  ],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, query, path, principal, body }) {
    await spine.operator(query.cell).removeSubscription(path.name, principal.actor, body.reason)
    return { body: { name: path.name, state: 'removed' } }
  },
})

export const subscriptionRoutes = [
  listSubscriptions,
  showSubscription,
  pauseSubscription,
  resumeSubscription,
  removeSubscription,
]
