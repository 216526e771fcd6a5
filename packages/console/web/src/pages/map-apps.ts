// Where apps share a log, the map is that of one of them: its parts, the events that they have to do with, and each other app that
// has to do with these as one part.
import type { MapEdge, MapNode, SystemMap } from '../api/system-views.js'

/** By their parts. The one whose server answers stands first. */
export function appsOf({ app: own, nodes }: SystemMap): string[] {
  const apps = [...new Set(nodes.flatMap(({ app }) => app ?? []))]
  return [...apps.filter((app) => app === own), ...apps.filter((app) => app !== own)]
}

export function mapOfApp(map: SystemMap, app: string): SystemMap {
  const byId = new Map(map.nodes.map((node) => [node.id, node]))
  const kept = keptOf(map, app, byId)
  /** Undefined: it has nothing to do with the app. */
  const shownAs = (id: string) => {
    const node = byId.get(id)
    if (node === undefined || kept.has(id)) return node
    return node.app === null ? undefined : partOf(node.app)
  }
  const ways = new Map<string, MapEdge>()
  const shown = new Map(map.nodes.flatMap((node) => (kept.has(node.id) ? [[node.id, node]] : [])))
  for (const edge of map.edges) {
    if (!kept.has(edge.from) && !kept.has(edge.to)) continue
    const [from, to] = [shownAs(edge.from), shownAs(edge.to)]
    if (from === undefined || to === undefined) continue
    for (const node of [from, to]) shown.set(node.id, node)
    const key = JSON.stringify([from.id, to.id])
    const way = { ...edge, from: from.id, to: to.id }
    const known = ways.get(key)
    ways.set(key, known === undefined ? way : together(known, way))
  }
  return { ...map, nodes: [...shown.values()], edges: [...ways.values()] }
}

/** Its own parts, the events that these take and publish, and who publishes those beside apps. */
function keptOf(map: SystemMap, app: string, byId: ReadonlyMap<string, MapNode>): ReadonlySet<string> {
  const kept = new Set(map.nodes.flatMap((node) => (node.app === app ? [node.id] : [])))
  const isEvent = (id: string) => byId.get(id)?.kind === 'event'
  for (const { from, to } of map.edges) {
    if (kept.has(from) && isEvent(to)) kept.add(to)
    if (kept.has(to) && isEvent(from)) kept.add(from)
  }
  for (const { from, to } of map.edges)
    if (kept.has(to) && isEvent(to) && byId.get(from)?.app === null) kept.add(from)
  // What nobody takes or publishes yet stands beside its like.
  const ways = new Set(map.edges.flatMap(({ from, to }) => [from, to]))
  const contexts = new Set([...kept].flatMap((id) => byId.get(id)?.context ?? []))
  for (const { id, context } of map.nodes)
    if (!ways.has(id) && context !== null && contexts.has(context)) kept.add(id)
  return kept
}

const partOf = (app: string): MapNode => ({
  ...{ id: `app:${app}`, kind: 'app', name: app, app, context: null, versions: [] },
  ...{ declared: true, seen: true, paused: [], openBreakers: [] },
})

const together = (a: MapEdge, b: MapEdge): MapEdge => ({
  ...a,
  declared: a.declared === null && b.declared === null ? null : a.declared === true || b.declared === true,
  seen: a.seen || b.seen,
  perSecond: a.perSecond + b.perSecond,
  subscriptions: [...a.subscriptions, ...b.subscriptions],
  lagSeconds: of(Math.max, a.lagSeconds, b.lagSeconds),
  dead: of(plus, a.dead, b.dead),
  takenPerSecond: of(plus, a.takenPerSecond, b.takenPerSecond),
  isShare: a.isShare === true || b.isShare === true,
})

const plus = (a: number, b: number) => a + b

/** Of those that are known. */
function of(join: (a: number, b: number) => number, a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return join(a, b)
}
