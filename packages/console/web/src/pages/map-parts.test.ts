// The map shows what belongs together together, and leaves little of its frame blank.
import { expect, test } from 'vitest'
import type { MapEdge, MapNode, SystemMap } from '../api/system-views.js'
import { layoutOf } from './map-layout.js'
import { packed, partsOf } from './map-parts.js'

const node = (id: string, context: string | null = null): MapNode => ({
  ...{ id, kind: 'subscription', name: id, app: null, context, versions: [], declared: true, seen: true },
  ...{ paused: [], openBreakers: [] },
})
const edge = (from: string, to: string) =>
  ({ from, to, declared: true, seen: true, perSecond: 1, dead: 0 }) as unknown as MapEdge
const ids = (nodes: readonly MapNode[]) => nodes.map(({ id }) => id)

test('a way or a context makes one part of two', () => {
  const nodes = [node('a'), node('b'), node('c', 'x'), node('d', 'x'), node('e')]
  const parts = partsOf(nodes, [edge('a', 'b')])
  expect(parts.map((part) => ids(part.nodes))).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  expect(parts.map((part) => part.edges.length)).toEqual([1, 0, 0])
})

test('parts stand beside and below each other, and none on another', () => {
  const sizes = [400, 80, 120, 60, 200].map((height, at) => ({ width: 500 - at * 40, height }))
  const spots = packed(sizes, 10)
  const boxes = spots.map(({ x, y }, at) => ({ x, y, ...(sizes[at] as (typeof sizes)[number]) }))
  for (const [at, a] of boxes.entries())
    for (const b of boxes.slice(at + 1)) {
      const apart =
        a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
      expect(apart).toBe(true)
    }
  expect(new Set(spots.map(({ y }) => y)).size).toBeGreaterThan(1)
  expect(new Set(spots.map(({ x }) => x)).size).toBeGreaterThan(1)
})

test('two systems on one log take up most of the whole', () => {
  const chain = (name: string, length: number) => Array.from({ length }, (_, at) => `${name}-${at}`)
  const waysOf = (all: readonly string[]) => all.slice(1).map((to, at) => edge(all[at] as string, to))
  const [long, ...short] = [chain('orders', 6), ...['w', 'x', 'y', 'z'].map((name) => chain(name, 3))]
  const all = [long, ...short] as string[][]
  const map = { nodes: all.flat().map((id) => node(id)), edges: all.flatMap(waysOf) } as unknown as SystemMap
  const { width, height, nodes } = layoutOf(map)
  for (const each of nodes) {
    expect(each.x).toBeGreaterThanOrEqual(0)
    expect(each.x + each.width).toBeLessThanOrEqual(width)
    expect(each.y + 40).toBeLessThanOrEqual(height)
  }
  // One after another in one column they would be five rows.
  expect(height).toBeLessThan(4 * 52)
})
