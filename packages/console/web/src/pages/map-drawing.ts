// What the map is drawn from: parts, ways between them and areas around them, each with its place.
import type { MapEdge, MapNode } from '../api/system-views.js'
import type { Spot } from './map-parts.js'

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

/** Less is told by the table: on each way it is noise. */
export const lagSecondsShown = 1

/** All of it, moved by so much. */
export function shifted({ nodes, edges, areas, ...size }: Layout, { x, y }: Spot): Layout {
  const by = <Placeable extends Spot>(each: Placeable) => ({ ...each, x: each.x + x, y: each.y + y })
  return {
    ...size,
    nodes: nodes.map(by),
    edges: edges.map((edge) => ({ ...by(edge), points: edge.points.map(by) })),
    areas: areas.map(by),
  }
}
