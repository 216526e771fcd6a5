// The live list loses nothing without saying so, however long it stands still.
import { expect, test } from 'vitest'
import type { EventView } from '../api/views.js'
import { TailList } from './tail-list.js'

const event = (id: number) => ({ id: `e-${id}` }) as EventView
const ids = (list: TailList) => list.shown.map(({ id }) => id)

test('what waits is shown later, the newest first', () => {
  const list = new TailList()
  for (const id of [1, 2]) list.take(event(id))
  list.show()
  for (const id of [3, 4, 5]) list.take(event(id))
  expect([ids(list), list.waiting, list.came]).toEqual([['e-2', 'e-1'], 3, 5])
  list.show()
  expect([ids(list), list.waiting]).toEqual([['e-5', 'e-4', 'e-3', 'e-2', 'e-1'], 0])
})

test('of more than is kept the oldest make way, and are counted', () => {
  const list = new TailList()
  for (let id = 0; id < 1_500; id++) list.take(event(id))
  expect([list.waiting, list.dropped, list.came]).toEqual([1_000, 500, 1_500])
  list.show()
  expect([ids(list).length, ids(list)[0], ids(list).at(-1)]).toEqual([1_000, 'e-1499', 'e-500'])
  // Those that were shown and make way were seen: they are not counted.
  list.take(event(1_500))
  list.show()
  expect([ids(list).length, ids(list)[0], list.dropped]).toEqual([1_000, 'e-1500', 500])
})

test('what the server left out counts as come, and an estimate stays one', () => {
  const list = new TailList()
  list.leaveOut({ events: 40, exact: true })
  expect([list.came, list.leftOut]).toEqual([40, { events: 40, exact: true }])
  list.leaveOut({ events: 100_001, exact: false })
  list.leaveOut({ events: 1, exact: true })
  expect(list.leftOut).toEqual({ events: 100_042, exact: false })
})
