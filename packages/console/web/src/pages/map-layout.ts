// Where the parts of the map stand: from left to right as events flow, those of one context together.
import { Graph, layout } from '@dagrejs/dagre'
import type { MapEdge, MapNode, SystemMap } from '../api/system-views.js'
import { type Area, type Drawn, type Layout, lagSecondsShown, nodeHeight, shifted } from './map-drawing.js'
import { type Part, packed, partsOf, type Spot } from './map-parts.js'
import { inRows } from './map-rows.js'

const characterWidth = 7.4
const besideText = 28
const nodesMax = 400
/** Of a way: room for what is written on it, whatever its digits are, so that nothing moves when they change. */
const labelHeight = 16
const rateWidth = 56
const deadWidth = 62
const lagWidth = 84
const margin = 16
const partGap = 12
/** Of a context, for its name. */
const areaHead = 12
/** Around what is in a frame. */
const framePad = 10

const widthOf = (name: string, says: string) =>
  Math.max(name.length, says.length) * characterWidth + besideText
/** What holds it back: `paused`, `breaker payments is open`. */
export const standingOf = ({ paused, openBreakers }: MapNode): readonly string[] => [
  ...(paused.length === 0 ? [] : ['paused']),
  ...openBreakers.map((name) => `breaker ${name} is open`),
]

const areaOf = (context: string) => `context ${context}`

const labelWidthOf = ({ seen, dead, lagSeconds }: MapEdge) =>
  (seen ? rateWidth : 0) +
  (seen && (dead ?? 0) > 0 ? deadWidth : 0) +
  ((lagSeconds ?? 0) >= lagSecondsShown ? lagWidth : 0)

/** At most 400 nodes: more would be no picture. */
export function layoutOf(map: SystemMap): Layout {
  const nodes = map.nodes.slice(0, nodesMax)
  const apps = new Set(nodes.flatMap(({ kind, app }) => (kind === 'app' ? [] : (app ?? []))))
  const saysOf = (node: MapNode) => {
    const { kind, app } = node
    return [app === null || apps.size < 2 ? kind : `${kind} of ${app}`, ...standingOf(node)].join(' · ')
  }
  const known = new Set(nodes.map(({ id }) => id))
  const edges = map.edges.filter(({ from, to }) => known.has(from) && known.has(to))
  // Each by itself: in one layout those that have nothing to do with each other stand in each other's way.
  const drawn = partsOf(nodes, edges).map((part) => {
    const contexts = contextsOf(part)
    const [only] = contexts.size === 1 ? contexts : []
    return framed(inRows(layoutOfPart(part, saysOf)), only)
  })
  const places = packed(drawn, partGap)
  const moved = drawn.map((part, at) => {
    const { x, y } = places[at] ?? { x: 0, y: 0 }
    return shifted(part, { x: x + margin, y: y + margin })
  })
  const sizeOf = (side: 'width' | 'height', from: 'x' | 'y') =>
    drawn.reduce((most, part, at) => Math.max(most, (places[at]?.[from] ?? 0) + part[side]), 0) + 2 * margin
  return {
    ...{ width: sizeOf('width', 'x'), height: sizeOf('height', 'y') },
    nodes: moved.flatMap((part) => part.nodes),
    edges: moved.flatMap((part) => part.edges),
    areas: moved.flatMap((part) => part.areas),
  }
}

function layoutOfPart({ nodes, edges }: Part, saysOf: (node: MapNode) => string): Layout {
  const graph = new Graph({ compound: true, multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: 10, edgesep: 6, ranksep: 24 })
  const all = contextsOf({ nodes, edges })
  // Around the events of the only one, its functions would have to stand outside.
  const contexts = all.size > 1 ? all : new Set<string>()
  for (const context of contexts) graph.setNode(areaOf(context), {})
  for (const node of nodes) {
    graph.setNode(node.id, { width: widthOf(node.name, saysOf(node)), height: nodeHeight })
    if (node.context !== null && contexts.has(node.context)) graph.setParent(node.id, areaOf(node.context))
  }
  for (const [at, edge] of edges.entries()) {
    const label = { width: labelWidthOf(edge), height: labelHeight, labelpos: 'c' }
    graph.setEdge(edge.from, edge.to, label, String(at))
  }
  layout(graph)
  const head = contexts.size > 0 ? areaHead : 0
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    ...{ width, height: height + head },
    nodes: nodes.map((node) => {
      const { x, y, width: own } = boxOf(graph, node.id)
      return { node, says: saysOf(node), x: x - own / 2, y: y + head - nodeHeight / 2, width: own }
    }),
    edges: edges.map((edge, at) => {
      const { points, ...label } = graph.edge(edge.from, edge.to, String(at)) as Omit<Drawn, 'edge'>
      // One that was not seen has no room for a text of its own, and may be late all the same.
      const { x, y } = labelWidthOf(edge) > 0 ? label : (points[Math.floor(points.length / 2)] as Spot)
      return { edge, x, y: y + head, points: points.map((point) => ({ x: point.x, y: point.y + head })) }
    }),
    areas: [...contexts].map((name) => {
      const { x, y, width: wide, height: tall } = boxOf(graph, areaOf(name))
      return { name, x: x - wide / 2, y: y - tall / 2, width: wide, height: tall + head }
    }),
  }
}

const contextsOf = ({ nodes }: Part) =>
  new Set(nodes.flatMap(({ context }) => (context === null ? [] : [context])))

/** The only context of a part is around all of it. */
function framed(part: Layout, context: string | undefined): Layout {
  if (context === undefined) return part
  const [width, height] = [part.width + 2 * framePad, part.height + 2 * framePad + areaHead]
  const within = shifted(part, { x: framePad, y: framePad + areaHead })
  return { ...within, width, height, areas: [{ name: context, x: 0, y: 0, width, height }] }
}

const boxOf = (graph: Graph, id: string) => graph.node(id) as Omit<Area, 'name'>
