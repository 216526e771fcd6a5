// An app is a value: the events and subscriptions of one system, checked as a whole. Wrong definitions fail here, all
// of them at once, with what to write instead.

import type { BreakerOptions, ResolvedSubscription, Subscription } from '../deliver/subscription.js'
import { compileFilter, type Filter } from '../event/filter/index.js'
import type { AnyEventDefinition } from '../event/index.js'
import { closest, EventRegistry, typeMatcher } from '../event/index.js'
import { retries } from '../handle/index.js'
import { EventspineError } from '../kernel/index.js'

export interface AppOptions {
  /** Lower case, digits and dashes. The default `source` of its events is `/` and this name. */
  readonly name: string
  /** Events that it publishes. Those that a subscription names need not be listed. */
  readonly events?: readonly AnyEventDefinition[]
  readonly subscriptions?: readonly Subscription[]
}

export interface App {
  readonly kind: 'app'
  readonly name: string
  readonly events: readonly AnyEventDefinition[]
  readonly subscriptions: readonly ResolvedSubscription[]
  readonly registry: EventRegistry
}

/** Throws APP_INVALID with every fault it finds. */
export function defineApp(options: AppOptions): App {
  const faults: string[] = []
  const subscriptions = options.subscriptions ?? []
  const named = subscriptions.flatMap((subscription) =>
    subscription.on.filter((each) => typeof each !== 'string'),
  )
  const events = [...new Set([...(options.events ?? []), ...named])]
  if (!nameForm.test(options.name)) faults.push(`app name "${options.name}" must be ${nameRule}`)
  checkEvents(events, faults)
  const resolved = subscriptions.map((subscription) => resolve(subscription, events, faults))
  const names = new Set<string>()
  for (const { name } of subscriptions) {
    if (names.has(name))
      faults.push(`subscription "${name}" is defined twice; its name holds its cursor, so give each its own`)
    names.add(name)
  }
  if (faults.length > 0) {
    throw new EventspineError(
      'APP_INVALID',
      `The app "${options.name}" has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    )
  }
  return Object.freeze({
    kind: 'app',
    name: options.name,
    events,
    subscriptions: resolved,
    registry: new EventRegistry(events),
  })
}

const nameForm = /^[a-z0-9][a-z0-9-]{0,99}$/
const nameRule = 'lower-case letters, digits and dashes, at most 100 characters, such as "reserve-stock"'
const typeForm = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}$/

function checkEvents(events: readonly AnyEventDefinition[], faults: string[]): void {
  const seen = new Map<string, AnyEventDefinition>()
  for (const event of events) {
    const name = `event "${event.type}" version ${event.version}`
    if (!typeForm.test(event.type))
      faults.push(
        `${name}: a type is letters, digits, dots, dashes and underscores, at most 200, such as "orders.order-placed"`,
      )
    if (!Number.isInteger(event.version) || event.version < 1 || event.version > 1_000_000)
      faults.push(`${name}: version must be a whole number from 1`)
    if (typeof event.schema?.['~standard']?.validate !== 'function')
      faults.push(`${name}: schema must be a Standard Schema, such as z.object({ … }) of zod 4`)
    const id = `${event.type}\n${event.version}`
    if (seen.has(id)) faults.push(`${name} is defined twice; raise the version of the one that changed`)
    seen.set(id, event)
    for (const from of Object.keys(event.upcast)) {
      if (!/^[1-9]\d*$/.test(from) || Number(from) >= event.version)
        faults.push(
          `${name}: upcast ${from} leads nowhere; write { 1: (v1) => v2, … } up to ${event.version - 1}`,
        )
    }
  }
}

/** Leases of alarms are short and kept by heartbeats; others outlast the handler, so that one slow beat costs nothing. */
const alarmLeaseMs = 5_000
const leaseMarginMs = 30_000

function resolve(
  subscription: Subscription,
  events: readonly AnyEventDefinition[],
  faults: string[],
): ResolvedSubscription {
  const { name, on, handle, transact, policies } = subscription
  const fault = (message: string) => void faults.push(`subscription "${name}": ${message}`)
  const priority = policies.priority ?? 'normal'
  const deadlineMs = policies.deadlineMs ?? 30_000
  const concurrency =
    typeof policies.concurrency === 'number'
      ? { max: policies.concurrency }
      : (policies.concurrency ?? { max: 10 })
  const ordered =
    policies.ordered === undefined || policies.ordered === false
      ? 'no'
      : policies.ordered === true
        ? 'halt'
        : policies.ordered.afterDead
  checkSubscription(subscription, events, fault)
  const matchers = on.map((interest) =>
    typeof interest === 'string' ? typeMatcher(interest) : typeMatcher(interest.type),
  )
  return {
    name,
    on,
    matches: (type) => matchers.some((matcher) => matcher(type)),
    filter: filterOf(policies.filter, fault),
    handle,
    transact,
    retry: policies.retry ?? (priority === 'alarm' ? retries.alarm() : retries.standard()),
    deadlineMs,
    leaseMs: priority === 'alarm' ? alarmLeaseMs : deadlineMs + leaseMarginMs,
    ordered,
    concurrencyMax: concurrency.max,
    concurrencyPerKeyMax:
      ('perKey' in concurrency ? concurrency.perKey : undefined) ?? Number.POSITIVE_INFINITY,
    rate: policies.rate,
    batchEventsMax: policies.batch?.eventsMax ?? 1_000,
    batchBytesMax: policies.batch?.bytesMax ?? 1024 * 1024,
    priority,
    breaker: policies.breaker === undefined ? undefined : withDefaults(policies.breaker),
    start: policies.start ?? 'now',
    shards: policies.shards ?? 1,
    external: policies.external ?? transact === undefined,
  }
}

const withDefaults = (breaker: BreakerOptions): Required<BreakerOptions> => ({
  windowMs: 60_000,
  probes: 2,
  rampMs: 10_000,
  scope: 'service',
  ...breaker,
})

function filterOf(
  pattern: Subscription['policies']['filter'],
  fault: (message: string) => void,
): Filter | undefined {
  if (pattern === undefined) return undefined
  try {
    return compileFilter(pattern)
  } catch (error) {
    fault(`filter: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

const numbersFrom1: readonly [string, (subscription: Subscription) => number | undefined, number][] = [
  ['deadlineMs', ({ policies }) => policies.deadlineMs, 24 * 3_600_000],
  [
    'concurrency',
    ({ policies }) =>
      typeof policies.concurrency === 'object' ? policies.concurrency.max : policies.concurrency,
    10_000,
  ],
  [
    'concurrency.perKey',
    ({ policies }) => (typeof policies.concurrency === 'object' ? policies.concurrency.perKey : undefined),
    10_000,
  ],
  ['rate.max', ({ policies }) => policies.rate?.max, 10_000_000],
  ['rate.perMs', ({ policies }) => policies.rate?.perMs, 24 * 3_600_000],
  ['batch.eventsMax', ({ policies }) => policies.batch?.eventsMax, 100_000],
  ['batch.bytesMax', ({ policies }) => policies.batch?.bytesMax, 256 * 1024 * 1024],
  ['shards', ({ policies }) => policies.shards, 1_024],
  ['breaker.failures', ({ policies }) => policies.breaker?.failures, 1_000_000],
  ['breaker.cooldownMs', ({ policies }) => policies.breaker?.cooldownMs, 24 * 3_600_000],
  ['retry.attemptsMax', ({ policies }) => policies.retry?.attemptsMax, 10_000],
]

const policyNames = [
  'filter',
  'retry',
  'deadlineMs',
  'ordered',
  'concurrency',
  'rate',
  'batch',
  'priority',
  'breaker',
  'start',
  'shards',
  'external',
  'description',
]

function checkSubscription(
  subscription: Subscription,
  events: readonly AnyEventDefinition[],
  fault: (message: string) => void,
): void {
  const { name, on, handle, transact, policies } = subscription
  if (!nameForm.test(name)) fault(`a name is ${nameRule}`)
  if (on.length === 0) fault('"on" names no event; write on: orderPlaced, or on: "orders.*"')
  if ((handle === undefined) === (transact === undefined))
    fault('write exactly one of "handle" (may call the world) and "transact" (database work in ctx.tx)')
  for (const option of Object.keys(policies)) {
    if (!policyNames.includes(option)) fault(`"${option}" is no option${suggestion(option)}`)
  }
  for (const [option, read, max] of numbersFrom1) {
    const value = read(subscription)
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > max))
      fault(`${option} is ${value}; write a whole number from 1 to ${max.toLocaleString('en')}`)
  }
  checkInterests(on, events, fault)
  const { start, ordered, shards, concurrency } = policies
  if (
    start instanceof Date
      ? Number.isNaN(start.getTime())
      : start !== undefined && start !== 'beginning' && start !== 'now'
  )
    fault('start is "beginning", "now" or a valid Date')
  const max = typeof concurrency === 'object' ? concurrency.max : concurrency
  if (max !== undefined && shards !== undefined && max < shards)
    fault(`concurrency ${max} is less than its ${shards} shards; each needs one`)
  if (ordered && events.some((event) => event.key === undefined && on.includes(event)))
    fault('ordered, but an event that it takes has no key; add "key: (data) => …" to the event')
}

function suggestion(option: string): string {
  const near = closest(option, policyNames)
  return near === undefined ? `; there are ${policyNames.join(', ')}` : `; did you mean "${near}"?`
}

function checkInterests(
  on: Subscription['on'],
  events: readonly AnyEventDefinition[],
  fault: (message: string) => void,
): void {
  for (const interest of on) {
    if (typeof interest !== 'string') {
      if (interest?.kind !== 'event')
        fault('"on" takes events made by defineEvent, or patterns such as "orders.*"')
    } else if (!/^[a-zA-Z0-9._*-]{1,200}$/.test(interest)) {
      fault(`pattern "${interest}" may hold letters, digits, dots, dashes, underscores and *`)
    } else if (!events.some((event) => typeMatcher(interest)(event.type))) {
      fault(
        `pattern "${interest}" matches no event of the app; list the events that it is for in defineApp({ events: […] })`,
      )
    }
  }
}
