// The app under simulation, with handlers that do what the plan wants of each delivery and write down that they ran.

import type { Event, HandlerContext, TransactionContext } from 'eventspine'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  PermanentError,
  ProcessingError,
  retries,
  TransientError,
} from 'eventspine'
import { type App, hash32, type NewEvent, orderingKeyOf } from './engine.js'
import type { HandlerRun } from './ledger.js'
import { type Behaviour, behaviours, type Plan, type SubscriptionPlan } from './plan.js'
import type { SimulatedProcess } from './process.js'

export interface Data {
  /** The fact that it states. */
  readonly fact: string
  readonly key: string
}

export const placed = defineEvent({ type: 'orders.placed', schema: accepting<Data>(), key: ({ key }) => key })
export const followed = defineEvent({
  type: 'orders.followed',
  schema: accepting<Data & { readonly by: string }>(),
  key: ({ key }) => key,
})
/** Written by transactional handlers through their transaction: there if and only if it committed. */
export const effectType = 'effects.applied'

/** A schema that takes everything. */
export function accepting<Shape>() {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'simulation',
      validate: (value: unknown) => ({ value: value as Shape }),
      types: undefined as unknown as { readonly input: Shape; readonly output: Shape },
    },
  }
}

const deadlineMs = 400

export function appOf(process: SimulatedProcess): App {
  const { plan } = process.world
  const app = defineApp({
    name: 'simulation',
    events: [placed, followed],
    subscriptions: plan.subscriptions.map((each) => subscriptionOf(process, each)),
  })
  // Leases as short as the story is: they run out many times in one.
  const leases = new Map(plan.subscriptions.map(({ name, leaseMs }) => [name, leaseMs]))
  const subscriptions = app.subscriptions.map((each) => ({
    ...each,
    leaseMs: leases.get(each.name) ?? each.leaseMs,
  }))
  return { ...app, subscriptions }
}

function subscriptionOf(process: SimulatedProcess, plan: SubscriptionPlan) {
  const { name, concurrency, perKey, attemptsMax, breaker, ordered } = plan
  const options = {
    name,
    on: [plan.follows ? 'orders.*' : placed.type],
    ...{ priority: plan.priority, shards: plan.shards, start: plan.start, deadlineMs, external: false },
    batch: { eventsMax: plan.batchEventsMax },
    concurrency: perKey ? { max: concurrency, perKey: 1 } : concurrency,
    ordered: ordered === false ? false : { afterDead: ordered },
    retry: retries.alarm({ attemptsMax, processingAttemptsMax: Math.min(2, attemptsMax) }),
    ...(plan.filtered ? { filter: { tenant: ['tenant-0'] } } : {}),
    ...(plan.rate ? { rate: { max: 20, perMs: 1_000 } } : {}),
    ...(breaker === 'none'
      ? {}
      : { breaker: { name: 'downstream', failures: 3, cooldownMs: 500, rampMs: 500, scope: breaker } }),
  } as const
  const act = (event: Event, context: HandlerContext) =>
    handle(process, plan, event as Event<string, Data>, context)
  if (plan.kind === 'plain') return defineSubscription({ ...options, handle: act })
  if (plan.kind === 'transactional') return defineSubscription({ ...options, transact: act })
  return defineSubscription({
    ...options,
    batch: { ...options.batch, ...(plan.windowMs === 0 ? {} : { windowMs: plan.windowMs }) },
    transactMany: async (deliveries) => {
      for (const { event, context } of deliveries) await act(event, context)
    },
  })
}

async function handle(
  process: SimulatedProcess,
  subscription: SubscriptionPlan,
  event: Event<string, Data>,
  context: HandlerContext,
): Promise<void> {
  if (process.dead) return process.never()
  const { world } = process
  const run = begin(process, event, context)
  const behaviour = behaviourOf(world.plan, subscription.name, event.data.fact, context)
  if (behaviour !== 'well') world.tally.met(behaviour)
  try {
    await behave(process, behaviour, event.data.fact, context)
    if ('tx' in context) await applyEffect(process, context as TransactionContext, event)
    await publishFurther(subscription, event, context)
    if (subscription.breaker !== 'none' && world.clock.monotonic() < world.downUntilMs)
      throw new TransientError('the downstream is down')
  } finally {
    run.endedAt = world.trace.say(process.name, `ends ${context.deliveryId}`)
    if (context.signal.aborted) world.tally.met('handler aborted')
  }
}

function begin(process: SimulatedProcess, event: Event<string, Data>, context: HandlerContext): HandlerRun {
  const { world } = process
  const { deliveryId, subscription, attempt, round, replay = '' } = context
  const startedAt = world.trace.say(
    process.name,
    `begins ${deliveryId} ${event.data.fact}, attempt ${attempt} of round ${round}`,
  )
  const run: HandlerRun = {
    ...{ process: process.name, subscription, replay, deliveryId, attempt, round, startedAt },
    seq: Number(/\.(\d+)/.exec(deliveryId)?.[1]),
    fact: event.data.fact,
    key: orderingKeyOf({ tenant: event.tenant, key: event.key ?? null }),
    startedMs: world.clock.monotonic(),
    endedAt: null,
    outcome: null,
    conflicted: false,
  }
  world.ledger.started(run)
  return run
}

/** The same for every attempt of a round: a retry meets the same trouble until it is over. */
function behaviourOf(
  plan: Plan,
  subscription: string,
  fact: string,
  { round, attempt, replay }: HandlerContext,
): Behaviour {
  const about = `${plan.seed} ${subscription} ${fact} ${round} ${replay === undefined ? '' : 'again'}`
  const luck = hash32(about) / 4_294_967_296
  if (luck >= plan.trouble / (round + 1)) return 'well'
  const kind = behaviours.filter((each) => plan.behaviours.has(each))
  const behaviour = kind[hash32(`which ${about}`) % kind.length] ?? 'well'
  // Some pass after a while, some never do.
  const passesAfter = hash32(`passes ${about}`) % 8
  if (behaviour === 'fails' && attempt > passesAfter) return 'well'
  // A crowd of killers takes a long time to sort out and shows nothing that two do not.
  return behaviour.startsWith('kills') && passesAfter > 1 ? 'well' : behaviour
}

async function behave(
  process: SimulatedProcess,
  behaviour: Behaviour,
  fact: string,
  context: HandlerContext,
): Promise<void> {
  const { clock } = process
  if (behaviour === 'slow') return clock.sleep(slowMs)
  if (behaviour === 'fails') throw new TransientError('passing fault')
  if (behaviour === 'processing') throw new ProcessingError('logic fault')
  if (behaviour === 'permanent') throw new PermanentError('lasting fault')
  if (behaviour === 'hangs') {
    await clock.sleep(60_000, context.signal)
    throw new Error('gave up')
  }
  if (behaviour === 'ignores abort') return clock.sleep(deadlineMs * 3)
  if (behaviour === 'kills always' || (behaviour === 'kills once' && killsNow(process, fact, context))) {
    process.crash(`while it handles ${fact}`)
    return process.never()
  }
  if (hash32(`${fact} pause`) % 3 === 0) await clock.sleep(hash32(fact) % 30)
}

const slowMs = 300

function killsNow({ world }: SimulatedProcess, fact: string, context: HandlerContext): boolean {
  const before = world.ledger.runs.filter(
    (run) => run.fact === fact && run.subscription === context.subscription,
  )
  return before.length <= 1
}

async function applyEffect(
  process: SimulatedProcess,
  context: TransactionContext,
  event: Event,
): Promise<void> {
  const executor = async (text: string, values: readonly unknown[]) =>
    (await context.tx.query(text, values)).rows
  const { world, store } = process
  const effect: NewEvent = {
    ...{
      id: `effect ${world.trace.order}`,
      type: effectType,
      version: 1,
      tenant: event.tenant,
      source: '/effects',
    },
    ...{ subject: null, key: null, timeMs: 0, claim: null, traceparent: event.traceparent },
    data: JSON.stringify({ by: context.deliveryId, round: context.round }),
    ...{ correlationId: event.correlationId, causationId: event.id, extensions: null, fingerprint: null },
  }
  await store.appendWithin(executor, [effect])
}

async function publishFurther(
  subscription: SubscriptionPlan,
  event: Event<string, Data>,
  context: HandlerContext,
): Promise<void> {
  if (subscription.publishes === 'nothing' || event.type !== placed.type) return
  const { fact, key } = event.data
  const data = { fact: `${fact}>${subscription.name}`, key, by: context.deliveryId }
  const ids = {
    'new id': undefined,
    'own id': `follows-${fact}-${subscription.name}`,
    'shared id': `follows-${subscription.name}-${hash32(fact) % 5}`,
  }
  const id = ids[subscription.publishes]
  await context.publish(followed, data, id === undefined ? {} : { id })
}
