// Of two apps on one log the map is that of one, and the other is one part of it.
import { expect, test } from 'vitest'
import type { MapEdge, MapNode, SystemMap } from '../api/system-views.js'
import { appsOf, mapOfApp } from './map-apps.js'

const node = (id: string, app: string | null = null): MapNode => {
  const [kind, name] = id.split(':') as [MapNode['kind'], string]
  const context = kind === 'event' ? (name.split('.')[0] ?? null) : null
  return {
    ...{ id, kind, name, app, context, versions: [], declared: true, seen: true },
    ...{ paused: [], openBreakers: [] },
  }
}
const edge = (from: string, to: string, rest: Partial<MapEdge> = {}): MapEdge => ({
  ...{ from, to, declared: true, seen: true, perSecond: 1, subscriptions: [], lagSeconds: null, dead: null },
  ...{ takenPerSecond: null, ...rest },
})
const nodes = [
  node('subscription:ship', 'shop'),
  node('event:shop.placed'),
  node('event:shop.shipped'),
  node('event:shop.returned'),
  node('event:ward.alarm'),
  node('subscription:call', 'ward'),
  node('subscription:count', 'ward'),
  node('subscription:note', 'ward'),
  node('source:/'),
  node('source:/ward'),
]
const edges = [
  edge('source:/', 'event:shop.placed'),
  edge('event:shop.placed', 'subscription:ship'),
  edge('subscription:ship', 'event:shop.shipped', { declared: null }),
  edge('event:shop.shipped', 'subscription:count', { lagSeconds: 3, dead: 2, takenPerSecond: 5 }),
  edge('event:shop.shipped', 'subscription:note', { lagSeconds: 9, dead: 1, takenPerSecond: null }),
  edge('source:/ward', 'event:ward.alarm'),
  edge('event:ward.alarm', 'subscription:call'),
]
const map = { app: 'ward', nodes, edges } as unknown as SystemMap
const idsOf = (of: SystemMap) => of.nodes.map(({ id }) => id).toSorted()
const waysOf = (of: SystemMap) => of.edges.map(({ from, to }) => `${from} ${to}`).toSorted()

test('an app has its parts, their events and who publishes these; another that takes them is one part', () => {
  expect(appsOf(map)).toEqual(['ward', 'shop'])
  const shop = mapOfApp(map, 'shop')
  // `shop.returned` is taken by nobody, and of the same context.
  expect(idsOf(shop)).toEqual([
    ...['app:ward', 'event:shop.placed', 'event:shop.returned', 'event:shop.shipped', 'source:/'],
    'subscription:ship',
  ])
  expect(waysOf(shop)).toEqual([
    'event:shop.placed subscription:ship',
    'event:shop.shipped app:ward',
    'source:/ event:shop.placed',
    'subscription:ship event:shop.shipped',
  ])
  expect(shop.edges.find(({ to }) => to === 'app:ward')).toMatchObject({
    ...{ lagSeconds: 9, dead: 3, takenPerSecond: 5, perSecond: 2, declared: true, seen: true },
  })
})

test('the other shows the event that they share, and the first as one part of it', () => {
  const ward = mapOfApp(map, 'ward')
  expect(idsOf(ward)).toEqual([
    ...['app:shop', 'event:shop.returned', 'event:shop.shipped', 'event:ward.alarm', 'source:/ward'],
    ...['subscription:call', 'subscription:count', 'subscription:note'],
  ])
  expect(waysOf(ward)).toContain('app:shop event:shop.shipped')
  expect(waysOf(ward)).not.toContain('event:shop.placed app:shop')
  expect(ward.edges.find(({ from }) => from === 'app:shop')).toMatchObject({ declared: null, perSecond: 1 })
})

test('an event that came of one that several take belongs to the app as its cause does', () => {
  const caused = {
    nodes: [...nodes, node('event:shop.audited'), node('event:ward.told')],
    edges: [
      ...[...edges, edge('event:shop.placed', 'event:shop.audited')],
      edge('event:ward.alarm', 'event:ward.told'),
    ],
  } as unknown as SystemMap
  expect(idsOf(mapOfApp(caused, 'shop'))).toContain('event:shop.audited')
  expect(idsOf(mapOfApp(caused, 'shop'))).not.toContain('event:ward.told')
})
