// The order of keys on any store: what is open, what is halted, what may go next; each tenant's keys apart.
import { describe, expect, it } from 'vitest'
import { type OrderingKey, orderingKeyOf, type StoredEvent } from '../../event/stored.js'
import { redriveRequest, sent } from './redrive.js'
import { idsOf, keysOf, letterId, longMs, type OpenScene, placeOf } from './scene.js'
import { withRows } from './traces.js'

export function describeOrder(open: OpenScene): void {
  describe('keys', () => {
    describeKeys(open)
    describePromotion(open)
    describeTenants(open)
  })
}

const waiting = { state: 'waiting', attempt: 0 } as const

function describeKeys(open: OpenScene): void {
  it('tells which keys have open rows and which are halted (I23)', async () => {
    const scene = await open()
    const keys = ['a', 'b', 'a', undefined, 'c']
    const { lease, events } = await withRows(scene, 5, (index) => {
      const key = keys[index]
      return { state: index === 2 ? 'waiting' : 'retry', ...(key === undefined ? {} : { key }) }
    })
    const event = events[1] as StoredEvent
    const dead = [{ event, attempt: 2, round: 0, failure: scene.failure(), halts: true }]
    const after = await scene.settle(lease, scene.settlement(lease, { closed: [placeOf(event)], dead }))
    const { open: keysOpen, halted } = await scene.store.blockedKeys(after)
    const [a, c] = keysOf('a', 'c')
    expect([...keysOpen].sort()).toEqual([
      [a, 2],
      [c, 1],
    ])
    expect([...halted]).toEqual(keysOf('b'))
    const other = await scene.store.blockedKeys({ ...after, shard: 9 })
    expect([other.open.size, other.halted.size]).toEqual([0, 0])
  })
}

function describePromotion(open: OpenScene): void {
  it('makes the first waiting row of a key due, once nothing of it is active (I21)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 4, (index) => ({
      ...waiting,
      key: index === 3 ? 'other' : 'k',
    }))
    expect(await scene.store.promote(lease, keysOf('k', 'unknown'))).toEqual(new Set(keysOf('k')))
    await scene.store.promote(lease, keysOf('k'))
    const [first, ...others] = await scene.store.claimDue([lease], 10)
    expect([first?.event.id, first?.attempt, others]).toEqual([events[0]?.id, 1, []])
    await scene.store.promote(lease, keysOf('k'))
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
    const closed = [placeOf(events[0] as StoredEvent)]
    const after = await scene.settle(lease, scene.settlement(lease, { closed }))
    await scene.store.promote(after, keysOf('k'))
    expect((await scene.store.claimDue([after], 10)).map(({ event }) => event.id)).toEqual([events[1]?.id])
  })

  it('asked for a key that has nothing, leaves the one behind it alone (I21)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 2, () => ({ ...waiting, key: 'k' }))
    expect(await scene.store.promote(lease, keysOf('a', 'j'))).toEqual(new Set())
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
    // What lies behind it stands in its way as little.
    await scene.store.promote(lease, keysOf('k', 'z'))
    expect((await scene.store.claimDue([lease], 10)).map(({ event }) => event.id)).toEqual([events[0]?.id])
  })

  it('waits for an active row of the key, wherever in the order it stands (I21)', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 2, (index) =>
      index === 0 ? { ...waiting, key: 'k' } : { state: 'retry', dueInMs: longMs, key: 'k' },
    )
    await scene.store.promote(lease, keysOf('k'))
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
  })

  it('leaves halted keys alone (I23)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 3, (index) => ({
      ...waiting,
      key: index < 2 ? 'halted' : 'free',
    }))
    const event = events[0] as StoredEvent
    const dead = [{ event, attempt: 1, round: 0, failure: scene.failure(), halts: true }]
    const after = await scene.settle(lease, scene.settlement(lease, { closed: [placeOf(event)], dead }))
    await scene.store.promote(after, keysOf('halted', 'free'))
    const rows = await scene.store.claimDue([after], 10)
    expect(idsOf(rows.map((row) => row.event))).toEqual([events[2]?.id])
    expect((await scene.store.deadLetter(letterId('ship', event)))?.halts).toBe(true)
  })
}

function describeTenants(open: OpenScene): void {
  it('keeps the same key of two tenants apart (I21, I23)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 4, (index) => ({
      ...waiting,
      key: 'k',
      tenant: index < 2 ? 'a' : 'b',
    }))
    const event = events[0] as StoredEvent
    const dead = [{ event, attempt: 1, round: 0, failure: scene.failure(), halts: true }]
    const after = await scene.settle(lease, scene.settlement(lease, { closed: [placeOf(event)], dead }))
    const [ofA, ofB] = ['a', 'b'].map((tenant) => orderingKeyOf({ tenant, key: 'k' })) as [
      OrderingKey,
      OrderingKey,
    ]
    const { open: keysOpen, halted } = await scene.store.blockedKeys(after)
    expect([[...keysOpen].sort(), [...halted]]).toEqual([
      [
        [ofA, 1],
        [ofB, 2],
      ],
      [ofA],
    ])
    expect(await scene.store.promote(after, [ofA, ofB])).toEqual(new Set([ofA, ofB]))
    const [first, ...others] = await scene.store.claimDue([after], 10)
    expect([first?.event.id, others]).toEqual([events[2]?.id, []])
  })

  it('sends the letters of two tenants beside each other, though they have one key (I21)', async () => {
    const scene = await open()
    await scene.subscribe({ policies: { ordered: 'halt' } })
    const one = await scene.died(await scene.leased(), 2, {}, { key: 'k', tenant: 'a' }, true)
    const other = await scene.died(one.lease, 1, {}, { key: 'k', tenant: 'b' }, true)
    await scene.store.createRedrive('r1', redriveRequest())
    const rows = await sent(scene, other.lease, 2)
    expect(idsOf(rows.map(({ event }) => event)).sort()).toEqual(
      [one.events[0]?.id, other.events[0]?.id].sort(),
    )
  })
}
