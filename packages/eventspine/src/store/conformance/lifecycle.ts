// Registration, start positions, and what housekeeping must leave alone, on any store.
import { describe, expect, it } from 'vitest'
import type { Lease } from '../../deliver/port.js'
import { endOfTick, type StoredEvent } from '../../event/stored.js'
import type { Retention, SubscriptionRecord } from '../store.js'
import { idsOf, letterId, longMs, type OpenScene, type Scene } from './scene.js'
import { opened } from './traces.js'

export function describeLifecycle(open: OpenScene): void {
  describe('lifecycle', () => {
    describeRegister(open)
    describeStart(open)
    describeMaintain(open)
    describeWake(open)
  })
}

/** What a new subscription receives: the log behind its cursor, without what its start time passes over. */
async function received(scene: Scene, lease: Lease): Promise<StoredEvent[]> {
  return (await scene.log(lease)).filter(({ recordedAtMs }) => recordedAtMs >= (lease.fromTimeMs ?? 0))
}

/** Publishes until the store's time has moved on. */
async function laterThan(scene: Scene, before: StoredEvent): Promise<void> {
  await scene.eventually('a later event', async () => {
    const [event] = (await scene.published(1)) as [StoredEvent]
    return event.recordedAtMs > before.recordedAtMs + 2
  })
}

function describeRegister(open: OpenScene): void {
  it('keeps the cursor and takes the new definition when it is registered again', async () => {
    const scene = await open()
    await scene.subscribe({ policies: { deadlineMs: 1 } })
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased('worker-a')
    const after = await scene.settle(lease, await scene.passing(lease, event))
    await scene.subscribe({
      policies: { deadlineMs: 2 },
      on: ['other.*'],
      priority: 'alarm',
      start: 'beginning',
    })
    expect(await scene.view()).toMatchObject({
      policies: { deadlineMs: 2 },
      on: ['other.*'],
      priority: 'alarm',
    })
    await scene.settle(after, scene.settlement(after))
    expect(await scene.acquire('worker-b')).toEqual([])
  })

  it('lets the next one prepare after a failure', async () => {
    const { store } = await open()
    const failing = store.alone('prepare', async () => Promise.reject(new Error('no such table')))
    await expect(failing).rejects.toThrow('no such table')
    let prepared = 0
    await store.alone('prepare', async () => void prepared++)
    expect(prepared).toBe(1)
  })

  it('may be done by any number of workers at once', async () => {
    const scene = await open()
    await Promise.all([1, 2, 3, 4].map(() => scene.subscribe({ shards: 3, start: 'now' })))
    expect(await scene.acquire('worker-a')).toHaveLength(3)
    await scene.store.register([])
  })

  it('refuses another number of shards, and changes nothing', async () => {
    const scene = await open()
    await scene.subscribe({ shards: 2 })
    const records = [{ name: 'new' }, { name: 'ship', shards: 3 }].map((parts): SubscriptionRecord => {
      return {
        app: 'shop',
        on: ['*'],
        priority: 'normal',
        shards: 1,
        start: 'now',
        selection: '',
        build: 0,
        policies: {},
        ...parts,
      }
    })
    await expect(scene.store.register(records)).rejects.toMatchObject({ code: 'SHARDS_CHANGED' })
    expect((await scene.store.subscriptions()).map(({ name, shards }) => [name, shards])).toEqual([
      ['ship', 2],
    ])
  })
}

function describeStart(open: OpenScene): void {
  it('from the beginning: all that is in the log (I13)', async () => {
    const scene = await open()
    const before = await scene.published(2)
    await scene.subscribe({ start: 'beginning' })
    const after = await scene.published(2)
    const lease = await scene.leased()
    expect(idsOf(await received(scene, lease))).toEqual(idsOf([...before, ...after]))
    expect(lease).toMatchObject({ untilTick: null, fromTimeMs: null, revision: 0 })
  })

  it('from now: nothing committed before, everything committed after (I13)', async () => {
    const scene = await open()
    await scene.published(2)
    // In the log, and in no tick yet.
    await scene.store.append(scene.events(2))
    const slow = await scene.transaction()
    const late = scene.event()
    await scene.store.appendWithin(slow.executor, [late])
    await scene.subscribe({ start: 'now' })
    const after = scene.events(2)
    await scene.store.append(after)
    await slow.commit()
    const lease = await scene.leased()
    expect(idsOf(await received(scene, lease)).sort()).toEqual(idsOf([...after, late]).sort())
  })

  it('from a time: what was recorded then or later, each shard the same (I13)', async () => {
    const scene = await open()
    const [before] = (await scene.published(1)) as [StoredEvent]
    await laterThan(scene, before)
    const start = new Date(Math.ceil(before.recordedAtMs) + 1)
    await scene.subscribe({ start, shards: 2 })
    const expected = (await scene.log()).filter(({ recordedAtMs }) => recordedAtMs >= start.getTime())
    expect(expected.length).toBeGreaterThan(0)
    for (const lease of await scene.acquire('worker-a')) {
      expect(lease.fromTimeMs).toBe(start.getTime())
      expect(idsOf(await received(scene, lease))).toEqual(idsOf(expected))
    }
  })

  it('from a time to come: nothing until then', async () => {
    const scene = await open()
    const [event] = (await scene.published(1)) as [StoredEvent]
    await scene.subscribe({ start: new Date(Math.ceil(event.recordedAtMs) + longMs) })
    await scene.published(1)
    expect(await received(scene, await scene.leased())).toEqual([])
  })
}

const nothingKept: Retention = {
  eventsMs: 0,
  runsMs: 0,
  resolvedDeadLettersMs: 0,
  endedWorkflowsMs: 30 * 86_400_000,
}

function describeMaintain(open: OpenScene): void {
  it('removes no event behind which a cursor stands, and no letter that nobody resolved (I27, I28)', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'slow' })
    await scene.subscribe({ name: 'ship' })
    const { lease, events, ids } = await scene.died(await scene.leased('worker-a', 'ship'), 2)
    const more = await scene.published(3)
    const row = opened(more[0] as StoredEvent, { dueInMs: 0 })
    const end = await scene.passing(lease, more[2] as StoredEvent, { seq: endOfTick, opened: [row] })
    const after = await scene.settle(lease, end)
    await laterThan(scene, more[2] as StoredEvent)
    const all = await scene.log()
    await scene.store.maintain(nothingKept)
    expect(await received(scene, await scene.leased('worker-a', 'slow'))).toEqual(all)
    const [claimed] = await scene.store.claimDue([after], 10)
    expect(claimed?.event).toEqual(more[0])
    expect(await scene.store.deadLetter(ids[0] ?? '')).toMatchObject({
      state: 'dead',
      event: { id: events[0]?.id },
    })
    expect(await scene.store.deadLetter(letterId('ship', more[0] as StoredEvent))).toBeNull()
  })

  it('removes no event of a delivery that is open, though every cursor has passed it (I27)', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const rows = [opened(event, { dueInMs: longMs })]
    const after = await scene.settle(
      lease,
      await scene.passing(lease, event, { seq: endOfTick, opened: rows }),
    )
    await laterThan(scene, event)
    const last = (await scene.log()).at(-1) as StoredEvent
    await scene.settle(after, await scene.passing(after, last, { seq: endOfTick }))
    await scene.store.maintain(nothingKept)
    expect((await scene.store.event(event.id))?.seq).toBe(event.seq)
    expect(await scene.store.deliveries(event)).toMatchObject([{ state: 'retry' }])
  })

  it('may run at any time, anywhere at once', async () => {
    const scene = await open()
    const event = scene.event({ id: 'given', fingerprint: 'body' })
    await scene.store.append([event])
    await Promise.all([1, 2, 3].map(() => scene.store.maintain(nothingKept)))
    expect(await scene.store.append([event])).toEqual(['duplicate'])
    await scene.published(2)
  })

  it('finds nothing to migrate in a store that is open', async () => {
    const scene = await open()
    expect(await scene.store.migrate()).toEqual([])
  })
}

function describeWake(open: OpenScene): void {
  it('passes a hint on, until nobody listens', async () => {
    const scene = await open()
    const heard: string[] = []
    const stop = await scene.store.listen((by) => void heard.push(by))
    const told = async () => {
      scene.store.notify('somebody')
      return heard.includes('somebody')
    }
    // A pooler passes none on.
    if (stop !== undefined) await scene.eventually('a hint', told)
    await stop?.()
    const before = heard.length
    scene.store.notify('somebody')
    await scene.store.ping()
    expect(heard).toHaveLength(before)
  })
}
