// What apps define, as the map needs it: of this app by its code, of others on the log by what they have registered. And which part
// of the map a subscription or an event of the engine's own belongs to.
import { reservedPrefix, typeMatcher } from '../event/index.js'
import type { SubscriptionView } from '../inspect/index.js'
import type { App } from './app.js'

export type MappedApp = Pick<
  App,
  'name' | 'events' | 'subscriptions' | 'workflows' | 'timetables' | 'sources' | 'webhooks'
>

/** A workflow, a schedule and the like. */
export interface Part {
  readonly kind: 'workflow' | 'schedule' | 'reconciler' | 'webhook' | 'source'
  /** As the app calls it. */
  readonly name: string
  readonly app: string
  /** The type that it says it publishes. */
  readonly publishes?: string
}

export interface Taker {
  readonly name: string
  readonly app: string
  readonly matches: (type: string) => boolean
}

export interface Defined {
  readonly events: readonly { readonly type: string; readonly version?: number }[]
  readonly parts: readonly Part[]
  readonly subscriptions: readonly Taker[]
}

export const nodeOfPart = ({ kind, name }: Part) => `${kind}:${kind === 'source' ? `/sources/${name}` : name}`

/** What this app defines, and what others have registered on its log. */
export function definedOn(app: MappedApp, views: readonly SubscriptionView[]): Defined {
  const own = ownOf(app)
  const names = new Set(own.subscriptions.map(({ name }) => name))
  // What another build of this app runs is there; what nobody runs or defines is gone.
  const others = views.filter(
    (view) => !names.has(view.name) && (view.app !== app.name || view.owners.length > 0),
  )
  return {
    events: [...own.events, ...others.flatMap(eventsOf)],
    parts: [...own.parts, ...others.flatMap(partsOf)],
    subscriptions: [...own.subscriptions, ...others.map(takerOf)],
  }
}

function ownOf({
  name: app,
  events,
  subscriptions,
  workflows,
  timetables,
  sources,
  webhooks,
}: MappedApp): Defined {
  return {
    events: events.map(({ type, version }) => ({ type, version })),
    parts: [
      ...workflows.map(({ name }) => ({ kind: 'workflow' as const, name, app })),
      ...webhooks.map(({ name }) => ({ kind: 'webhook' as const, name, app })),
      ...sources.map((source) => ({
        kind: 'source' as const,
        name: source.name,
        app,
        ...publishedBy(source),
      })),
      // A schedule publishes; a reconciler only looks.
      ...timetables.map((each) => ({
        ...{ kind: 'event' in each ? ('schedule' as const) : ('reconciler' as const), name: each.name, app },
        ...publishedBy(each),
      })),
    ],
    subscriptions: subscriptions.map(({ name, matches }) => ({ name, app, matches })),
  }
}

function publishedBy(part: object): Pick<Part, 'publishes'> {
  const { event } = part as { readonly event?: { readonly type: string } }
  return event === undefined ? {} : { publishes: event.type }
}

const takerOf = ({ name, app, on }: SubscriptionView): Taker => {
  const matchers = on.map(typeMatcher)
  return { name, app, matches: (type) => matchers.some((matches) => matches(type)) }
}

const eventsOf = ({ on }: SubscriptionView) =>
  on.filter((type) => !type.includes('*') && !type.startsWith(reservedPrefix)).map((type) => ({ type }))

// Of each part the subscription that takes a type of the engine's own: anybody may take that, and is no part by it.
const makers = [
  ['workflow', 'workflow', (name: string) => `workflow-${name}`],
  ['schedule', 'schedule', (name: string) => `schedule-${name}`],
  ['schedule', 'reconciler', (name: string) => name],
  ['webhook', 'webhook', (name: string) => `webhooks-${name}-send`],
] as const

function partsOf({ name, app, on }: SubscriptionView): Part[] {
  const [family, own] = ofTheEngine(on[0] ?? '')
  if (family === 'message-kept' && name.startsWith(prefixes.source))
    return [{ kind: 'source', name: name.slice(prefixes.source.length), app }]
  return makers
    .filter(([of, , made]) => of === family && made(own) === name)
    .map(([, kind]) => ({ kind, name: own, app }))
}

/** `eventspine.workflow.ship.started`: workflow, ship. */
function ofTheEngine(type: string): readonly [family: string, name: string] {
  if (!type.startsWith(reservedPrefix)) return ['', '']
  const [, family = '', name = ''] = /^([a-z-]+)(?:\.([^.*]+))?/.exec(type.slice(reservedPrefix.length)) ?? []
  return [family, name]
}

const prefixes = {
  workflow: 'workflow-',
  schedule: 'schedule-',
  reconciler: '',
  webhook: 'webhooks-',
  source: 'source-',
}

/** Its own node, or that of what the engine made it for. */
export function nodeOfSubscription(
  { name, app }: Pick<Taker, 'name' | 'app'>,
  parts: readonly Part[],
): string {
  const owners = parts.filter((part) => {
    const made = `${prefixes[part.kind]}${part.name}`
    return part.app === app && (name === made || name.startsWith(`${made}-`))
  })
  // `workflow-ship-again` is the workflow "ship-again" before it is one of "ship".
  const [longest] = owners.sort((a, b) => b.name.length - a.name.length)
  return longest === undefined ? `subscription:${name}` : nodeOfPart(longest)
}

/** Of an event of the engine's own; undefined where it is of nothing on the map. */
export function nodeOfType(type: string, parts: readonly Part[]): string | undefined {
  const [family, name] = ofTheEngine(type)
  if (family === 'workflow') return `workflow:${name}`
  if (family !== 'schedule') return undefined
  const own = parts.find(
    (each) => each.name === name && (each.kind === 'schedule' || each.kind === 'reconciler'),
  )
  return own === undefined ? undefined : nodeOfPart(own)
}
