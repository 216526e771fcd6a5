// How far behind a subscription is: what it still has to take, and nothing of others.
import { describe, expect, it } from 'vitest'
import { endOfTick, type StoredEvent } from '../../event/stored.js'
import type { OpenScene } from './scene.js'

export function describeLag(open: OpenScene): void {
  describe('lag', () => {
    it('counts what a subscription still has to take, and no event of others (I73)', async () => {
      const scene = await open()
      await scene.subscribe({ on: ['a.*', 'b'] })
      await scene.published(3, { type: 'other' })
      expect(await scene.view()).toMatchObject({ lagEvents: 0, lagExact: true, lagSeconds: 0 })
      await scene.published(2, { type: 'a.first' })
      await scene.published(4, { type: 'other' })
      await scene.published(1, { type: 'b' })
      const lag = async () => {
        const { lagEvents, lagExact } = await scene.view()
        return { lagEvents, lagExact }
      }
      expect(await lag()).toEqual({ lagEvents: 3, lagExact: true })
      await scene.lastTick()
      expect(await lag()).toEqual({ lagEvents: 3, lagExact: true })
      await scene.eventually('some lag', async () => (await scene.view()).lagSeconds > 0)
      const lease = await scene.leased()
      await scene.settle(
        lease,
        await scene.passing(lease, (await scene.log()).at(-1) as StoredEvent, { seq: endOfTick }),
      )
      expect(await lag()).toEqual({ lagEvents: 0, lagExact: true })
      // Nothing of its own waits, whatever others write.
      await scene.published(5, { type: 'other' })
      await scene.lastTick()
      expect(await scene.view()).toMatchObject({ lagEvents: 0, lagExact: true, lagSeconds: 0 })
    })
  })
}
