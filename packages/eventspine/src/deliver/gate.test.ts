// Who rests for alarms: a chunk of the normal class beside which alarms began, by how long those had waited since they were read. And how much
// is read ahead, by what a delivery takes.
import { expect, it } from 'vitest'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { Capacity } from './capacity.js'
import { Gate } from './gate.js'
import type { Item } from './item.js'
import type { Lease } from './port.js'
import { ownDefaults, type ResolvedSubscription } from './subscription.js'

const itemOf = () => ({ readAt: 0, deaths: 0 }) as Item

function scene() {
  // Whoever was read at zero was not read.
  const clock = new VirtualClock()
  const capacity = new Capacity()
  const gateOf = (
    priority: 'alarm' | 'normal',
    transactional = true,
    more: Partial<ResolvedSubscription> = {},
  ) =>
    new Gate(
      { ...ownDefaults, priority, transactional, concurrencyMax: 10, ...more } as ResolvedSubscription,
      { shards: 1 } as Lease,
      { clock, capacity, breakers: undefined as never },
      { again: () => {} },
    )
  /** Alarms begin, each `ms` after it was read. */
  const alarms = async (ms: number, gate = gateOf('alarm')) => {
    for (let n = 0; n < 30; n++) {
      const item = itemOf()
      gate.read(item)
      await clock.advance(ms)
      gate.started(item)
      gate.ended(item, { kind: 'abandoned' })
    }
  }
  return { clock, gateOf, alarms }
}

it('a chunk of the normal class, while alarms wait', async () => {
  const { clock, gateOf, alarms } = scene()
  await clock.advance(1)
  const normal = gateOf('normal')
  normal.started(itemOf())
  expect(normal.rest).toBeUndefined()
  await alarms(100)
  expect(normal.rest).toBe(3)
  await alarms(5)
  expect(normal.rest).toBe(0)
})

it('not one beside which no alarm began', async () => {
  const { clock, gateOf, alarms } = scene()
  await clock.advance(1)
  await alarms(100)
  const normal = gateOf('normal')
  normal.started(itemOf())
  expect(normal.rest).toBeUndefined()
})

it('no alarm, and nobody for handlers that call the world: those may wait for it', async () => {
  const { clock, gateOf, alarms } = scene()
  await clock.advance(1)
  const [normal, alarm] = [gateOf('normal'), gateOf('alarm')]
  normal.started(itemOf())
  alarm.started(itemOf())
  await alarms(100, gateOf('alarm', false))
  expect(normal.rest).toBeUndefined()
  await alarms(100)
  expect(normal.rest).toBe(3)
  expect(alarm.rest).toBeUndefined()
})

it('of a call for many each delivery says how long all of it took, and counts as its part of that', () => {
  const { gateOf } = scene()
  const took = { deaths: 0, attempt: 1, durationMs: 300, event: { data: '{}' } } as Item
  const done = { kind: 'done' } as Parameters<Gate['account']>[1]
  const [many, single] = [gateOf('normal', true, { transactMany: () => {} }), gateOf('normal')]
  for (const gate of [many, single]) for (let n = 0; n < 100; n++) gate.account(took, done, 100)
  // A quarter of a second of 3 ms each, in one call; of 300 ms each, ten at once.
  expect(many.batch.events).toBe(84)
  expect(single.batch.events).toBe(9)
})
