// What a workflow is to the engine: a subscription to its stimuli, ordered by instance, and one to the event that starts
// it.
import { ownDefaults, type ResolvedSubscription } from '../deliver/index.js'
import type { Event } from '../event/event.js'
import { type AnyEventDefinition, ownDefinition } from '../event/index.js'
import { type RetryPolicy, retries, ValidationError } from '../handle/index.js'
import type { AnyWorkflow, WorkflowTrigger } from './definition.js'
import { stimuliOf, typeOf } from './stimulus.js'

/** Its dead letters and its lag are found under this name. */
const subscriptionName = (workflow: string) => `workflow-${workflow}`
const starterName = (workflow: string) => `workflow-${workflow}-start`
const routerName = (workflow: string) => `workflow-${workflow}-events`

/** A delivery lasts as long as its instance has something to do; steps have deadlines of their own. */
const deadlineMs = 24 * 3_600_000
const leaseMs = { normal: 30_000, alarm: 5_000 } as const
/** Of what starts instances, and of what tells them of events. */
const guideLeaseMs = { normal: 60_000, alarm: 5_000 } as const
const startersMax = 50
const routersMax = 200

// What an instance meets outside is retried step by step. Here it is a database that is away, a lease that moved, or a
// version that this process does not know: nothing that an instance must die of.
const retry: RetryPolicy = {
  attemptsMax: 10_000,
  processingAttemptsMax: 3,
  delayMs: (attempt, random) => random.next() * Math.min(60_000, 50 * 2 ** Math.min(attempt, 12)),
}

/** Of all versions of one workflow, newest first: that says how it is run, and what starts it. */
export function subscriptionsOf(versions: readonly AnyWorkflow[]): readonly ResolvedSubscription[] {
  const newest = versions[0] as AnyWorkflow
  const { name, on, concurrency, shards, priority } = newest
  const awaited = [...new Set(versions.flatMap(({ waitsFor }) => waitsFor))]
  const prefix = typeOf(name, 'started').slice(0, -'started'.length)
  const own: ResolvedSubscription = {
    ...ownDefaults,
    ...{ name: subscriptionName(name), workflow: name, retry, deadlineMs, shards },
    ...{ priority, leaseMs: leaseMs[priority] },
    versions: versions.map(({ version }) => version).sort((a, b) => a - b),
    on: [stimuliOf(name)],
    matches: (type) => type.startsWith(prefix),
    ordered: 'halt',
    concurrencyMax: Math.max(concurrency, shards),
  }
  return [
    own,
    ...(on === undefined ? [] : [starterOf(newest, on)]),
    ...(awaited.length === 0 ? [] : [routerOf(newest, awaited)]),
  ]
}

/** Tells whoever waits for an event that it is there. */
function routerOf(
  { name: workflow, priority }: AnyWorkflow,
  awaited: readonly AnyEventDefinition[],
): ResolvedSubscription {
  const types = new Set(awaited.map(({ type }) => type))
  return {
    ...ownDefaults,
    ...{ name: routerName(workflow), workflow, retry, on: awaited, matches: (type) => types.has(type) },
    ...{ ordered: 'no', deadlineMs: 30_000, concurrencyMax: routersMax, external: false },
    ...{ priority, leaseMs: guideLeaseMs[priority] },
  }
}

function starterOf(
  { name: workflow, priority }: AnyWorkflow,
  trigger: WorkflowTrigger,
): ResolvedSubscription {
  const { event: definition } = trigger
  const started = ownDefinition(typeOf(workflow, 'started'))
  return {
    ...ownDefaults,
    ...{ name: starterName(workflow), start: trigger.start },
    on: [definition],
    matches: (type) => type === definition.type,
    ordered: 'no',
    retry: priority === 'alarm' ? retries.alarm() : retries.standard(),
    deadlineMs: 30_000,
    ...{ priority, leaseMs: guideLeaseMs[priority] },
    concurrencyMax: startersMax,
    external: false,
    handle: async (event, { publish }) => {
      const { id, input } = startOf(trigger, event)
      if (typeof id !== 'string' || id === '')
        throw new ValidationError(
          `The id that workflow "${workflow}" takes from "${event.type}" must be a text that is not empty`,
        )
      await publish(started, { input }, { key: id })
    },
  }
}

function startOf({ id, input }: WorkflowTrigger, event: Event) {
  return {
    id: id(event as never) as unknown,
    input: input === undefined ? event.data : input(event as never),
  }
}
