// An app is a value: the events and subscriptions of one system, checked as a whole. Wrong definitions fail here, all
// of them at once, with what to write instead.

import type { BreakerOptions, ResolvedSubscription, Subscription } from '../deliver/subscription.js'
import { compileFilter, type Filter } from '../event/filter/index.js'
import type { AnyEventDefinition } from '../event/index.js'
import { closest, EventRegistry, typeMatcher } from '../event/index.js'
import { retries } from '../handle/index.js'
import { EventspineError } from '../kernel/index.js'
import {
  type Reconciler,
  reconcilerSubscriptions,
  type Schedule,
  subscriptionOf,
  type Timetable,
  timetableOf,
} from '../schedule/index.js'
import { messageKept, type Source, subscriptionOf as sourceSubscription } from '../source/index.js'
import { type AnyWorkflow, subscriptionsOf } from '../workflow/index.js'
import { checkEvents } from './app-events.js'
import { readingsOf } from './app-readings.js'
import { checkReconcilers, checkSchedules } from './app-schedules.js'
import { checkSources } from './app-sources.js'
import { checkWorkflows, eventsOf, versionsOf } from './app-workflows.js'

export interface AppOptions {
  /** Lower case, digits and dashes. The default `source` of its events is `/` and this name. */
  readonly name: string
  /** Events that it publishes. Those that a subscription names need not be listed. */
  readonly events?: readonly AnyEventDefinition[]
  readonly subscriptions?: readonly Subscription[]
  /** Of each, the versions that instances may still run on. */
  readonly workflows?: readonly AnyWorkflow[]
  readonly schedules?: readonly Schedule[]
  readonly reconcilers?: readonly Reconciler[]
  /** Where messages of others come in. */
  readonly sources?: readonly Source[]
  /** Grows with every deployment: the number or the time of the build, say. While versions roll out, the highest that runs
   *  says which events a subscription gets; of equal ones, whoever started last. Default 0. See docs/guides/operating.md. */
  readonly build?: number
}

export interface App {
  readonly kind: 'app'
  readonly name: string
  readonly events: readonly AnyEventDefinition[]
  /** Those of its workflows and schedules among them. */
  readonly subscriptions: readonly ResolvedSubscription[]
  readonly workflows: readonly AnyWorkflow[]
  /** Of its schedules and reconcilers. */
  readonly timetables: readonly Timetable[]
  readonly sources: readonly Source[]
  readonly registry: EventRegistry
  readonly build: number
}

/** Throws APP_INVALID with every fault it finds. */
export function defineApp(options: AppOptions): App {
  const faults: string[] = []
  const fault = (message: string) => void faults.push(message)
  checkNames(
    options,
    ['name', 'events', 'subscriptions', 'workflows', 'schedules', 'reconcilers', 'sources', 'build'],
    '',
    fault,
  )
  if (!isName(options.name)) fault(`app name "${options.name}" must be ${nameRule}`)
  const { build = 0 } = options
  if (!(Number.isSafeInteger(build) && build >= 0))
    fault(`build is ${printed(build)}; write a whole number that grows with every deployment`)
  const subscriptions = madeBy('defineSubscription', 'subscription', options.subscriptions, fault)
  const named = subscriptions.flatMap(({ on }) => on.filter((interest) => typeof interest !== 'string'))
  const events = madeBy('defineEvent', 'event', options.events, fault)
  const workflows = madeBy('workflow', 'workflow', options.workflows, fault)
  const schedules = madeBy('schedule', 'schedule', options.schedules, fault)
  const reconcilers = madeBy('reconciler', 'reconciler', options.reconcilers, fault)
  const sources = madeBy('webhook', 'source', options.sources, fault)
  const used = [...named, ...eventsOf(workflows), ...schedules.map(({ event }) => event)]
  const all = [...new Set([...events, ...used.filter((interest) => interest?.kind === 'event')])]
  checkEvents(all, faults)
  checkWorkflows(workflows, faults)
  checkSchedules(schedules, faults)
  checkReconcilers(reconcilers, faults)
  checkSources(sources, faults)
  const resolved = [
    ...subscriptions.map((subscription) => resolve(subscription, all, faults)),
    ...versionsOf(workflows).flatMap(subscriptionsOf),
    ...schedules.map(subscriptionOf),
    ...reconcilers.flatMap(reconcilerSubscriptions),
    ...sources.map(sourceSubscription),
  ]
  const timetables = [...schedules, ...reconcilers.map(timetableOf)]
  for (const { name } of timetables.filter(
    (each, index) => timetables.findIndex(({ name: other }) => other === each.name) !== index,
  ))
    fault(`schedule "${name}" is defined twice, as a schedule or by a reconciler; give each its own name`)
  const names = new Set<string>()
  for (const { name } of resolved) {
    if (names.has(name))
      fault(`subscription "${name}" is defined twice; its name holds its cursor, so give each its own`)
    names.add(name)
  }
  if (faults.length > 0) {
    throw new EventspineError(
      'APP_INVALID',
      `The app "${options.name}" has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((each) => `  - ${each}`).join('\n')}`,
    )
  }
  return Object.freeze({
    kind: 'app',
    name: options.name,
    events: all,
    subscriptions: resolved,
    workflows,
    timetables,
    sources,
    registry: new EventRegistry(sources.length === 0 ? all : [...all, messageKept]),
    build,
  })
}

/** The values of a list that the named function made; anything else is a fault. */
function madeBy<Value extends { readonly kind: string }>(
  maker: string,
  kind: Value['kind'],
  values: readonly Value[] | undefined,
  fault: (message: string) => void,
): readonly Value[] {
  if (values !== undefined && !Array.isArray(values)) {
    fault(`"${kind}s" must be a list; write ${kind}s: [ … ]`)
    return []
  }
  return (values ?? []).filter((value: Value | undefined, index) => {
    if (value?.kind === kind) return true
    fault(`${kind}s[${index}] is not made by ${maker}({ … })`)
    return false
  })
}

const isName = (name: unknown) => typeof name === 'string' && /^[a-z0-9][a-z0-9-]{0,99}$/.test(name)
const nameRule = 'lower-case letters, digits and dashes, at most 100 characters, such as "reserve-stock"'

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
  // What is of a wrong type is a fault already, and must not throw before it is told.
  const concurrency = isObject(policies.concurrency)
    ? policies.concurrency
    : { max: policies.concurrency ?? 10 }
  const ordered = isObject(policies.ordered)
    ? policies.ordered.afterDead
    : policies.ordered === true
      ? 'halt'
      : 'no'
  checkSubscription(subscription, events, fault)
  const matchers = on.map((interest) =>
    typeMatcher(typeof interest === 'string' ? interest : String(interest?.type)),
  )
  return {
    name,
    on,
    matches: (type) => matchers.some((matcher) => matcher(type)),
    reads: readingsOf(on, events, fault),
    filter: filterOf(policies.filter, fault),
    handle,
    transact,
    workflow: undefined,
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

const isObject = <Value>(value: Value): value is Value & object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const numbersFrom1: readonly [string, (subscription: Subscription) => number | undefined, number][] = [
  ['deadlineMs', ({ policies }) => policies.deadlineMs, 24 * 3_600_000],
  [
    'concurrency',
    ({ policies }) => (isObject(policies.concurrency) ? policies.concurrency.max : policies.concurrency),
    10_000,
  ],
  [
    'concurrency.perKey',
    ({ policies }) => (isObject(policies.concurrency) ? policies.concurrency.perKey : undefined),
    10_000,
  ],
  ['rate.max', ({ policies }) => policies.rate?.max, 10_000_000],
  ['rate.perMs', ({ policies }) => policies.rate?.perMs, 24 * 3_600_000],
  ['batch.eventsMax', ({ policies }) => policies.batch?.eventsMax, 100_000],
  ['batch.bytesMax', ({ policies }) => policies.batch?.bytesMax, 256 * 1024 * 1024],
  ['shards', ({ policies }) => policies.shards, 1_024],
  ['breaker.failures', ({ policies }) => policies.breaker?.failures, 1_000_000],
  ['breaker.windowMs', ({ policies }) => policies.breaker?.windowMs, 24 * 3_600_000],
  ['breaker.probes', ({ policies }) => policies.breaker?.probes, 10_000],
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
  if (!isName(name)) fault(`a name is ${nameRule}`)
  if (on.length === 0) fault('"on" names no event; write on: orderPlaced, or on: "orders.*"')
  if ((handle === undefined) === (transact === undefined))
    fault('write exactly one of "handle" (may call the world) and "transact" (database work in ctx.tx)')
  else if (typeof (handle ?? transact) !== 'function')
    fault(`"${handle === undefined ? 'transact' : 'handle'}" must be a function (event, context) => …`)
  checkNames(policies, policyNames, '', fault)
  checkParts(policies, fault)
  for (const [option, read, max] of numbersFrom1) {
    const value = read(subscription)
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > max))
      fault(`${option} is ${printed(value)}; write a whole number from 1 to ${max.toLocaleString('en')}`)
  }
  checkInterests(on, events, fault)
  const { start, ordered, shards, concurrency } = policies
  if (
    start instanceof Date
      ? Number.isNaN(start.getTime())
      : start !== undefined && start !== 'beginning' && start !== 'now'
  )
    fault('start is "beginning", "now" or a valid Date')
  const max = isObject(concurrency) ? concurrency.max : concurrency
  if (max !== undefined && shards !== undefined && max < shards)
    fault(`concurrency ${max} is less than its ${shards} shards; each needs one`)
  const takes = (event: AnyEventDefinition) =>
    on.some(
      (interest) => interest === event || (typeof interest === 'string' && typeMatcher(interest)(event.type)),
    )
  const keyless = ordered ? events.find((event) => event.key === undefined && takes(event)) : undefined
  if (keyless !== undefined)
    fault(`ordered, but "${keyless.type}", which it takes, has no key; add "key: (data) => …" to the event`)
}

/** Names of an object of options that nobody knows: a typing error that would otherwise be a default. */
function checkNames(
  options: object,
  known: readonly string[],
  place: string,
  fault: (message: string) => void,
): void {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue
    const near = closest(option, known)
    const hint = near === undefined ? `; there are ${known.join(', ')}` : `; did you mean "${near}"?`
    fault(`"${place}${option}" is no option${hint}`)
  }
}

/** Options that are objects: what each must hold and may hold, with an example. */
const parts = {
  concurrency: [['max'], ['perKey'], '{ max: 10, perKey: 1 }'],
  rate: [['max', 'perMs'], [], '{ max: 100, perMs: 1_000 }'],
  batch: [[], ['eventsMax', 'bytesMax'], '{ eventsMax: 100 }'],
  ordered: [['afterDead'], [], "{ afterDead: 'skip' }"],
  breaker: [
    ['name', 'failures', 'cooldownMs'],
    ['windowMs', 'probes', 'rampMs', 'scope'],
    "{ name: 'payments', failures: 5, cooldownMs: 30_000 }",
  ],
  retry: [['attemptsMax', 'processingAttemptsMax', 'delayMs'], [], 'retries.standard({ attemptsMax: 5 })'],
} as const

const printed = (value: unknown) =>
  isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value)

/** Options that are one of a few words. */
const words: readonly [string, (policies: Subscription['policies']) => unknown, readonly unknown[]][] = [
  ['priority', ({ priority }) => priority, ['alarm', 'normal']],
  ['external', ({ external }) => external, [true, false]],
  ['breaker.scope', ({ breaker }) => breaker?.scope, ['service', 'tenant', 'key']],
  [
    'ordered.afterDead',
    ({ ordered }) => (isObject(ordered) ? ordered.afterDead : undefined),
    ['halt', 'skip'],
  ],
]

function checkParts(policies: Subscription['policies'], fault: (message: string) => void): void {
  for (const [option, [needed, optional, example]] of Object.entries(parts)) {
    const value: unknown = Reflect.get(policies, option)
    const simple = option === 'concurrency' || option === 'ordered'
    if (value === undefined || (simple && !isObject(value))) continue
    if (!isObject(value)) {
      fault(`${option} must be an object; write ${option}: ${example}`)
      continue
    }
    checkNames(value, [...needed, ...optional], `${option}.`, fault)
    for (const name of needed)
      if (Reflect.get(value, name) === undefined)
        fault(`${option} has no "${name}"; write ${option}: ${example}`)
  }
  for (const [option, read, known] of words) {
    const value = read(policies)
    if (value !== undefined && !known.includes(value))
      fault(
        `${option} is ${JSON.stringify(value)}; write ${known.map((word) => JSON.stringify(word)).join(' or ')}`,
      )
  }
  const { ordered, retry } = policies
  if (ordered !== undefined && typeof ordered !== 'boolean' && !isObject(ordered))
    fault(
      `ordered is ${printed(ordered)}; write true (a dead letter halts its key), false, or ${parts.ordered[2]}`,
    )
  if (isObject(retry) && retry.delayMs !== undefined && typeof retry.delayMs !== 'function')
    fault(`retry.delayMs must be a function; write retry: ${parts.retry[2]}`)
  if (policies.breaker?.name === '') fault(`breaker.name is empty; write breaker: ${parts.breaker[2]}`)
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
