// What a store must allow so that an answer that got lost, or a person who came in between, leaves nothing stuck.
import { describe, expect, it } from 'vitest'
import { consumerId, type Lease } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { idsOf, keysOf, longMs, type OpenScene, placeOf, type Scene } from './scene.js'
import { opened } from './traces.js'

export function describeRecover(open: OpenScene): void {
  describe('recover', () => {
    describeUnclaim(open)
    describeSettledBefore(open)
    describeDeadWorkers(open)
    describeHaltingLetters(open)
  })
}

async function withRows(scene: Scene, count: number) {
  await scene.subscribe()
  const events = await scene.published(count)
  const lease = await scene.leased('worker-a')
  const rows = events.map((event) => opened(event, { attempt: 1 }))
  const last = events.at(-1) as StoredEvent
  return { events, lease: await scene.settle(lease, await scene.passing(lease, last, { opened: rows })) }
}

const holdingOf = (
  { subscription, replay, shard, token, revision }: Lease,
  known: readonly StoredEvent[],
) => ({
  ...{ subscription, replay, shard, token, revision },
  known: known.map(placeOf),
})

function describeUnclaim(open: OpenScene): void {
  it('puts claimed rows back that their holder does not know, as if they had not been claimed (I19)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 3)
    await scene.store.claimDue([lease], 10)
    const looked = await scene.store.unclaim([holdingOf(lease, events.slice(0, 1))])
    expect(looked).toEqual(new Set([consumerId(lease)]))
    const claimed = await scene.store.claimDue([lease], 10)
    expect(idsOf(claimed.map(({ event }) => event)).sort()).toEqual(idsOf(events.slice(1)).sort())
    expect(claimed.map(({ attempt, deaths }) => [attempt, deaths])).toEqual([
      [2, 0],
      [2, 0],
    ])
  })

  it('puts nothing back under a revision or a token that moved on', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 1)
    await scene.store.claimDue([lease], 10)
    const holding = holdingOf(lease, [])
    await scene.settle(lease, scene.settlement(lease))
    expect(await scene.store.unclaim([holding])).toEqual(new Set())
    expect(await scene.store.unclaim([{ ...holding, token: holding.token - 1 }])).toEqual(new Set())
    expect(await scene.store.nextDueMs([lease])).toBeNull()
  })

  it('leaves what a dead holder left to those who count its death (I19)', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 1)
    await scene.store.claimDue([lease], 10)
    const [next] = (await scene.acquire('worker-b', 'ship', longMs, ['worker-a'])) as [Lease]
    await scene.store.unclaim([holdingOf(next, [])])
    expect(await scene.store.nextDueMs([next])).toBeNull()
    expect(await scene.store.claimDue([next], 10)).toMatchObject([{ attempt: 3, deaths: 1 }])
  })
}

function describeSettledBefore(open: OpenScene): void {
  it('claims no id for a settlement that changes nothing any more (I4)', async () => {
    const scene = await open()
    await scene.subscribe()
    const lease = await scene.leased('worker-a')
    await scene.settle(lease, scene.settlement(lease))
    const event = scene.event({ id: 'chosen', fingerprint: 'body' })
    const again = scene.settlement(lease, { published: [event] })
    expect((await scene.store.settle('worker-a', [again])).settled.size).toBe(1)
    expect(await scene.store.append([event])).toEqual(['stored'])
  })
}

function describeDeadWorkers(open: OpenScene): void {
  it('ends every lease of a worker that is known to be dead, also of what is paused (I24)', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'ship' })
    await scene.subscribe({ name: 'bill' })
    const ship = await scene.leased('worker-a', 'ship')
    await scene.leased('worker-a', 'bill')
    await scene.store.pause('ship', 'operator')
    expect(await scene.acquire('worker-b', 'bill', longMs, ['worker-a'])).toHaveLength(1)
    const renewed = { worker: 'worker-a', leases: [{ ...ship, leaseMs: longMs }] }
    expect(await scene.store.renew(renewed)).toEqual(new Set())
  })

  it('puts back what is running, also when the lease is given back twice', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 1)
    await scene.store.release([lease])
    const [event] = (await scene.log()) as [StoredEvent]
    const passing = scene.settlement(lease, { rescheduled: [], opened: [] })
    await scene.settle(lease, passing)
    await scene.store.release([lease])
    expect(await scene.store.deliveries(event)).toMatchObject([{ state: 'retry' }])
  })
}

function describeHaltingLetters(open: OpenScene): void {
  it('lets a halting letter that was sent again go before all others of its key (I23)', async () => {
    const scene = await open()
    await scene.subscribe({ policies: { ordered: 'halt' } })
    const lease = await scene.leased('worker-a')
    const { events, lease: after } = await scene.died(lease, 2, {}, { key: 'k' }, true)
    const request = { filter: {}, rate: 1_000, canary: 0, stopAtErrorRate: 1, roundsMax: 3, editedData: null }
    await scene.store.createRedrive('01900000-0000-7000-8000-000000000001', { ...request, actor: 'operator' })
    const claimed: string[] = []
    let held = after
    for (const event of events) {
      const [row] = await scene.eventually('a redriven row', async () => {
        await scene.store.advanceRedrives()
        await scene.store.promote(held, keysOf('k'))
        const rows = await scene.store.claimDue([held], 10)
        return rows.length > 0 && rows
      })
      claimed.push(row?.event.id ?? '')
      held = await scene.settle(held, scene.settlement(held, { closed: [placeOf(event)] }))
    }
    expect(claimed).toEqual(idsOf(events))
  })
}
