// A long line of functions is drawn in rows, as text is: cut where hardly anything passes, and on from the left of the next row.
import { type Drawn, type Layout, nodeHeight, type Placed, shifted } from './map-drawing.js'

/** Beyond, names are too small to be read where the whole is to be seen. */
const widthMax = 1_250
/** Longer than high: what branches out is no line, and reads better as it is. */
const lineProportion = 6
/** More of them would be a knot, and no way to follow. */
const passingMax = 2
const rowGap = 34
/** Beside a row, for what goes on to the next. */
const turn = 14
const textWidth = 140

export function inRows(layout: Layout): Layout {
  const cuts = cutsOf(layout)
  if (cuts.length === 0) return layout
  const rowOf = (x: number) => cuts.filter((cut) => cut <= x).length
  const rows = Array.from({ length: cuts.length + 1 }, (_, row) => {
    const nodes = layout.nodes.filter(({ x }) => rowOf(x) === row)
    const edges = layout.edges.filter((drawn) => drawn.points.every(({ x }) => rowOf(x) === row))
    const areas = layout.areas.filter(({ x }) => rowOf(x) === row)
    const heights = [
      ...nodes.flatMap(({ y }) => [y, y + nodeHeight]),
      ...areas.flatMap(({ y, height }) => [y, y + height]),
      ...edges.flatMap(({ y, points }) => [y, ...points.map((point) => point.y)]),
    ]
    const from = Math.min(...[...nodes, ...areas].map(({ x }) => x))
    return { nodes, edges, areas, top: Math.min(...heights), bottom: Math.max(...heights), from }
  })
  let y = 0
  const moved = rows.map(({ top, bottom, from, ...part }, row) => {
    const by = { x: (row === 0 ? 0 : 2 * turn) - from, y: y - top }
    y += bottom - top + rowGap
    return { ...shifted({ ...part, width: 0, height: 0 }, by), bottom: by.y + bottom }
  })
  const nodes = moved.flatMap((row) => row.nodes)
  const areas = moved.flatMap((row) => row.areas)
  const width = Math.max(...[...nodes, ...areas].map((box) => box.x + box.width)) + 2 * turn
  const within = moved.flatMap((row) => row.edges)
  const kept = new Set(within.map(({ edge }) => edge))
  const spotOf = new Map(nodes.map((placed) => [placed.node.id, placed]))
  const onward = layout.edges
    .filter(({ edge }) => !kept.has(edge))
    .flatMap((drawn, at) => {
      const [from, to] = [spotOf.get(drawn.edge.from), spotOf.get(drawn.edge.to)]
      if (from === undefined || to === undefined) return []
      const row = moved.find((each) => each.nodes.includes(from))
      return [turned({ drawn, from, to, at, right: width, below: (row?.bottom ?? 0) + rowGap / 2 })]
    })
  return { width, height: y - rowGap, nodes, edges: [...within, ...onward], areas }
}

interface Turn {
  readonly drawn: Drawn
  readonly from: Placed
  readonly to: Placed
  /** Of those that turn. */
  readonly at: number
  readonly right: number
  readonly below: number
}

/** To the end of its row, below it, and in from the left. */
function turned({ drawn, from, to, at, ...end }: Turn): Drawn {
  const aside = 4 * (at % passingMax)
  const [right, below] = [end.right - aside, end.below - aside]
  const [begin, enters] = [from.y + nodeHeight / 2, to.y + nodeHeight / 2]
  const points = [
    { x: from.x + from.width, y: begin },
    { x: right, y: begin },
    { x: right, y: below },
    { x: to.x - turn, y: below },
    { x: to.x - turn, y: enters },
    { x: to.x, y: enters },
  ]
  return {
    ...drawn,
    points,
    x: right - textWidth * (0.5 + (at % passingMax)),
    y: end.below - 4 * (passingMax - 1),
  }
}

/** Where rows end. None where it is short enough, or where too much would pass. */
function cutsOf({ width, height, nodes, edges, areas }: Layout): number[] {
  if (width <= widthMax || width < lineProportion * height) return []
  const spans = [...nodes, ...areas].map(({ x, width: wide }) => [x, x + wide] as const)
  const spotOf = new Map(nodes.map(({ node, x }) => [node.id, x]))
  const ends = nodes.map(({ x, width: wide }) => x + wide + 1)
  const passing = (cut: number) =>
    edges.filter(({ edge }) => spotOf.get(edge.from)! < cut !== spotOf.get(edge.to)! < cut).length
  const possible = ends
    .filter((cut) => !spans.some(([from, to]) => from < cut && cut < to) && passing(cut) <= passingMax)
    .sort((a, b) => a - b)
  const cuts: number[] = []
  for (let from = 0; width - from > widthMax; ) {
    const next = possible.findLast((cut) => cut > from && cut - from <= widthMax)
    if (next === undefined) break
    cuts.push(next)
    from = next
  }
  return cuts
}
