// What a store counts over all subscriptions, for whoever looks at a whole cell.
import { describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../event/stored.js'
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

    describeTypes(open)

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

function describeTypes(open: OpenScene): void {
  it('counts what there is by type, from a moment on', async () => {
    const scene = await open()
    expect(await scene.store.remainingTypes({})).toEqual({ types: [], beyond: 0 })
    await scene.published(3)
    await scene.published(2, { type: 'bills.sent' })
    const of = async (query: { readonly after?: Date }) => {
      const { types, beyond } = await scene.store.remainingTypes(query)
      return { beyond, types: Object.fromEntries(types.map(({ type, events }) => [type, events])) }
    }
    const [{ type } = { type: '' }] = scene.events(1)
    expect(await of({})).toEqual({ beyond: 0, types: { [type]: 3, 'bills.sent': 2 } })
    const { recordedAtMs } = (await scene.published(1, { type: 'bills.paid' }))[0] as StoredEvent
    const after = new Date(Math.floor(recordedAtMs))
    expect((await of({ after })).types).toMatchObject({ 'bills.paid': 1 })
    expect(await of({ after: new Date(recordedAtMs + 60_000) })).toEqual({ beyond: 0, types: {} })
  })
}
