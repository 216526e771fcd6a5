import { describe, expect, test } from 'vitest'
import type { StoredEvent } from '../event/stored.js'
import { type CausalNode, causalTree, type EventView, viewOf } from './view.js'

const stored: StoredEvent = {
  epoch: 1,
  xid: 7,
  seq: 9,
  tick: 3,
  timeMs: 0,
  recordedAtMs: 1_700_000_000_123,
  id: 'e',
  type: 'orders.placed',
  version: 2,
  tenant: 'acme',
  source: '/orders',
  subject: null,
  key: null,
  data: '{"n":1}',
  claim: null,
  traceparent: 't',
  correlationId: 'e',
  causationId: null,
  extensions: null,
}

test('a view has CloudEvents attributes, a parsed body, and no attribute that is absent', () => {
  expect(viewOf(stored, '{"n":1}')).toEqual({
    id: 'e',
    type: 'orders.placed',
    version: 2,
    source: '/orders',
    tenant: 'acme',
    time: '1970-01-01T00:00:00.000Z',
    recordedAt: '2023-11-14T22:13:20.123Z',
    data: { n: 1 },
    traceparent: 't',
    correlationId: 'e',
    extensions: {},
    position: { epoch: 1, seq: 9 },
  })
  const full = { ...stored, subject: 's', key: 'k', causationId: 'c', extensions: '{"region":"eu"}' }
  expect(viewOf(full, '1')).toMatchObject({
    subject: 's',
    key: 'k',
    causationId: 'c',
    extensions: { region: 'eu' },
    data: 1,
  })
})

const chained = (id: string, causationId?: string): EventView =>
  viewOf({ ...stored, id, causationId: causationId ?? null }, '1')
type Shape = readonly [string, ...Shape[]]
const shape = (node: CausalNode): Shape => [node.event.id, ...node.children.map(shape)]
const shapeOf = (...events: EventView[]) => {
  const tree = causalTree(events)
  return tree === undefined ? undefined : shape(tree)
}

describe('the causal tree', () => {
  test('is rooted at the first event, each below its cause in order', () => {
    const events = [
      chained('a'),
      chained('b', 'a'),
      chained('c', 'a'),
      chained('d', 'b'),
      chained('e', 'c'),
      chained('f', 'b'),
    ]
    expect(shapeOf(...events)).toEqual(['a', ['b', ['d'], ['f']], ['c', ['e']]])
    expect(shapeOf()).toBeUndefined()
  })

  test('leaves nothing out: unknown causes, later ones, cycles and itself hang on the root', () => {
    expect(shapeOf(chained('a', 'gone'), chained('b', 'gone'), chained('c'))).toEqual(['a', ['b'], ['c']])
    expect(shapeOf(chained('a'), chained('x', 'y'), chained('y', 'x'), chained('z', 'z'))).toEqual([
      'a',
      ['x', ['y']],
      ['z'],
    ])
    expect(shapeOf(chained('a', 'b'), chained('b', 'a'))).toEqual(['a', ['b']])
  })

  test('a repeated id is shown twice and its effects once', () => {
    expect(shapeOf(chained('a'), chained('b', 'a'), chained('b', 'a'), chained('c', 'b'))).toEqual([
      'a',
      ['b', ['c']],
      ['b'],
    ])
  })

  test('bears a chain of a thousand', () => {
    const events = Array.from({ length: 1_000 }, (_, index) =>
      chained(`n${index}`, index === 0 ? undefined : `n${index - 1}`),
    )
    let depth = 0
    for (let node: CausalNode | undefined = causalTree(events); node !== undefined; node = node.children[0])
      depth++
    expect(depth).toBe(1_000)
  })
})
