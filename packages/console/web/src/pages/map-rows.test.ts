// A line of functions that is longer than a page is wide is drawn in rows, and one that is not stays as it is.
import { expect, test } from 'vitest'
import type { MapEdge, MapNode, SystemMap } from '../api/system-views.js'
import { layoutOf } from './map-layout.js'

const node = (id: string, context: string | null = null): MapNode => ({
  ...{ id, kind: 'subscription', name: id, app: null, context, versions: [], declared: true, seen: true },
  ...{ paused: [], openBreakers: [] },
})
const edge = (from: string, to: string) =>
  ({ from, to, declared: true, seen: true, perSecond: 1, dead: 0 }) as unknown as MapEdge
const chainOf = (length: number) => Array.from({ length }, (_, at) => `function-number-${at}`)
const waysOf = (all: readonly string[]) => all.slice(1).map((to, at) => edge(all[at] as string, to))
const drawnOf = (ids: readonly string[], ways: readonly MapEdge[]) =>
  layoutOf({ app: 'a', nodes: ids.map((id) => node(id)), edges: ways } as unknown as SystemMap)

const rowsOf = ({ nodes }: ReturnType<typeof layoutOf>) => new Set(nodes.map(({ y }) => y)).size

test('a long line is cut into rows, and each way still leads from its part to its part', () => {
  const ids = chainOf(20)
  const drawn = drawnOf(ids, waysOf(ids))
  expect(drawn.width).toBeLessThan(1_400)
  expect(rowsOf(drawn)).toBeGreaterThan(2)
  expect(drawn.edges).toHaveLength(19)
  const spotOf = new Map(drawn.nodes.map((placed) => [placed.node.id, placed]))
  for (const { edge: way, points } of drawn.edges) {
    const [from, to] = [spotOf.get(way.from), spotOf.get(way.to)]
    const [first, last] = [points[0], points.at(-1)]
    expect(first?.x).toBeCloseTo((from?.x ?? 0) + (from?.width ?? 0), 0)
    expect(last?.x).toBeCloseTo(to?.x ?? 0, 0)
    for (const [point, part] of [
      [first, from],
      [last, to],
    ] as const) {
      expect(point?.y).toBeGreaterThanOrEqual(part?.y ?? 0)
      expect(point?.y).toBeLessThanOrEqual((part?.y ?? 0) + 40)
    }
  }
  for (const { points } of drawn.edges)
    for (const { x, y } of points) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x).toBeLessThanOrEqual(drawn.width)
      expect(y).toBeLessThanOrEqual(drawn.height)
    }
  // No two parts in one place.
  expect(new Set(drawn.nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(20)
})

test('a short line stays one row, and so does one of which too much would pass from row to row', () => {
  const few = chainOf(5)
  expect(rowsOf(drawnOf(few, waysOf(few)))).toBe(1)
  const ids = chainOf(20)
  const end = ids.at(-1) as string
  const knot = [...waysOf(ids), ...ids.slice(0, 3).map((from) => edge(from, end))]
  expect(drawnOf(ids, knot).width).toBeGreaterThan(2_000)
})

test('contexts go with their parts into their rows', () => {
  const ids = chainOf(20)
  const context = (at: number) => (at < 3 ? 'first' : at > 16 ? 'last' : null)
  const nodes = ids.map((id, at) => node(id, context(at)))
  const drawn = layoutOf({ app: 'a', nodes, edges: waysOf(ids) } as unknown as SystemMap)
  expect(rowsOf(drawn)).toBeGreaterThan(2)
  const spotOf = new Map(drawn.nodes.map((placed) => [placed.node.id, placed]))
  for (const [name, within] of [
    ['first', ids.slice(0, 3)],
    ['last', ids.slice(17)],
  ] as const) {
    const area = drawn.areas.find((each) => each.name === name)
    for (const id of within) {
      const { x = 0, y = 0, width = 0 } = spotOf.get(id) ?? {}
      expect(x).toBeGreaterThanOrEqual(area?.x ?? Number.POSITIVE_INFINITY)
      expect(y).toBeGreaterThanOrEqual(area?.y ?? Number.POSITIVE_INFINITY)
      expect(x + width).toBeLessThanOrEqual((area?.x ?? 0) + (area?.width ?? 0))
      expect(y + 40).toBeLessThanOrEqual((area?.y ?? 0) + (area?.height ?? 0))
    }
    expect((area?.x ?? 0) + (area?.width ?? 0)).toBeLessThanOrEqual(drawn.width)
  }
})

test('a way that was not seen, and is late, has its text on it', () => {
  const way = { ...edge('a', 'b'), seen: false, lagSeconds: 90 } as unknown as MapEdge
  const [drawn] = drawnOf(['a', 'b'], [way]).edges
  const xs = drawn?.points.map(({ x }) => x) ?? []
  expect(drawn?.x).toBeGreaterThanOrEqual(Math.min(...xs))
  expect(drawn?.x).toBeLessThanOrEqual(Math.max(...xs))
  expect(drawn?.x).toBeGreaterThan(50)
})

test('the only context of a part is a frame around all of it', () => {
  const nodes = [node('a', 'shop'), node('b'), node('c')]
  const { areas, nodes: placed } = layoutOf({
    ...{ app: 'a', nodes, edges: [edge('b', 'a'), edge('a', 'c')] },
  } as unknown as SystemMap)
  expect(areas.map(({ name }) => name)).toEqual(['shop'])
  const [area] = areas
  for (const { x, y, width } of placed) {
    expect(x).toBeGreaterThan(area?.x ?? 0)
    expect(y).toBeGreaterThan((area?.y ?? 0) + 12)
    expect(x + width).toBeLessThan((area?.x ?? 0) + (area?.width ?? 0))
    expect(y + 40).toBeLessThan((area?.y ?? 0) + (area?.height ?? 0))
  }
})
