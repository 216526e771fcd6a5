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
            ...{ id, type, version, source, causationId, recordedAtMs, publisher: null },
          })),
      )
      expect(await scene.store.eventHeads(10)).toHaveLength(3)
    })

    it('shows the heads of the newest events of a type, whatever came since', async () => {
      const scene = await open()
      const rare = await scene.published(3, { type: 'orders.rare' })
      await scene.published(5, { type: 'orders.frequent' })
      const idsOf = async (types: string[], eachMax: number) =>
        (await scene.store.eventHeadsOf(types, eachMax)).map(({ id }) => id)
      const ids = rare.map(({ id }) => id)
      expect(await idsOf(['orders.rare'], 2)).toEqual(ids.slice(1).reverse())
      expect(await idsOf(['orders.rare', 'orders.never'], 10)).toEqual(ids.toReversed())
      expect(await idsOf(['orders.rare', 'orders.frequent'], 4)).toHaveLength(7)
      expect(await idsOf([], 10)).toEqual([])
    })

    it('shows the heads of events by their ids', async () => {
      const scene = await open()
      const [first, , third] = await scene.published(3)
      const found = await scene.store.eventHeadsWith([first?.id ?? '', third?.id ?? '', 'of none'])
      expect(new Set(found.map(({ id }) => id))).toEqual(new Set([first?.id, third?.id]))
      expect(found.find(({ id }) => id === first?.id)).toMatchObject({ type: first?.type })
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
