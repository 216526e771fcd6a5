// Where the parts of the map stand: from left to right as events flow, those of one context together.
import { Graph, layout } from '@dagrejs/dagre'
import type { MapEdge, MapNode, SystemMap } from '../api/system-views.js'

export interface Placed {
  readonly node: MapNode
  /** Its kind; where apps share the log, also whose it is. */
  readonly says: string
  readonly x: number
  readonly y: number
  readonly width: number
}

export interface Drawn {
  readonly edge: MapEdge
  readonly points: readonly { readonly x: number; readonly y: number }[]
  /** The middle of what is written on it. */
  readonly x: number
  readonly y: number
}

export interface Area {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: readonly Placed[]
  readonly edges: readonly Drawn[]
  readonly areas: readonly Area[]
}

export const nodeHeight = 40
const characterWidth = 7.4
const besideText = 28
const nodesMax = 400
/** Room for a rate and a count of dead letters. */
const labelSize = { width: 110, height: 18 }

const widthOf = (name: string, says: string) =>
  Math.max(name.length, says.length) * characterWidth + besideText
const areaOf = (context: string) => `context ${context}`

/** At most 400 nodes: more would be no picture. */
export function layoutOf(map: SystemMap): Layout {
  const graph = new Graph({ compound: true, multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 30, marginx: 16, marginy: 16 })
  const nodes = map.nodes.slice(0, nodesMax)
  const apps = new Set(nodes.flatMap(({ app }) => app ?? []))
  const saysOf = ({ kind, app }: MapNode) => (app === null || apps.size < 2 ? kind : `${kind} of ${app}`)
  const known = new Set(nodes.map(({ id }) => id))
  const edges = map.edges.filter(({ from, to }) => known.has(from) && known.has(to))
  const contexts = new Set(nodes.flatMap(({ context }) => (context === null ? [] : [context])))
  for (const context of contexts) graph.setNode(areaOf(context), {})
  for (const node of nodes) {
    graph.setNode(node.id, { width: widthOf(node.name, saysOf(node)), height: nodeHeight })
    if (node.context !== null) graph.setParent(node.id, areaOf(node.context))
  }
  for (const [at, { from, to }] of edges.entries())
    graph.setEdge(from, to, { ...labelSize, labelpos: 'c' }, String(at))
  layout(graph)
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    ...{ width, height },
    nodes: nodes.map((node) => {
      const { x, y, width: own } = boxOf(graph, node.id)
      return { node, says: saysOf(node), x: x - own / 2, y: y - nodeHeight / 2, width: own }
    }),
    edges: edges.map((edge, at) => ({
      ...(graph.edge(edge.from, edge.to, String(at)) as Omit<Drawn, 'edge'>),
      edge,
    })),
    areas: [...contexts].map((name) => {
      const { x, y, width: wide, height: tall } = boxOf(graph, areaOf(name))
      return { name, x: x - wide / 2, y: y - tall / 2, width: wide, height: tall }
    }),
  }
}

const boxOf = (graph: Graph, id: string) => graph.node(id) as Omit<Area, 'name'>
