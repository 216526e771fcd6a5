// The map of a system: who takes which events, from what all apps on the log define, and who publishes them, from a look at the
// log. Handlers do not declare what they publish, so that is only what was seen.

import type { BreakerState } from '../deliver/port.js'
import { reservedPrefix } from '../event/index.js'
import type { EventHead, SubscriptionView } from '../inspect/index.js'
import type { MapLook, MapSample } from './system-map-look.js'
import { type Defined, nodeOfPart, nodeOfSubscription, nodeOfType } from './system-map-names.js'

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
  /** That defines it, of those on the log; null of an event, and of what is only seen. */
  readonly app: string | null
  /** Of an event: its type up to the first dot. */
  readonly context: string | null
  /** Of an event: those that this app defines or that were seen. */
  readonly versions: readonly number[]
  /** An app on the log defines it. */
  readonly declared: boolean
  /** An event that was looked at tells of it. */
  readonly seen: boolean
  /** Of its subscriptions, those that are paused. */
  readonly paused: readonly string[]
  /** Names of the breakers of its subscriptions that are open, or probe: for all, or for a tenant or a key. */
  readonly openBreakers: readonly string[]
}

export interface MapEdge {
  readonly from: string
  readonly to: string
  /** An app says so: an event that is taken, or what a schedule or a table publishes. `null` where nobody says it at all, as
   *  what a handler or a client publishes: then it is only seen. */
  readonly declared: boolean | null
  /** An event that was looked at went this way. */
  readonly seen: boolean
  /** Events a second, over what was looked at of its type; 0 where none was seen. */
  readonly perSecond: number
  /** That take the type, of what it leads to; none where that is an event. */
  readonly subscriptions: readonly string[]
  /** Of the subscriptions that it leads to, the worst and the sum; null where it leads to none. */
  readonly lagSeconds: number | null
  readonly dead: number | null
}

export interface SystemMap {
  /** Of the process that answers. */
  readonly app: string
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
  readonly sample: MapSample
}

/** Of types and sources that nobody declared: publishers may make any number of them. */
const undeclaredMax = 500

/** Of an edge, while the map is made. */
interface Grown {
  readonly declared: boolean
  readonly seen: boolean
  readonly perSecond: number
}

export function systemMap(
  defined: Defined,
  look: MapLook,
  views: readonly SubscriptionView[],
  breakers: readonly BreakerState[],
): Omit<SystemMap, 'app'> {
  const builder = new Builder(defined, look)
  builder.declare()
  for (const head of look.heads) builder.see(head)
  return { ...builder.built(views, breakers), sample: look.sample }
}

class Builder {
  readonly #defined: Defined
  readonly #look: MapLook
  /** Of subscriptions, by name. */
  readonly #owners: ReadonlyMap<string, string>
  readonly #nodes = new Map<string, MapNode>()
  readonly #edges = new Map<string, Grown>()
  /** What says all that it publishes, by its node. */
  readonly #declares = new Set<string>()
  #undeclared = 0

  constructor(defined: Defined, look: MapLook) {
    this.#defined = defined
    this.#look = look
    this.#owners = new Map(
      defined.subscriptions.map((each) => [each.name, nodeOfSubscription(each, defined.parts)]),
    )
  }

  declare(): void {
    const { events, parts, subscriptions } = this.#defined
    for (const { type, version } of events) this.#event(type, version, true)
    for (const part of parts) {
      const { kind, app, publishes } = part
      const id = nodeOfPart(part)
      this.#node({ kind, name: id.slice(kind.length + 1), app, declared: true })
      if (publishes === undefined) continue
      this.#declares.add(id)
      this.#edge(id, `event:${publishes}`, true)
    }
    // Of those that are part of nothing else.
    for (const { name, app } of subscriptions)
      if (this.#nodeOf(name) === `subscription:${name}`)
        this.#node({ kind: 'subscription', name, app, declared: true })
    for (const { type } of events) this.#taken(type, true)
  }

  /** One event that was looked at: how it came, and to whom it went. */
  see(head: EventHead): void {
    const { type, version } = head
    // What moves workflows and schedules on is part of them.
    if (type.startsWith(reservedPrefix) || !this.#event(type, version, false)) return
    const share = this.#look.shareOf(type)
    const publisher = this.#publisherOf(head)
    if (publisher !== undefined) this.#edge(publisher, `event:${type}`, false, share)
    this.#taken(type, false, share)
  }

  #publisherOf({ causationId, publisher, source }: EventHead): string | undefined {
    if (publisher !== null) {
      const id = this.#nodeOf(publisher)
      const known = this.#nodes.has(id)
      // Maybe nobody defines it any more.
      return known || this.#node({ kind: 'subscription', name: publisher, declared: false }) ? id : undefined
    }
    const cause = causationId === null ? undefined : this.#look.byId.get(causationId)
    if (cause?.type.startsWith(reservedPrefix)) return nodeOfType(cause.type, this.#defined.parts)
    return this.#node({ kind: 'source', name: source, declared: false }) ? `source:${source}` : undefined
  }

  #taken(type: string, declared: boolean, share?: number): void {
    for (const { name, matches } of this.#defined.subscriptions)
      if (matches(type)) this.#edge(`event:${type}`, this.#nodeOf(name), declared, share)
  }

  #nodeOf(subscription: string): string {
    return this.#owners.get(subscription) ?? `subscription:${subscription}`
  }

  /** False where there are too many already. */
  #event(type: string, version: number | undefined, declared: boolean): boolean {
    if (!this.#node({ kind: 'event', name: type, declared }, !declared)) return false
    const node = this.#nodes.get(`event:${type}`) as MapNode
    const all = version === undefined ? node.versions : [...node.versions, version]
    this.#nodes.set(node.id, { ...node, versions: [...new Set(all)].sort((a, b) => a - b) })
    return true
  }

  /** False where there are too many already. */
  #node(
    {
      kind,
      name,
      app = null,
      declared,
    }: Pick<MapNode, 'kind' | 'name' | 'declared'> & { app?: string | null },
    seen = false,
  ): boolean {
    const id = `${kind}:${name}`
    const known = this.#nodes.get(id)
    if (known === undefined && !declared && this.#undeclared++ >= undeclaredMax) return false
    const context = kind === 'event' && name.includes('.') ? name.slice(0, name.indexOf('.')) : null
    const node = known ?? { ...{ id, kind, name, app, context, versions: [], declared }, ...standsWell, seen }
    this.#nodes.set(id, { ...node, seen: node.seen || seen })
    return true
  }

  /** `share`: what one event of its type adds to the rate. Without it nothing was seen. */
  #edge(from: string, to: string, declared: boolean, share?: number): void {
    const key = JSON.stringify([from, to])
    const known = this.#edges.get(key) ?? { declared, seen: false, perSecond: 0 }
    this.#edges.set(key, {
      declared: known.declared || declared,
      seen: known.seen || share !== undefined,
      perSecond: known.perSecond + (share ?? 0),
    })
  }

  built(
    views: readonly SubscriptionView[],
    breakers: readonly BreakerState[],
  ): Pick<SystemMap, 'nodes' | 'edges'> {
    const byNode = new Map<string, SubscriptionView[]>()
    for (const view of views) {
      const node = this.#nodeOf(view.name)
      byNode.set(node, [...(byNode.get(node) ?? []), view])
    }
    const edges = [...this.#edges].flatMap(([key, { declared, seen, perSecond }]) => {
      const [from, to] = JSON.parse(key) as [string, string]
      if (!this.#nodes.has(from) || !this.#nodes.has(to)) return []
      const led = byNode.get(to)
      const lagSeconds = led === undefined ? null : Math.max(...led.map((each) => each.lagSeconds))
      const dead = led === undefined ? null : led.reduce((sum, each) => sum + each.dead, 0)
      const said = declared || this.#declares.has(from) ? declared : null
      return [
        {
          from,
          to,
          declared: said,
          seen,
          perSecond,
          subscriptions: this.#takersOn(from, to),
          lagSeconds,
          dead,
        },
      ]
    })
    const seen = new Set(edges.filter((each) => each.seen).flatMap(({ from, to }) => [from, to]))
    const nodes = [...this.#nodes.values()].map((node) => ({
      ...node,
      ...standingOf(byNode.get(node.id) ?? [], breakers),
      seen: node.seen || seen.has(node.id),
    }))
    return { nodes, edges }
  }

  #takersOn(from: string, to: string): readonly string[] {
    const type = from.slice('event:'.length)
    if (!from.startsWith('event:') || to.startsWith('event:')) return []
    return this.#defined.subscriptions.flatMap(({ name, matches }) =>
      this.#nodeOf(name) === to && matches(type) ? [name] : [],
    )
  }
}

const standsWell = { paused: [], openBreakers: [] }

function standingOf(
  views: readonly SubscriptionView[],
  breakers: readonly BreakerState[],
): Pick<MapNode, 'paused' | 'openBreakers'> {
  const called = new Set(
    views.map(({ policies }) => (policies['breaker'] as { readonly name?: string } | undefined)?.name),
  )
  const open = breakers.filter(({ name, state }) => state !== 'closed' && called.has(name))
  return {
    paused: views.filter(({ state }) => state === 'paused').map(({ name }) => name),
    openBreakers: [...new Set(open.map(({ name }) => name))],
  }
}
