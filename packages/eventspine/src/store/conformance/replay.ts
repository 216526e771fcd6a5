// Replay on any store: history once more, for one subscription, beside its live deliveries.
import { describe, expect, it } from 'vitest'
import type { Lease } from '../../deliver/port.js'
import { endOfTick, type StoredEvent } from '../../event/stored.js'
import { redriveRequest, sent, succeeds } from './redrive.js'
import { idsOf, type OpenScene, placeOf, type Scene } from './scene.js'
import { opened } from './traces.js'

export function describeReplay(open: OpenScene): void {
  describe('replay', () => {
    describeRange(open)
    describeEnd(open)
    describeStop(open)
    describeLetters(open)
    describeBeyond(open)
  })
}

/** A subscription whose live consumers are leased, and a replay of it. */
async function replaying(scene: Scene, shards = 1, count = 3) {
  await scene.subscribe({ shards })
  const events = await scene.published(count)
  const live = await scene.acquire('worker-live')
  const replay = await scene.store.createReplay('replay-1', { subscription: 'ship', actor: 'ann' })
  const leases = await scene.acquire('worker-a')
  return { events, live, replay, leases, lease: leases[0] as Lease }
}

async function range(scene: Scene, lease: Lease): Promise<StoredEvent[]> {
  return (await scene.log(lease)).filter(({ tick }) => tick <= (lease.untilTick ?? 0))
}

async function finishing(scene: Scene, lease: Lease, parts = {}) {
  const [tick] = await scene.store.ticksAfter((lease.untilTick ?? 0) - 1, 1)
  const end = { tick: lease.untilTick ?? 0, seq: endOfTick, tickSnapshot: tick?.snapshot ?? null }
  return scene.settlement(lease, { ...end, finished: true, ...parts })
}

/** Replays are ended where redrives are advanced, if not before. */
async function ended(scene: Scene) {
  return await scene.eventually('the end of the replay', async () => {
    await scene.store.advanceRedrives()
    const replay = await scene.store.replay('replay-1')
    return replay?.state === 'completed' && replay
  })
}

function describeRange(open: OpenScene): void {
  it('begins at the beginning and ends where the log ends now; live deliveries go on', async () => {
    const scene = await open()
    const { events, live, replay, leases, lease } = await replaying(scene)
    expect(replay).toMatchObject({
      id: 'replay-1',
      subscription: 'ship',
      state: 'running',
      actor: 'ann',
      fromMs: null,
    })
    expect(replay).toMatchObject({
      matched: 0,
      completed: 0,
      retrying: 0,
      dead: 0,
      progress: 0,
      endedAtMs: null,
    })
    expect(leases).toHaveLength(1)
    expect(lease).toMatchObject({ replay: 'replay-1', untilTick: replay.untilTick, fromTimeMs: null })
    const later = await scene.published(2)
    expect(idsOf(await range(scene, lease))).toEqual(idsOf(events))
    expect(later.every(({ tick }) => tick > replay.untilTick)).toBe(true)
    const [first] = live as [Lease]
    expect(first).toMatchObject({ replay: '', untilTick: null })
    await scene.settle(first, await scene.passing(first, later[1] as StoredEvent))
    expect(await scene.store.replay('replay-1')).toEqual(replay)
    expect(await scene.store.replay('unknown')).toBeNull()
    expect((await scene.store.audit({})).items[0]).toMatchObject({ actor: 'ann', target: 'replay-1' })
  })

  it('begins at a time', async () => {
    const scene = await open()
    await scene.subscribe()
    const [before] = (await scene.published(1)) as [StoredEvent]
    const after = await scene.eventually('a later event', async () => {
      const [event] = (await scene.published(1)) as [StoredEvent]
      return event.recordedAtMs > before.recordedAtMs + 2 && event
    })
    const from = new Date(Math.ceil(before.recordedAtMs) + 1)
    await scene.acquire('worker-live')
    const replay = await scene.store.createReplay('r', { subscription: 'ship', actor: 'ann', from })
    expect(replay.fromMs).toBe(from.getTime())
    const [lease] = (await scene.acquire('worker-a')) as [Lease]
    expect(lease.fromTimeMs).toBe(from.getTime())
    const events = (await range(scene, lease)).filter(({ recordedAtMs }) => recordedAtMs >= from.getTime())
    expect(events.at(-1)?.id).toBe(after.id)
    const all = (await scene.log()).filter(({ recordedAtMs }) => recordedAtMs >= from.getTime())
    expect(idsOf(events)).toEqual(idsOf(all))
  })

  it('is refused for an unknown subscription', async () => {
    const scene = await open()
    const request = { subscription: 'unknown', actor: 'ann' }
    await expect(scene.store.createReplay('r', request)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await scene.store.replay('r')).toBeNull()
  })
}

function describeEnd(open: OpenScene): void {
  it('is completed when each of its shards has finished, and wants no owner from then on', async () => {
    const scene = await open()
    const { leases } = await replaying(scene, 2)
    const [one, two] = leases as [Lease, Lease]
    const counts = { matched: 2, completed: 2, skipped: 0 }
    await scene.settle(one, await finishing(scene, one, { counts }))
    expect(await scene.store.replay('replay-1')).toMatchObject({ state: 'running', matched: 2, progress: 0 })
    await scene.settle(two, await finishing(scene, two, { counts: { matched: 1, completed: 1, skipped: 0 } }))
    const replay = await ended(scene)
    expect(replay).toMatchObject({ matched: 3, completed: 3, retrying: 0, progress: 1 })
    expect(replay.endedAtMs).not.toBeNull()
    await scene.store.release(leases)
    expect(await scene.acquire('worker-b')).toEqual([])
    expect((await scene.store.replays({})).items.map(({ id }) => id)).toEqual(['replay-1'])
    expect((await scene.view()).matched).toBe(0)
  })

  it('is not over while a delivery of it is open', async () => {
    const scene = await open()
    const { events, lease } = await replaying(scene)
    const event = events[0] as StoredEvent
    const rows = { opened: [opened(event)], counts: { matched: 3, completed: 2, skipped: 0 } }
    const after = await scene.settle(lease, await finishing(scene, lease, rows))
    await scene.store.advanceRedrives()
    expect(await scene.store.replay('replay-1')).toMatchObject({
      state: 'running',
      retrying: 1,
      endedAtMs: null,
    })
    const closed = {
      closed: [placeOf(event)],
      counts: { matched: 0, completed: 1, skipped: 0 },
      finished: true,
    }
    await scene.settle(after, scene.settlement(after, closed))
    expect(await ended(scene)).toMatchObject({ matched: 3, completed: 3, retrying: 0 })
  })

  it('counts its own rows and shows how far it is', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = [...(await scene.published(1)), ...(await scene.published(1))] as [
      StoredEvent,
      StoredEvent,
    ]
    await scene.acquire('worker-live')
    await scene.store.createReplay('replay-1', { subscription: 'ship', actor: 'ann' })
    const [lease] = (await scene.acquire('worker-a')) as [Lease]
    const rows = { opened: [opened(events[0])], counts: { matched: 1, completed: 0, skipped: 0 } }
    const half = await scene.passing(lease, events[0], { ...rows, seq: endOfTick })
    await scene.settle(lease, half)
    const replay = await scene.store.replay('replay-1')
    expect(replay).toMatchObject({ state: 'running', matched: 1, completed: 0, retrying: 1 })
    expect(replay?.progress).toBeGreaterThan(0)
    expect(replay?.progress).toBeLessThan(1)
    expect(await scene.view()).toMatchObject({ matched: 0, retrying: 0 })
  })
}

function describeStop(open: OpenScene): void {
  it('stops, fences who runs it, and leaves live deliveries alone (I32, I74)', async () => {
    const scene = await open()
    const { events, live, lease } = await replaying(scene)
    const rows = {
      opened: [opened(events[0] as StoredEvent)],
      counts: { matched: 1, completed: 0, skipped: 0 },
    }
    const after = await scene.settle(lease, await scene.passing(lease, events[0] as StoredEvent, rows))
    expect(await scene.store.stopReplay('replay-1', 'bob')).toMatchObject({ state: 'stopped' })
    const settlement = await scene.passing(after, events[1] as StoredEvent)
    expect((await scene.store.settle('worker-a', [settlement])).settled.size).toBe(0)
    expect(await scene.store.claimDue([after], 10)).toEqual([])
    expect(await scene.acquire('worker-b')).toEqual([])
    expect(await scene.store.replay('replay-1')).toMatchObject({ state: 'stopped', retrying: 0 })
    expect((await scene.store.audit({})).items[0]).toMatchObject({ actor: 'bob', target: 'replay-1' })
    const [first] = live as [Lease]
    await scene.settle(first, await scene.passing(first, events[2] as StoredEvent))
    await expect(scene.store.stopReplay('unknown', 'bob')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('keeps what was delivered when it is stopped, and passes over the rest', async () => {
    const scene = await open()
    const { events, live, lease } = await replaying(scene, 1, 4)
    const [done, dead, waiting] = events as [StoredEvent, StoredEvent, StoredEvent]
    const letter = { event: dead, attempt: 1, round: 0, failure: scene.failure(), halts: false }
    const counts = { matched: 3, completed: 1, skipped: 0 }
    const parts = { dead: [letter], opened: [opened(waiting)], counts }
    await scene.settle(lease, await scene.passing(lease, waiting, parts))
    const before = await scene.store.replay('replay-1')
    expect(before).toMatchObject({ matched: 3, completed: 1, retrying: 1, dead: 1 })
    // The ledger of the subscription has none of it, and yet a person finds the letter there.
    const [view] = await scene.store.subscriptions()
    expect(view).toMatchObject({ name: 'ship', matched: 0, dead: 0, replayDead: 1 })
    const stopped = await scene.store.stopReplay('replay-1', 'bob', 'wrong subscription')
    expect(stopped).toMatchObject({ state: 'stopped', matched: 3, completed: 1, retrying: 0, dead: 1 })
    expect(stopped.progress).toBe(before?.progress)
    expect(stopped.endedAtMs).not.toBeNull()
    const [{ state } = { state: '' }] = (await scene.store.deadLetters({})).items
    expect(state).toBe('dead')
    const deliveries = await scene.store.deliveries(done)
    expect(deliveries.find(({ replay }) => replay !== null)?.state ?? 'completed').toBe('completed')
    // Twice is once, in the audit as well; and what comes live is none of its affair.
    expect(await scene.store.stopReplay('replay-1', 'eve')).toEqual(stopped)
    const acts = (await scene.store.audit({ action: 'replay.stop' })).items
    const told = { matched: 3, completed: 1, dead: 1, released: 1 }
    const details = { subscription: 'ship', ...told, reason: 'wrong subscription', after: 'stopped' }
    expect(acts).toMatchObject([{ actor: 'bob', target: 'replay-1', details }])
    const [first] = live as [Lease]
    await scene.settle(first, await scene.passing(first, done))
  })

  it('acknowledges no pause while the holder of a stopped replay may run its handlers (I24)', async () => {
    const scene = await open()
    const { live, lease } = await replaying(scene)
    await scene.store.release(live)
    await scene.store.stopReplay('replay-1', 'bob')
    expect(await scene.store.pause('ship', 'ann')).toBe(1)
    await scene.store.release([{ ...lease, token: lease.token - 1 }])
    expect(await scene.store.pause('ship', 'ann')).toBe(1)
    await scene.store.release([lease])
    expect(await scene.store.pause('ship', 'ann')).toBe(0)
  })
}

async function redriven(scene: Scene, id: string): Promise<Lease> {
  await scene.store.createRedrive('r1', redriveRequest({ filter: { ids: [id] } }))
  return await scene.eventually('the replay once more', async () => {
    await scene.store.advanceRedrives()
    return (await scene.acquire('worker-b')).find(({ replay }) => replay !== '')
  })
}

function describeLetters(open: OpenScene): void {
  it('has deliveries and dead letters of its own, which outlive it (I16)', async () => {
    const scene = await open()
    const { events, live, lease } = await replaying(scene, 1, 1)
    const [event] = events as [StoredEvent]
    const dead = [{ event, attempt: 1, round: 0, failure: scene.failure(), halts: false }]
    const counts = { matched: 1, completed: 0, skipped: 0 }
    const [first] = live as [Lease]
    await scene.settle(first, await scene.passing(first, event, { dead, counts }))
    await scene.settle(lease, await finishing(scene, lease, { dead, counts }))
    await ended(scene)
    const letters = (await scene.store.deadLetters({ subscription: 'ship' })).items
    expect(new Set(letters.map(({ id }) => id)).size).toBe(2)
    const deliveries = await scene.store.deliveries(event)
    expect(deliveries.map(({ replay, state }) => [replay, state])).toEqual([
      [null, 'dead'],
      ['replay-1', 'dead'],
    ])
    expect(new Set(deliveries.map(({ id }) => id))).toEqual(new Set(letters.map(({ id }) => id)))
    const [mine = '', other = ''] = [deliveries[1]?.id, deliveries[0]?.id]
    await scene.store.release([lease])
    const again = await redriven(scene, mine)
    await succeeds(scene, again, await sent(scene, again, 1))
    expect((await scene.store.deadLetter(mine))?.state).toBe('redriven')
    expect((await scene.store.deadLetter(other))?.state).toBe('dead')
  })

  it('does not end over a letter that was redriven while its end was on its way (I12)', async () => {
    const scene = await open()
    const { events, lease } = await replaying(scene, 1, 1)
    const event = events[0] as StoredEvent
    const dead = [{ event, attempt: 1, round: 0, failure: scene.failure(), halts: false }]
    const counts = { matched: 1, completed: 0, skipped: 0 }
    const passed = await scene.passing(lease, event, { dead, counts, seq: endOfTick })
    const after = await scene.settle(lease, passed)
    const end = await finishing(scene, after)
    const [letter] = (await scene.store.deadLetters({})).items
    await scene.store.createRedrive('r1', redriveRequest({ filter: { ids: [letter?.id ?? ''] } }))
    await scene.eventually('the letter on its way', async () => {
      await scene.store.advanceRedrives()
      return (await scene.store.deadLetter(letter?.id ?? ''))?.state === 'redriving'
    })
    expect((await scene.store.settle('worker-a', [end])).settled.size).toBe(0)
    await scene.store.release([after])
    const again = (await scene.acquire('worker-b')).find(({ replay }) => replay !== '') as Lease
    await succeeds(scene, again, await sent(scene, again, 1))
    expect((await scene.store.deadLetter(letter?.id ?? ''))?.state).toBe('redriven')
  })

  it('runs a redriven letter of a stopped replay, and nothing else of its range', async () => {
    const scene = await open()
    const { events, lease } = await replaying(scene)
    const event = events[0] as StoredEvent
    const dead = [{ event, attempt: 1, round: 0, failure: scene.failure(), halts: false }]
    await scene.settle(
      lease,
      await scene.passing(lease, event, { dead, counts: { matched: 1, completed: 0, skipped: 0 } }),
    )
    await scene.store.stopReplay('replay-1', 'bob')
    await scene.store.release([lease])
    const [letter] = (await scene.store.deadLetters({})).items
    const again = await redriven(scene, letter?.id ?? '')
    expect(await range(scene, again)).toEqual([])
    await succeeds(scene, again, await sent(scene, again, 1))
    expect((await scene.store.deadLetter(letter?.id ?? ''))?.state).toBe('redriven')
    expect((await scene.store.replay('replay-1'))?.state).toBe('stopped')
  })
}

function describeBeyond(open: OpenScene): void {
  it('takes no cursor back when it is stopped, also one that has passed its end', async () => {
    const scene = await open()
    const { events, lease } = await replaying(scene)
    const event = events[0] as StoredEvent
    const dead = [{ event, attempt: 1, round: 0, failure: scene.failure(), halts: false }]
    const counts = { matched: 1, completed: 0, skipped: 0 }
    const after = await scene.settle(lease, await scene.passing(lease, event, { dead, counts }))
    await scene.published(1)
    const last = (await scene.store.ticksAfter(lease.untilTick ?? 0, 1_000)).at(-1)
    const beyond = { tick: last?.number ?? 0, seq: endOfTick, tickSnapshot: last?.snapshot ?? null }
    const passed = await scene.settle(after, scene.settlement(after, beyond))
    expect(passed.tick).toBeGreaterThan(lease.untilTick ?? 0)
    await scene.store.stopReplay('replay-1', 'bob')
    await scene.store.release([passed])
    const [letter] = (await scene.store.deadLetters({})).items
    expect(await redriven(scene, letter?.id ?? '')).toMatchObject({ tick: passed.tick, seq: endOfTick })
  })
}
