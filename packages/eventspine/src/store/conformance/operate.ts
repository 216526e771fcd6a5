// Pause and resume on any store.
import { describe, expect, it } from 'vitest'
import { consumerId } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { idsOf, type OpenScene, type Scene, shortMs } from './scene.js'
import { opened } from './traces.js'

export function describeOperate(open: OpenScene): void {
  describe('operate', () => {
    describePause(open)
    describePausedHolder(open)
  })
}

const pausedOf = async (scene: Scene) => (await scene.store.heartbeat(scene.worker('worker-z'), {})).paused

function describePause(open: OpenScene): void {
  it('counts live holders down to none, and grants nothing while paused (I24)', async () => {
    const scene = await open()
    await scene.subscribe({ shards: 2 })
    await scene.subscribe({ name: 'bill' })
    const leases = await scene.acquire('worker-a')
    expect(await scene.store.pause('ship', 'ann')).toBe(2)
    expect(await pausedOf(scene)).toEqual(new Set(['ship']))
    expect((await scene.view()).state).toBe('paused')
    await scene.store.release(leases.slice(0, 1))
    expect(await scene.store.pause('ship', 'ann')).toBe(1)
    await scene.store.release(leases.slice(1))
    expect(await scene.store.pause('ship', 'ann')).toBe(0)
    expect(await scene.acquire('worker-b')).toEqual([])
    expect(await scene.acquire('worker-b', 'bill')).toHaveLength(1)
    const { own } = await scene.store.heartbeat(scene.worker('worker-b'), { ship: '', bill: '' })
    const consumers = [...own.values()].reduce((sum, each) => sum + each.consumers, 0)
    expect(consumers).toBe(1)
  })

  it('goes on where it stood: nothing lost, nothing repeated (I24)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased('worker-a')
    const after = await scene.settle(lease, await scene.passing(lease, events[0] as StoredEvent))
    await scene.store.pause('ship', 'ann')
    // What ran when it was paused may still be recorded.
    const end = await scene.settle(after, await scene.passing(after, events[1] as StoredEvent))
    await scene.store.release([end])
    await scene.published(2)
    await scene.subscribe()
    expect(await scene.acquire('worker-b')).toEqual([])
    await scene.store.resume('ship', 'bob')
    const next = await scene.leased('worker-b')
    expect(idsOf(await scene.log(next))).toEqual(idsOf((await scene.log()).slice(2)))
    expect(await pausedOf(scene)).toEqual(new Set())
  })

  it('writes down who did it, once (I74), and knows whom it may ask', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.store.pause('ship', 'ann')
    await scene.store.pause('ship', 'ann')
    await scene.store.resume('ship', 'bob')
    const { items } = await scene.store.audit({})
    expect(items.map(({ actor, target }) => `${actor} ${target}`)).toEqual(['bob ship', 'ann ship'])
    await expect(scene.store.pause('unknown', 'ann')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(scene.store.resume('unknown', 'ann')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
}

function describePausedHolder(open: OpenScene): void {
  it('lets a holder whose lease ran out start nothing: pause may be acknowledged without it (I24)', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased('worker-a')
    const after = await scene.settle(lease, await scene.passing(lease, event, { opened: [opened(event)] }))
    const leases = [{ ...after, leaseMs: shortMs }]
    expect((await scene.store.renew({ worker: 'worker-a', leases })).has(consumerId(after))).toBe(true)
    await scene.eventually('no live holder', async () => (await scene.store.pause('ship', 'ann')) === 0)
    expect(await scene.store.claimDue([after], 10)).toEqual([])
    expect(await scene.store.renew({ worker: 'worker-a', leases })).toEqual(new Set())
    expect(await scene.store.pause('ship', 'ann')).toBe(0)
    await scene.store.resume('ship', 'ann')
    const next = await scene.leased('worker-b')
    expect(await scene.store.claimDue([next], 10)).toHaveLength(1)
  })
}
