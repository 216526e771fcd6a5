// Who rests for alarms: a chunk of the normal class beside which alarms began, by how long those had waited since they were read.
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
  const gateOf = (priority: 'alarm' | 'normal', transactional = true) =>
    new Gate(
      { ...ownDefaults, priority, transactional, concurrencyMax: 10 } as ResolvedSubscription,
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
