// An app is a value: the events and subscriptions of one system, checked as a whole. Wrong definitions fail here, all
// of them at once, with what to write instead.

import type { ResolvedSubscription, Subscription } from '../deliver/subscription.js'
import { type AnyEventDefinition, EventRegistry } from '../event/index.js'
import { EventspineError, unknownOptions } from '../kernel/index.js'
import {
  type Reconciler,
  reconcilerSubscriptions,
  type Schedule,
  subscriptionOf,
  type Timetable,
  timetableOf,
} from '../schedule/index.js'
import {
  isHttpRoute,
  isTable,
  isTranslating,
  messageKept,
  type Source,
  subscriptionOf as sourceSubscription,
} from '../source/index.js'
import { sending, type WebhooksOut } from '../webhook/index.js'
import { type AnyWorkflow, subscriptionsOf } from '../workflow/index.js'
import { checkEvents } from './app-events.js'
import { checkReconcilers, checkSchedules } from './app-schedules.js'
import { checkCircles, checkSources } from './app-sources.js'
import { resolveSubscription } from './app-subscriptions.js'
import { isName, madeBy, nameRule, printed } from './app-values.js'
import { checkWebhooks } from './app-webhooks.js'
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
  /** Which of its events go to endpoints of others. */
  readonly webhooks?: readonly WebhooksOut[]
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
  readonly webhooks: readonly WebhooksOut[]
  readonly registry: EventRegistry
  readonly build: number
}

/** Throws APP_INVALID with every fault it finds. */
export function defineApp(options: AppOptions): App {
  const faults: string[] = []
  const fault = (message: string) => void faults.push(message)
  unknownOptions(options, optionNames, '', fault)
  if (!isName(options.name)) fault(`app name "${options.name}" must be ${nameRule}`)
  const { build = 0 } = options
  if (!(Number.isSafeInteger(build) && build >= 0))
    fault(`build is ${printed(build)}; write a whole number that grows with every deployment`)
  const webhooks = madeBy('webhooksOut', 'webhook', options.webhooks, fault)
  const subscriptions = [
    ...madeBy('defineSubscription', 'subscription', options.subscriptions, fault),
    ...webhooks.map(({ expansion }) => expansion),
  ]
  const named = subscriptions.flatMap(({ on }) => on.filter((interest) => typeof interest !== 'string'))
  const events = madeBy('defineEvent', 'event', options.events, fault)
  const workflows = madeBy('workflow', 'workflow', options.workflows, fault)
  const schedules = madeBy('schedule', 'schedule', options.schedules, fault)
  const reconcilers = madeBy('reconciler', 'reconciler', options.reconcilers, fault)
  const sources = madeBy('webhook', 'source', options.sources, fault)
  const told = [...schedules, ...sources.filter(isTable)].map(({ event }) => event)
  const replies = sources.filter(isHttpRoute).flatMap(({ reply }) => reply?.events ?? [])
  const used = [...named, ...eventsOf(workflows), ...told, ...replies]
  const all = [...new Set([...events, ...used.filter((interest) => interest?.kind === 'event')])]
  checkEvents(all, faults)
  checkWorkflows(workflows, all, faults)
  checkSchedules(schedules, faults)
  checkReconcilers(reconcilers, faults)
  checkSources(sources, faults)
  checkCircles(sources, subscriptions, faults)
  checkWebhooks(webhooks, all, faults)
  const resolved = [
    ...subscriptions.map((subscription) => resolveSubscription(subscription, all, faults)),
    ...versionsOf(workflows).flatMap(subscriptionsOf),
    ...schedules.map(subscriptionOf),
    ...reconcilers.flatMap(reconcilerSubscriptions),
    ...sources.filter(isTranslating).map(sourceSubscription),
    ...webhooks.map(sending),
  ]
  const timetables = [...schedules, ...reconcilers.map(timetableOf)]
  for (const name of repeated(timetables))
    fault(`schedule "${name}" is defined twice, as a schedule or by a reconciler; give each its own name`)
  for (const name of repeated(resolved))
    fault(`subscription "${name}" is defined twice; its name holds its cursor, so give each its own`)
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
    webhooks,
    registry: new EventRegistry([
      ...all,
      ...(sources.length === 0 ? [] : [messageKept]),
      ...webhooks.map(({ message }) => message),
    ]),
    build,
  })
}

const optionNames = [
  ...[
    'name',
    'events',
    'subscriptions',
    'workflows',
    'schedules',
    'reconcilers',
    'sources',
    'webhooks',
    'build',
  ],
]

const repeated = (values: readonly { readonly name: string }[]) =>
  values
    .filter(({ name }, index) => values.findIndex((other) => other.name === name) !== index)
    .map(({ name }) => name)
