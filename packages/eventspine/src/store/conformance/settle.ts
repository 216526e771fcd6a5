// Settling on any store: fenced, all or nothing for each consumer, safe to send again, and a ledger that adds up.
import { describe, expect, it } from 'vitest'
import { consumerId, type Lease } from '../../deliver/port.js'
import { endOfTick, type StoredEvent } from '../../event/stored.js'
import type { Settlement } from '../../settle/port.js'
import { idsOf, keysOf, longMs, type OpenScene, placeOf, type Scene, shortMs } from './scene.js'
import { expectTraces, opened, rich } from './traces.js'

export function describeSettle(open: OpenScene): void {
  describe('settle', () => {
    describeCursor(open)
    describeFencing(open)
    describeResending(open)
    describeIndependence(open)
    describePublishing(open)
    describePublishedIds(open)
    describeLedger(open)
  })
}

function describeCursor(open: OpenScene): void {
  it('moves the cursor, and the next holder goes on from there (I17)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(5)
    const lease = await scene.leased('worker-a')
    expect(idsOf(await scene.log(lease))).toEqual(idsOf(events))
    const inside = await scene.settle(lease, await scene.passing(lease, events[2] as StoredEvent))
    expect(idsOf(await scene.log(inside))).toEqual(idsOf(events.slice(3)))
    await scene.store.release([inside])
    const next = await scene.leased('worker-b')
    expect(next).toMatchObject({ tick: inside.tick, seq: inside.seq, revision: inside.revision })
    const end = await scene.passing(next, events[4] as StoredEvent, { seq: endOfTick })
    expect(await scene.log(await scene.settle(next, end))).toEqual([])
  })

  it('records outcomes without moving the cursor', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = await scene.published(1)
    const lease = await scene.leased()
    const row = await scene.passing(lease, event as StoredEvent, { opened: [opened(event as StoredEvent)] })
    const after = await scene.settle(lease, row)
    const closed = scene.settlement(after, { closed: [placeOf(event as StoredEvent)] })
    const end = await scene.settle(after, closed)
    expect([end.tick, end.seq, end.revision]).toEqual([after.tick, after.seq, after.revision + 1])
    expect(await scene.store.openRows(end)).toBe(0)
  })
}

function describeFencing(open: OpenScene): void {
  const refusals: readonly [string, (scene: Scene, lease: Lease) => Promise<Partial<Settlement>>][] = [
    [
      'the token of a holder that was followed by another (I32)',
      async (scene, lease) => {
        await scene.store.release([lease])
        await scene.leased('worker-b')
        return {}
      },
    ],
    [
      'the token of a holder whose lease ran out and was granted on (I32)',
      async (scene, lease) => {
        await scene.store.renew({ worker: 'worker-a', leases: [{ ...lease, leaseMs: shortMs }] })
        await scene.leased('worker-b')
        return {}
      },
    ],
    ['a token that was never given out', async (_scene, lease) => ({ token: lease.token + 1 })],
    [
      'a revision that moved on',
      async (scene, lease) => {
        await scene.settle(lease, scene.settlement(lease))
        return {}
      },
    ],
    ['a revision ahead of its time', async (_scene, lease) => ({ revision: lease.revision + 1 })],
    [
      'a tick that was made anew with another snapshot',
      async (scene) => {
        const { after } = await scene.lastTick()
        return { tickSnapshot: after }
      },
    ],
    ['a tick that does not exist', async (scene) => ({ tick: (await scene.lastTick()).number + 1 })],
    ['a consumer that does not exist', async () => ({ shard: 7 })],
  ]
  it.each(refusals)('refuses %s, and records nothing', async (_name, spoil) => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased('worker-a')
    const settlement = await rich(scene, lease, events)
    const answer = await scene.store.settle('worker-a', [{ ...settlement, ...(await spoil(scene, lease)) }])
    expect(answer.settled.size).toBe(0)
    await expectTraces(scene, events, 0)
  })

  it('is accepted from a holder whose lease ran out and nobody took', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'ship' })
    await scene.subscribe({ name: 'bill' })
    const events = await scene.published(3)
    const lease = await scene.leased('worker-a', 'ship', shortMs)
    await scene.leased('worker-a', 'bill', shortMs)
    await scene.leased('worker-b', 'bill')
    await scene.settle(lease, await rich(scene, lease, events))
    await expectTraces(scene, events, 1)
  })
}

function describeResending(open: OpenScene): void {
  it('answers a settlement whose answer was lost as settled, and records it once', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased()
    const settlement = await rich(scene, lease, events)
    for (let sent = 0; sent < 3; sent++) {
      expect((await scene.store.settle('worker-a', [settlement])).settled).toEqual(
        new Set([consumerId(lease)]),
      )
    }
    await expectTraces(scene, events, 1)
    const next = { ...lease, revision: lease.revision + 1, tick: settlement.tick, seq: settlement.seq }
    await scene.settle(next, scene.settlement(next))
  })

  it('does so when its events have ids of their own', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = await scene.published(1)
    const lease = await scene.leased()
    const published = [scene.event({ id: 'announced', fingerprint: 'body' })]
    const settlement = await scene.passing(lease, event as StoredEvent, { published })
    for (let sent = 0; sent < 2; sent++) {
      const answer = await scene.store.settle('worker-a', [settlement])
      expect([...answer.settled, answer.conflicts.size]).toEqual([consumerId(lease), 0])
    }
    expect(idsOf(await scene.log(settlement))).toEqual(['announced'])
  })

  it('refuses it from a holder that was followed, though it had arrived (I32)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased('worker-a')
    const settlement = await rich(scene, lease, events)
    await scene.settle(lease, settlement)
    await scene.store.release([lease])
    await scene.leased('worker-b')
    expect((await scene.store.settle('worker-a', [settlement])).settled.size).toBe(0)
    await expectTraces(scene, events, 1)
  })
}

function describeIndependence(open: OpenScene): void {
  it('judges each consumer of a flush on its own', async () => {
    const scene = await open()
    await scene.subscribe({ shards: 3 })
    const [event] = await scene.published(1)
    const [one, two, three] = (await scene.acquire('worker-a')) as [Lease, Lease, Lease]
    await scene.store.release([two])
    await scene.leased('worker-b')
    const counts = { matched: 1, completed: 1, skipped: 0 }
    const settlements = await Promise.all(
      [one, two, three].map((lease) => scene.passing(lease, event as StoredEvent, { counts })),
    )
    const { settled } = await scene.store.settle('worker-a', settlements)
    expect(settled).toEqual(new Set([consumerId(one), consumerId(three)]))
    expect((await scene.view()).completed).toBe(2)
  })

  it('settles a flush of nothing', async () => {
    const scene = await open()
    expect((await scene.store.settle('worker-a', [])).settled).toEqual(new Set())
  })
}

function describePublishing(open: OpenScene): void {
  it('shows what handlers published with the outcome, in order, and never otherwise (I2, I3)', async () => {
    const scene = await open()
    await scene.subscribe({ shards: 2 })
    const [event] = (await scene.published(1)) as [StoredEvent]
    const [one, two] = (await scene.acquire('worker-a')) as [Lease, Lease]
    await scene.store.release([two])
    const kept = await scene.passing(one, event, { published: scene.events(3) })
    const lost = await scene.passing({ ...two, token: two.token - 1 }, event, { published: scene.events(2) })
    await scene.store.settle('worker-a', [kept, lost])
    expect(idsOf(await scene.log(kept))).toEqual(idsOf(kept.published))
  })

  it('keeps which subscription published them', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const published = scene.events(2)
    await scene.settle(lease, await scene.passing(lease, event, { published }))
    const heads = await scene.store.eventHeads(3)
    expect(heads.map(({ id, publisher }) => [id, publisher])).toEqual([
      [published[1]?.id, lease.subscription],
      [published[0]?.id, lease.subscription],
      [event.id, null],
    ])
  })
}

function describePublishedIds(open: OpenScene): void {
  it('records nothing of a consumer whose event has the id of another body; the others are recorded', async () => {
    const scene = await open()
    await scene.subscribe({ shards: 2 })
    await scene.store.append([scene.event({ id: 'taken', fingerprint: 'body' })])
    const [event] = (await scene.published(1)) as [StoredEvent]
    const [one, two] = (await scene.acquire('worker-a')) as [Lease, Lease]
    const counts = { matched: 1, completed: 1, skipped: 0 }
    const given = (id: string, fingerprint: string) => scene.event({ id, fingerprint })
    const bad = await scene.passing(one, event, {
      counts,
      published: [given('free', 'body'), given('taken', 'other')],
    })
    const good = await scene.passing(two, event, { counts, published: [given('fine', 'body')] })
    const answer = await scene.store.settle('worker-a', [bad, good])
    expect([...answer.settled]).toEqual([consumerId(two)])
    expect([...answer.conflicts]).toEqual([[consumerId(one), ['taken']]])
    expect((await scene.view()).completed).toBe(1)
    expect(idsOf(await scene.log()).sort()).toEqual([event.id, 'fine', 'taken'].sort())
    // The id that went down with it is free, and the consumer goes on under the same revision.
    expect(await scene.store.append([given('free', 'another body')])).toEqual(['stored'])
    await scene.settle(one, await scene.passing(one, event, { counts }))
  })

  it('halts the key of the one that ends for it (I23)', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.store.append([scene.event({ id: 'taken', fingerprint: 'body' })])
    const [event] = (await scene.published(1, { key: 'k' })) as [StoredEvent]
    const lease = await scene.leased()
    const published = [scene.event({ id: 'taken', fingerprint: 'other' })]
    const bad = await scene.passing(lease, event, { published })
    expect((await scene.store.settle('worker-a', [bad])).settled.size).toBe(0)
    const dead = [{ event, attempt: 1, round: 0, failure: scene.failure(), halts: true }]
    const after = await scene.settle(lease, await scene.passing(lease, event, { dead }))
    expect([...(await scene.store.blockedKeys(after)).halted]).toEqual(keysOf('k'))
  })

  it('takes a repeat of the same body as published', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.store.append([scene.event({ id: 'known', fingerprint: 'body' })])
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const published = [
      scene.event({ id: 'known', fingerprint: 'body' }),
      scene.event({ id: 'new', fingerprint: 'body' }),
    ]
    await scene.settle(lease, await scene.passing(lease, event, { published }))
    expect(idsOf(await scene.log())).toEqual(['known', event.id, 'new'])
  })

  it('swallows no id with a settlement that is refused', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const published = [scene.event({ id: 'given', fingerprint: 'body' })]
    const settlement = await scene.passing(lease, event, { published })
    const answer = await scene.store.settle('worker-a', [{ ...settlement, token: lease.token + 1 }])
    expect(answer.settled.size).toBe(0)
    expect(await scene.store.append(published)).toEqual(['stored'])
  })
}

function describeLedger(open: OpenScene): void {
  it('adds up: matched = completed + retrying + dead + skipped (I18)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = (await scene.published(6)) as [StoredEvent, StoredEvent, ...StoredEvent[]]
    const lease = await scene.leased()
    const failure = scene.failure()
    const dead = (event: StoredEvent | undefined, attempt: number) => ({
      event: event as StoredEvent,
      attempt,
      round: 0,
      failure,
      halts: false,
    })
    const first = await scene.passing(lease, events[5] as StoredEvent, {
      counts: { matched: 6, completed: 2, skipped: 1 },
      opened: [opened(events[0]), opened(events[1], { dueInMs: longMs })],
      dead: [dead(events[2], 1)],
    })
    const after = await scene.settle(lease, first)
    await expectBalance(scene, { matched: 6, completed: 2, retrying: 2, dead: 1, skipped: 1 })
    const closed = [placeOf(events[0]), placeOf(events[1])]
    const counts = { matched: 0, completed: 1, skipped: 0 }
    const end = await scene.settle(
      after,
      scene.settlement(after, { closed, counts, dead: [dead(events[1], 2)] }),
    )
    await expectBalance(scene, { matched: 6, completed: 3, retrying: 0, dead: 2, skipped: 1 })
    expect(await scene.store.openRows(end)).toBe(0)
  })

  it('gives a delivery one end: a dead one is not completed as well (I15)', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const row = await scene.passing(lease, event, {
      opened: [opened(event)],
      counts: { matched: 1, completed: 0, skipped: 0 },
    })
    const after = await scene.settle(lease, row)
    const dead = [{ event, attempt: 2, round: 0, failure: scene.failure(), halts: false }]
    await scene.settle(after, scene.settlement(after, { closed: [placeOf(event)], dead }))
    expect((await scene.store.deliveries(event)).map(({ state }) => state)).toEqual(['dead'])
    await expectBalance(scene, { matched: 1, completed: 0, retrying: 0, dead: 1, skipped: 0 })
  })
}

async function expectBalance(scene: Scene, ledger: Record<string, number>): Promise<void> {
  const { matched, completed, retrying, dead, skipped } = await scene.view()
  expect({ matched, completed, retrying, dead, skipped }).toEqual(ledger)
}
