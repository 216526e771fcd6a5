// Rows on any store: due in time, and counted before they run.
import { describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../event/stored.js'
import { idsOf, longMs, type OpenScene, placeOf, shortMs } from './scene.js'
import { opened, withRows } from './traces.js'

export function describeRetry(open: OpenScene): void {
  describe('retry', () => {
    describeDue(open)
    describeClaims(open)
    describeLimits(open)
    describeVanishedHolders(open)
    describeSuspects(open)
    describeRescheduling(open)
  })
}

function describeDue(open: OpenScene): void {
  it('gives rows out when they are due, in that order (I20)', async () => {
    const scene = await open()
    const dueInMs = [90, longMs, 30, 60]
    const { lease, events } = await withRows(scene, 4, (index) => ({ dueInMs: dueInMs[index] ?? 0 }))
    // A row of another consumer tells that the time of the first three is over.
    await scene.subscribe({ name: 'clock' })
    const clock = await scene.leased('worker-a', 'clock')
    const late = [opened(events[0] as StoredEvent, { dueInMs: 120 })]
    const ticking = await scene.settle(clock, scene.settlement(clock, { opened: late }))
    await scene.eventually(
      'all of them due',
      async () => (await scene.store.claimDue([ticking], 1)).length > 0,
    )
    const claimed = await scene.store.claimDue([lease], 10)
    expect(claimed.map(({ event }) => event.id)).toEqual([2, 3, 0].map((index) => events[index]?.id))
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
  })

  it('tells when the next one is due', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 2, (index) => ({ dueInMs: index === 0 ? longMs : 2 * longMs }))
    const dueInMs = await scene.store.nextDueMs([lease])
    expect(dueInMs).toBeGreaterThan(longMs / 2)
    expect(dueInMs).toBeLessThanOrEqual(longMs)
    expect(await scene.store.nextDueMs([{ ...lease, shard: 5 }])).toBeNull()
    expect(await scene.store.nextDueMs([])).toBeNull()
    expect(await scene.store.openRows(lease)).toBe(2)
  })

  it('waits for nothing when what is left runs or waits for its key', async () => {
    const scene = await open()
    const states = ['running', 'waiting'] as const
    const { lease } = await withRows(scene, 2, (index) => ({ state: states[index] ?? 'running', key: 'k' }))
    expect(await scene.store.nextDueMs([lease])).toBeNull()
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
    expect(await scene.store.openRows(lease)).toBe(2)
  })
}

function describeClaims(open: OpenScene): void {
  it('counts the attempt before it runs, and gives each row out once (I19)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 1, () => ({ attempt: 3, round: 2, deaths: 1 }))
    const [event] = events as [StoredEvent]
    const [row, ...others] = await scene.store.claimDue([lease], 10)
    const { subscription, replay, shard } = lease
    const state = { state: 'running', attempt: 4, round: 2, deaths: 1, redrive: null }
    expect(row).toEqual({ subscription, replay, shard, event, ...state })
    expect(others).toEqual([])
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
    expect(await scene.store.deliveries(event)).toMatchObject([{ state: 'running', attempt: 4 }])
  })

  it('gives out at most so many', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 5, () => ({}))
    const sizes: number[] = []
    for (let round = 0; round < 4; round++) sizes.push((await scene.store.claimDue([lease], 2)).length)
    expect(sizes).toEqual([2, 2, 1, 0])
  })

  it('gives rows to the newest token alone (I32)', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 1, () => ({}))
    expect(await scene.store.claimDue([{ ...lease, token: lease.token + 1 }], 10)).toEqual([])
    await scene.store.release([lease])
    const next = await scene.leased('worker-b')
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
    expect(await scene.store.claimDue([next], 10)).toHaveLength(1)
  })

  it('gives the rows of several consumers in one call', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'bill' })
    const { lease, events } = await withRows(scene, 2, () => ({}))
    const bill = await scene.leased('worker-a', 'bill')
    const rows = events.map((event) => opened(event))
    const other = await scene.settle(
      bill,
      await scene.passing(bill, events[1] as StoredEvent, { opened: rows }),
    )
    const claimed = await scene.store.claimDue([lease, other], 10)
    const names = claimed.map(({ subscription, event }) => `${subscription} ${event.id}`).sort()
    const expected = ['ship', 'bill'].flatMap((name) => idsOf(events).map((id) => `${name} ${id}`))
    expect(names).toEqual(expected.sort())
  })
}

const places = (claimed: readonly { readonly event: StoredEvent }[], events: readonly StoredEvent[]) =>
  claimed.map(({ event }) => events.findIndex(({ id }) => id === event.id)).sort()

function describeLimits(open: OpenScene): void {
  it('gives a lease as many rows as it has room for, and no more than the call allows', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 6, () => ({}))
    const claim = async (rowsMax: number, deliveriesMax: number) =>
      (await scene.store.claimDue([{ ...lease, rowsMax }], deliveriesMax)).length
    expect([await claim(2, 10), await claim(9, 3), await claim(9, 9)]).toEqual([2, 3, 1])
  })

  it('gives out what was never tried when the budget for retries is spent', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 5, (index) => ({ attempt: index < 3 ? 1 : 0 }))
    const claim = async (retriesMax: number) =>
      places(await scene.store.claimDue([{ ...lease, retriesMax }], 10), events)
    expect(await claim(0)).toEqual([3, 4])
    expect(await claim(2)).toHaveLength(2)
    expect(await claim(2)).toHaveLength(1)
  })

  it('does not take a suspect for a retry: its budget is one of its own', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 2, (index) => ({ deaths: index }))
    const [row, ...others] = await scene.store.claimDue([{ ...lease, retriesMax: 0 }], 10)
    expect([row?.deaths, others]).toEqual([1, []])
  })
}

function describeSuspects(open: OpenScene): void {
  it('gives out so many suspects in all, the least suspected first, beside the others (I19)', async () => {
    const scene = await open()
    const deaths = [0, 2, 1, 0]
    const { lease, events } = await withRows(scene, 4, (index) => ({ deaths: deaths[index] ?? 0 }))
    await scene.subscribe({ name: 'bill' })
    const bill = await scene.leased('worker-a', 'bill')
    const rows = [opened(events[3] as StoredEvent, { deaths: 3 })]
    const other = await scene.settle(bill, scene.settlement(bill, { opened: rows }))
    const claim = async (suspectsMax: number) =>
      (await scene.store.claimDue([other, lease], 10, suspectsMax)).map((row) => row.deaths)
    expect(await claim(0)).toEqual([0, 0])
    expect([await claim(1), await claim(1), await claim(1), await claim(1)]).toEqual([[1], [2], [3], []])
  })

  it('counts no death of a suspect that was not claimed, however many holders vanish (I19)', async () => {
    const scene = await open()
    await withRows(scene, 2, (index) => ({ deaths: index + 1 }))
    for (let holder = 1; holder < 6; holder++) {
      const held = await scene.acquire(`worker-${holder}`, 'ship', longMs, [
        holder === 1 ? 'worker-a' : `worker-${holder - 1}`,
      ])
      expect(held).toHaveLength(1)
      expect(await scene.store.claimDue(held, 10, 0)).toEqual([])
    }
    const last = await scene.acquire('worker-6', 'ship', longMs, ['worker-5'])
    expect((await scene.store.claimDue(last, 10)).map(({ deaths }) => deaths).sort()).toEqual([1, 2])
  })

  it('clears a suspect whose attempt came to an end of its own, and keeps one that was cut short (I19)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 2, () => ({ deaths: 2 }))
    await scene.store.claimDue([lease], 10)
    const rescheduled = events.map((event, index) => ({
      ...placeOf(event),
      dueInMs: 0,
      failure: null,
      counted: index === 0,
    }))
    const after = await scene.settle(lease, scene.settlement(lease, { rescheduled }))
    const claimed = await scene.store.claimDue([after], 10)
    const deaths = events.map((event) => claimed.find((row) => row.event.id === event.id)?.deaths)
    expect(deaths).toEqual([0, 2])
  })

  it('suspects nothing of a holder that gave its lease back (I19)', async () => {
    const scene = await open()
    const { lease } = await withRows(scene, 2, (index) => ({ attempt: 1, deaths: index }))
    await scene.store.claimDue([lease], 10)
    await scene.store.release([lease])
    const next = await scene.leased('worker-b')
    const claimed = await scene.store.claimDue([next], 10)
    expect(claimed.map(({ deaths, attempt }) => [deaths, attempt]).sort()).toEqual([
      [0, 3],
      [1, 3],
    ])
  })
}

function describeVanishedHolders(open: OpenScene): void {
  it('gives out again what ran when its holder vanished, counted as an attempt and a death (I19)', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 2, (index) => ({ dueInMs: index === 0 ? 0 : longMs }))
    await scene.store.claimDue([lease], 10)
    await scene.store.renew({ worker: 'worker-a', leases: [{ ...lease, leaseMs: shortMs }] })
    const next = await scene.leased('worker-b')
    const [row, ...others] = await scene.store.claimDue([next], 10)
    expect(row).toMatchObject({ event: { id: events[0]?.id }, attempt: 3, deaths: 1, state: 'running' })
    expect(others).toEqual([])
    expect(await scene.store.claimDue([next], 10)).toEqual([])
    const last = await scene.acquire('worker-c', 'ship', longMs, ['worker-b'])
    expect(await scene.store.claimDue(last, 10)).toMatchObject([{ attempt: 4, deaths: 2 }])
  })

  it('does so for a delivery that the cursor passed while it ran', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 1, () => ({ state: 'running', attempt: 1 }))
    expect(await scene.store.claimDue([lease], 10)).toEqual([])
    const next = await scene.acquire('worker-b', 'ship', longMs, ['worker-a'])
    const rows = await scene.store.claimDue(next, 10)
    expect(rows).toMatchObject([{ event: { id: events[0]?.id }, attempt: 2, deaths: 1 }])
  })
}

function describeRescheduling(open: OpenScene): void {
  it('puts a row off with its failure; the attempt stays counted', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 1, () => ({ attempt: 1 }))
    const [event] = events as [StoredEvent]
    await scene.store.claimDue([lease], 10)
    const failure = scene.failure({ category: 'transient', message: 'away' })
    const put = { ...placeOf(event), dueInMs: longMs, failure, counted: true }
    const after = await scene.settle(lease, scene.settlement(lease, { rescheduled: [put] }))
    expect(await scene.store.claimDue([after], 10)).toEqual([])
    const [delivery] = await scene.store.deliveries(event)
    expect(delivery).toMatchObject({ state: 'retry', attempt: 2, failure })
    const again = { ...put, dueInMs: 0, failure: null }
    const end = await scene.settle(after, scene.settlement(after, { rescheduled: [again] }))
    const [row] = await scene.store.claimDue([end], 10)
    expect(row).toMatchObject({ attempt: 3, deaths: 0 })
    expect((await scene.store.deliveries(event))[0]?.failure).toEqual(failure)
  })

  it('takes the attempt back when it never ran to an end', async () => {
    const scene = await open()
    const { lease, events } = await withRows(scene, 1, () => ({ attempt: 1 }))
    const place = placeOf(events[0] as StoredEvent)
    await scene.store.claimDue([lease], 10)
    const rescheduled = [{ ...place, dueInMs: 0, failure: null, counted: false }]
    const after = await scene.settle(lease, scene.settlement(lease, { rescheduled }))
    expect(await scene.store.claimDue([after], 10)).toMatchObject([{ attempt: 2, deaths: 0 }])
  })
}
