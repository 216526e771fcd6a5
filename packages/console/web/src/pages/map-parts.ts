// The map falls into parts that have nothing to do with each other: which these are, and where each has room.
import type { MapEdge, MapNode } from '../api/system-views.js'

export interface Part {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
}

export interface Spot {
  readonly x: number
  readonly y: number
}

interface Size {
  readonly width: number
  readonly height: number
}

/** Those that a way or a context joins, in the order of their first nodes. */
export function partsOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): Part[] {
  const towards = new Map<string, string>()
  const rootOf = (id: string): string => {
    let at = id
    for (let next = towards.get(at); next !== undefined; next = towards.get(at)) at = next
    return at
  }
  const join = (a: string, b: string) => {
    const [from, to] = [rootOf(a), rootOf(b)]
    if (from !== to) towards.set(from, to)
  }
  for (const { from, to } of edges) join(from, to)
  for (const { id, context } of nodes) if (context !== null) join(id, `context ${context}`)
  const byRoot = new Map<string, { nodes: MapNode[]; edges: MapEdge[] }>()
  const partOf = (id: string) => {
    const root = rootOf(id)
    const part = byRoot.get(root) ?? { nodes: [], edges: [] }
    byRoot.set(root, part)
    return part
  }
  for (const node of nodes) partOf(node.id).nodes.push(node)
  for (const edge of edges) partOf(edge.from).edges.push(edge)
  return [...byRoot.values()]
}

/** Wider than high, as screens are. */
const proportion = 1.5

/** Where each stands: the highest first, beside each other up to a width at which the whole is about as wide as a screen. */
export function packed(sizes: readonly Size[], gap: number): Spot[] {
  const area = sizes.reduce((sum, { width, height }) => sum + (width + gap) * (height + gap), 0)
  const widest = sizes.reduce((most, { width }) => Math.max(most, width), 0)
  const room = Math.max(widest, Math.sqrt(area * proportion))
  const spots: Spot[] = sizes.map(() => ({ x: 0, y: 0 }))
  const order = sizes.map((size, at) => ({ ...size, at })).sort((a, b) => b.height - a.height)
  let [x, y, rowHeight] = [0, 0, 0]
  for (const { width, height, at } of order) {
    if (x > 0 && x + width > room) {
      y += rowHeight + gap
      x = 0
      rowHeight = 0
    }
    spots[at] = { x, y }
    x += width + gap
    rowHeight = Math.max(rowHeight, height)
  }
  return spots
}
