// What a workflow is to the engine: a subscription to its stimuli, ordered by instance, and one to the event that starts
// it.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ResolvedSubscription } from '../deliver/subscription.js'
import type { Event } from '../event/event.js'
import { type AnyEventDefinition, defineEvent } from '../event/index.js'
import { type RetryPolicy, retries, ValidationError } from '../handle/index.js'
import type { AnyWorkflow, WorkflowTrigger } from './definition.js'
import { typeOf } from './stimulus.js'

/** Its dead letters and its lag are found under this name. */
const subscriptionName = (workflow: string) => `workflow-${workflow}`
const starterName = (workflow: string) => `workflow-${workflow}-start`

/** A delivery lasts as long as its instance has something to do; steps have deadlines of their own. */
const deadlineMs = 24 * 3_600_000
const leaseMs = 30_000
const startersMax = 50

// What an instance meets outside is retried step by step. Here it is a database that is away, a lease that moved, or a
// version that this process does not know: nothing that an instance must die of.
const retry: RetryPolicy = {
  attemptsMax: 10_000,
  processingAttemptsMax: 3,
  delayMs: (attempt, random) => random.next() * Math.min(60_000, 50 * 2 ** Math.min(attempt, 12)),
}

const anything: StandardSchemaV1 = {
  '~standard': { version: 1, vendor: 'eventspine', validate: (value) => ({ value }) },
}

const common: Omit<
  ResolvedSubscription,
  'name' | 'on' | 'matches' | 'retry' | 'deadlineMs' | 'leaseMs' | 'ordered' | 'concurrencyMax'
> = {
  ...{ filter: undefined, handle: undefined, transact: undefined, workflow: undefined },
  ...{ concurrencyPerKeyMax: Number.POSITIVE_INFINITY, rate: undefined, breaker: undefined },
  ...{ batchEventsMax: 1_000, batchBytesMax: 1024 * 1024, priority: 'normal' },
  ...{ start: 'now', shards: 1, external: true },
}

/** Of all versions of one workflow; the newest says how it is run, and what starts it. */
export function subscriptionsOf(newest: AnyWorkflow): readonly ResolvedSubscription[] {
  const { name, on, concurrency, shards } = newest
  const prefix = typeOf(name, 'started').slice(0, -'started'.length)
  const own: ResolvedSubscription = {
    ...common,
    ...{ name: subscriptionName(name), workflow: name, retry, deadlineMs, leaseMs, shards },
    on: [`${prefix}*`],
    matches: (type) => type.startsWith(prefix),
    ordered: 'halt',
    concurrencyMax: Math.max(concurrency, shards),
  }
  return on === undefined ? [own] : [own, starterOf(name, on)]
}

function starterOf(workflow: string, trigger: WorkflowTrigger): ResolvedSubscription {
  const { event: definition } = trigger
  const started = startedEvent(workflow)
  return {
    ...common,
    name: starterName(workflow),
    on: [definition],
    matches: (type) => type === definition.type,
    ordered: 'no',
    retry: retries.standard(),
    deadlineMs: 30_000,
    leaseMs: 60_000,
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

const definitions = new Map<string, AnyEventDefinition>()

function startedEvent(workflow: string): AnyEventDefinition {
  let known = definitions.get(workflow)
  if (known === undefined) {
    known = defineEvent({ type: typeOf(workflow, 'started'), schema: anything })
    definitions.set(workflow, known)
  }
  return known
}
