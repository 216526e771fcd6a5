// What a store counts over all subscriptions, for whoever looks at a whole cell.
import { describe, expect, it } from 'vitest'
import type { OpenScene } from './scene.js'

export function describeOverview(open: OpenScene): void {
  describe('overview', () => {
    it('counts what was appended, and never less', async () => {
      const scene = await open()
      const before = await scene.store.tally()
      await scene.published(5)
      const after = await scene.store.tally()
      expect(after.appended - before.appended).toBe(5)
      expect(after.atMs).toBeGreaterThanOrEqual(before.atMs)
      const transaction = await scene.transaction()
      await scene.store.appendWithin(transaction.executor, [scene.event()])
      await transaction.rollback()
      expect((await scene.store.tally()).appended).toBeGreaterThanOrEqual(after.appended)
    })

    it('shows the heads of the newest events', async () => {
      const scene = await open()
      const events = await scene.published(3, { causationId: 'cause', source: '/shop' })
      expect(await scene.store.eventHeads(2)).toEqual(
        events
          .slice(1)
          .reverse()
          .map(({ id, type, version, source, causationId, recordedAtMs }) => ({
            ...{ id, type, version, source, causationId, recordedAtMs },
          })),
      )
      expect(await scene.store.eventHeads(10)).toHaveLength(3)
    })

    it('counts dead letters that wait, by category, the most first', async () => {
      const scene = await open()
      await scene.subscribe()
      expect((await scene.store.tally()).deadLetters).toEqual([])
      const { lease } = await scene.died(await scene.leased(), 1, { category: 'permanent' })
      const { ids } = await scene.died(lease, 3, { category: 'timeout' })
      expect((await scene.store.tally()).deadLetters).toEqual([
        { category: 'timeout', count: 3 },
        { category: 'permanent', count: 1 },
      ])
      await scene.store.discard({ ids }, 'bob', 'gone')
      expect((await scene.store.tally()).deadLetters).toEqual([{ category: 'permanent', count: 1 }])
    })
  })
}
