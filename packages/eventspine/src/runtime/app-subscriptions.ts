// The subscriptions of an app, checked, and with every default filled in.

import type { BreakerOptions, ResolvedSubscription, Subscription } from '../deliver/subscription.js'
import { compileEventFilter, type Filter } from '../event/filter/index.js'
import { type AnyEventDefinition, typeMatcher } from '../event/index.js'
import { retries } from '../handle/index.js'
import { unknownOptions } from '../kernel/index.js'
import { readingsOf } from './app-readings.js'
import { isName, isObject, isStart, nameRule, printed } from './app-values.js'

/** Leases of alarms are short and kept by heartbeats; others outlast the handler, so that one slow beat costs nothing. */
const alarmLeaseMs = 5_000
const leaseMarginMs = 30_000

export function resolveSubscription(
  subscription: Subscription,
  events: readonly AnyEventDefinition[],
  faults: string[],
): ResolvedSubscription {
  const { name, on, handle, transact, transactMany, policies } = subscription
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
    filter: filterOf(policies.filter, personalOf(events, matchers), fault),
    handle,
    transact,
    transactMany,
    transactional: handle === undefined,
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
    batchWindowMs: policies.batch?.windowMs ?? 0,
    priority,
    breaker: policies.breaker === undefined ? undefined : withDefaults(policies.breaker),
    start: policies.start ?? 'now',
    shards: policies.shards ?? 1,
    external: policies.external ?? handle !== undefined,
  }
}

const withDefaults = (breaker: BreakerOptions): Required<BreakerOptions> => ({
  windowMs: 60_000,
  probes: 2,
  rampMs: 10_000,
  scope: 'service',
  ...breaker,
})

/** What is personal in the events that it takes. */
const personalOf = (
  events: readonly AnyEventDefinition[],
  matchers: readonly ((type: string) => boolean)[],
): readonly string[] =>
  events
    .filter((event) => matchers.some((matcher) => matcher(String(event?.type))))
    .flatMap((event) => Object.keys(event?.personal?.fields ?? {}))

/** Whether a pattern asks for what is at the path, or below it. `*` is any member, and patterns look into lists by themselves. */
function asksFor(pattern: unknown, [part, ...others]: readonly string[]): boolean {
  if (part === undefined) return pattern !== undefined
  if (!isObject(pattern)) return false
  const fields = pattern as Readonly<Record<string, unknown>>
  const choices = Array.isArray(fields['$or']) ? fields['$or'] : []
  if (choices.some((choice) => asksFor(choice, [part, ...others]))) return true
  if (part !== '*') return asksFor(fields[part], others)
  return asksFor(pattern, others) || Object.values(fields).some((field) => asksFor(field, others))
}

function filterOf(
  pattern: Subscription['policies']['filter'],
  personal: readonly string[],
  fault: (message: string) => void,
): Filter | undefined {
  if (pattern === undefined) return undefined
  const hidden = personal.find((path) => asksFor(pattern, ['data', ...path.split('.')]))
  if (hidden !== undefined)
    fault(`filter: data.${hidden} is personal, and enciphered where filters look; ask for it in the handler`)
  try {
    return compileEventFilter(pattern)
  } catch (error) {
    fault(`filter: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

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
  ['batch.windowMs', ({ policies }) => policies.batch?.windowMs, 60_000],
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
  'queue',
  'description',
]

const handlers = {
  handle: '(event, context)',
  transact: '(event, context)',
  transactMany: '(deliveries, { tx })',
}

function checkHandler(subscription: Subscription, fault: (message: string) => void): void {
  const given = (['handle', 'transact', 'transactMany'] as const).filter(
    (name) => subscription[name] !== undefined,
  )
  const [name] = given
  if (name === undefined || given.length > 1)
    fault(
      'write exactly one of "handle" (may call the world), "transact" (database work in ctx.tx) and "transactMany" (the same for many at once)',
    )
  else if (typeof subscription[name] !== 'function')
    fault(`"${name}" must be a function ${handlers[name]} => …`)
}

function checkSubscription(
  subscription: Subscription,
  events: readonly AnyEventDefinition[],
  fault: (message: string) => void,
): void {
  const { name, on, policies } = subscription
  if (!isName(name)) fault(`a name is ${nameRule}`)
  if (on.length === 0) fault('"on" names no event; write on: orderPlaced, or on: "orders.*"')
  checkHandler(subscription, fault)
  unknownOptions(policies, policyNames, '', fault)
  checkParts(policies, fault)
  for (const [option, read, max] of numbersFrom1) {
    const value = read(subscription)
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > max))
      fault(`${option} is ${printed(value)}; write a whole number from 1 to ${max.toLocaleString('en')}`)
  }
  checkInterests(on, events, fault)
  const { start, ordered, shards, concurrency, batch } = policies
  if (isObject(batch) && batch.windowMs !== undefined && subscription.transactMany === undefined)
    fault('batch.windowMs is for "transactMany"; a handler of one event is called as soon as it can be')
  if (start !== undefined && !isStart(start)) fault('start is "beginning", "now" or a valid Date')
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

/** Options that are objects: what each must hold and may hold, with an example. */
const parts = {
  concurrency: [['max'], ['perKey'], '{ max: 10, perKey: 1 }'],
  rate: [['max', 'perMs'], [], '{ max: 100, perMs: 1_000 }'],
  batch: [[], ['eventsMax', 'bytesMax', 'windowMs'], '{ eventsMax: 100 }'],
  ordered: [['afterDead'], [], "{ afterDead: 'skip' }"],
  breaker: [
    ['name', 'failures', 'cooldownMs'],
    ['windowMs', 'probes', 'rampMs', 'scope'],
    "{ name: 'payments', failures: 5, cooldownMs: 30_000 }",
  ],
  retry: [['attemptsMax', 'processingAttemptsMax', 'delayMs'], [], 'retries.standard({ attemptsMax: 5 })'],
} as const

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
    unknownOptions(value, [...needed, ...optional], `${option}.`, fault)
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
