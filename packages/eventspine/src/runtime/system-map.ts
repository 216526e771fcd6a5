// The map of a system: who takes which events, from the definitions, and who publishes them, from a sample of the log.
// Handlers do not declare what they publish, so that is only what was seen.
import { reservedPrefix } from '../event/index.js'
import type { EventHead, SubscriptionView } from '../inspect/index.js'
import type { App } from './app.js'
import { nodeOfSubscription, nodeOfType } from './system-map-names.js'

export type MapNodeKind =
  | 'source'
  | 'event'
  | 'subscription'
  | 'workflow'
  | 'schedule'
  | 'reconciler'
  | 'webhook'

export interface MapNode {
  /** Kind and name: `event:orders.placed`. */
  readonly id: string
  readonly kind: MapNodeKind
  readonly name: string
  /** Of an event: its type up to the first dot. */
  readonly context: string | null
  /** Of an event: those that the app defines or that were seen. */
  readonly versions: readonly number[]
  /** The app defines it. */
  readonly declared: boolean
  /** An event of the sample tells of it. */
  readonly seen: boolean
}

export interface MapEdge {
  readonly from: string
  readonly to: string
  /** The app says so: an event that is taken, or what a schedule or a table publishes. `null` where nobody says it at all, as
   *  what a handler or a client publishes: then it is only seen. */
  readonly declared: boolean | null
  /** An event of the sample went this way. */
  readonly seen: boolean
  /** Events a second, over the sample; 0 where none was seen. */
  readonly perSecond: number
  /** Of the subscriptions that it leads to, the worst and the sum; null where it leads to none. */
  readonly lagSeconds: number | null
  readonly dead: number | null
}

export interface SystemMap {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
  /** What was looked at: the newest events of the log. `fromMs` is when the oldest of them was recorded. */
  readonly sample: { readonly events: number; readonly fromMs: number | null; readonly toMs: number }
}

export type MappedApp = Pick<
  App,
  'events' | 'subscriptions' | 'workflows' | 'timetables' | 'sources' | 'webhooks'
>

/** Of types and sources that nobody declared: publishers may make any number of them. */
const undeclaredMax = 500

/** Of an edge, while the map is made. */
interface Grown {
  readonly declared: boolean
  count: number
}

export function systemMap(
  app: MappedApp,
  heads: readonly EventHead[],
  views: readonly SubscriptionView[],
  nowMs: number,
): SystemMap {
  const builder = new Builder(app)
  builder.declare()
  const byId = new Map(heads.map((head) => [head.id, head]))
  for (const head of heads) builder.see(head, byId)
  const fromMs = heads.at(-1)?.recordedAtMs ?? null
  const seconds = fromMs === null ? 0 : (nowMs - fromMs) / 1_000
  return {
    ...builder.built(views, seconds),
    sample: { events: heads.length, fromMs, toMs: nowMs },
  }
}

class Builder {
  readonly #app: MappedApp
  /** Of subscriptions, by name. */
  readonly #owners = new Map<string, string>()
  readonly #nodes = new Map<string, MapNode>()
  readonly #edges = new Map<string, Grown>()
  /** What says all that it publishes, by its node. */
  readonly #declares = new Set<string>()
  #undeclared = 0

  constructor(app: MappedApp) {
    this.#app = app
  }

  declare(): void {
    const { events, subscriptions, workflows, timetables, sources, webhooks } = this.#app
    for (const { type, version } of events) this.#event(type, version, true, false)
    for (const { name } of workflows) this.#node('workflow', name, true)
    for (const { name } of webhooks) this.#node('webhook', name, true)
    for (const source of sources) {
      this.#node('source', `/sources/${source.name}`, true)
      if ('event' in source) this.#published(`source:/sources/${source.name}`, source.event.type)
    }
    for (const each of timetables) {
      const { event } = each as { readonly event?: { readonly type: string } }
      const kind = event === undefined ? 'reconciler' : 'schedule'
      this.#node(kind, each.name, true)
      if (event !== undefined) this.#published(`schedule:${each.name}`, event.type)
    }
    for (const { name } of subscriptions) {
      const id = this.#nodeOf(name)
      if (id === `subscription:${name}`) this.#node('subscription', name, true)
    }
    for (const { type } of events) this.#taken(type, true, 0)
  }

  /** One event of the sample: how it came, and to whom it went. */
  see(head: EventHead, byId: ReadonlyMap<string, EventHead>): void {
    const { type, version } = head
    // What moves workflows and schedules on is part of them.
    if (type.startsWith(reservedPrefix) || !this.#event(type, version, false, true)) return
    const publisher = this.#publisherOf(head, byId)
    if (publisher !== undefined) this.#edge(publisher, `event:${type}`, false, 1)
    this.#taken(type, false, 1)
  }

  #publisherOf({ causationId, source }: EventHead, byId: ReadonlyMap<string, EventHead>): string | undefined {
    const cause = causationId === null ? undefined : byId.get(causationId)
    if (cause === undefined)
      return causationId === null && this.#node('source', source, false, true)
        ? `source:${source}`
        : undefined
    if (cause.type.startsWith(reservedPrefix)) return nodeOfType(cause.type, this.#app)
    const may = this.#app.subscriptions.filter(
      ({ name, matches }) => matches(cause.type) && this.#nodeOf(name) === `subscription:${name}`,
    )
    // Which of several it was nobody recorded: then it comes from the event that they took.
    return may.length === 1 ? `subscription:${may[0]?.name}` : `event:${cause.type}`
  }

  #published(from: string, type: string): void {
    this.#declares.add(from)
    this.#edge(from, `event:${type}`, true)
  }

  #taken(type: string, declared: boolean, count: number): void {
    for (const { name, matches } of this.#app.subscriptions)
      if (matches(type)) this.#edge(`event:${type}`, this.#nodeOf(name), declared, count)
  }

  #event(type: string, version: number, declared: boolean, seen: boolean): boolean {
    if (!this.#node('event', type, declared, seen)) return false
    const node = this.#nodes.get(`event:${type}`) as MapNode
    const versions = [...new Set([...node.versions, version])].sort((a, b) => a - b)
    this.#nodes.set(node.id, { ...node, versions })
    return true
  }

  #nodeOf(subscription: string): string {
    const known = this.#owners.get(subscription)
    if (known !== undefined) return known
    const node = nodeOfSubscription(subscription, this.#app)
    this.#owners.set(subscription, node)
    return node
  }

  /** False where there are too many already. */
  #node(kind: MapNodeKind, name: string, declared: boolean, seen = false): boolean {
    const id = `${kind}:${name}`
    const known = this.#nodes.get(id)
    if (known === undefined && !declared && this.#undeclared++ >= undeclaredMax) return false
    const context = kind === 'event' && name.includes('.') ? name.slice(0, name.indexOf('.')) : null
    const node = known ?? { id, kind, name, context, versions: [], declared, seen }
    this.#nodes.set(id, { ...node, seen: node.seen || seen })
    return true
  }

  #edge(from: string, to: string, declared: boolean, count = 0): void {
    const key = JSON.stringify([from, to])
    const known = this.#edges.get(key) ?? { declared, count: 0 }
    this.#edges.set(key, { declared: known.declared || declared, count: known.count + count })
  }

  built(views: readonly SubscriptionView[], seconds: number): Pick<SystemMap, 'nodes' | 'edges'> {
    const byNode = new Map<string, SubscriptionView[]>()
    for (const view of views) {
      const node = this.#nodeOf(view.name)
      byNode.set(node, [...(byNode.get(node) ?? []), view])
    }
    const seen = new Set<string>()
    const edges = [...this.#edges].flatMap(([key, { declared, count }]) => {
      const [from, to] = JSON.parse(key) as [string, string]
      if (!this.#nodes.has(from) || !this.#nodes.has(to)) return []
      if (count > 0) seen.add(from).add(to)
      const led = byNode.get(to)
      const lagSeconds = led === undefined ? null : Math.max(...led.map((each) => each.lagSeconds))
      const dead = led === undefined ? null : led.reduce((sum, each) => sum + each.dead, 0)
      const perSecond = seconds > 0 ? count / seconds : 0
      const said = declared || this.#declares.has(from) ? declared : null
      return [{ from, to, declared: said, seen: count > 0, perSecond, lagSeconds, dead }]
    })
    const nodes = [...this.#nodes.values()].map((node) => ({ ...node, seen: node.seen || seen.has(node.id) }))
    return { nodes, edges }
  }
}
