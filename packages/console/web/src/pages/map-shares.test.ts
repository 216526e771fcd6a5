// Of what a function completes, each of its types has the share that it has among the events.
import { expect, test } from 'vitest'
import type { MapEdge, SystemMap } from '../api/system-views.js'
import { inShares } from './map-shares.js'

const edge = (from: string, to: string, perSecond: number, takenPerSecond: number | null) =>
  ({ from, to, perSecond, takenPerSecond }) as unknown as MapEdge
const sharesOf = (...edges: MapEdge[]) =>
  inShares({ edges } as unknown as SystemMap).edges.map(({ takenPerSecond, isShare }) => [
    takenPerSecond,
    isShare,
  ])

test('of one of several types it is a share, of the only one it is counted', () => {
  expect(
    sharesOf(
      edge('event:a', 'subscription:board', 3, 8),
      edge('event:b', 'subscription:board', 1, 8),
      edge('event:a', 'subscription:charts', 3, 5),
      edge('source:/', 'event:a', 3, null),
    ),
  ).toEqual([
    [6, true],
    [2, true],
    [5, false],
    [null, false],
  ])
})

test('where none of them was seen nothing is made up', () => {
  expect(
    sharesOf(edge('event:a', 'subscription:board', 0, 8), edge('event:b', 'subscription:board', 0, 8)),
  ).toEqual([
    [0, true],
    [0, true],
  ])
})
