// The suite on the memory store in virtual time, and what only memory can show: exact moments and exact repeats.
import { describe, expect, it } from 'vitest'
import { endOfTick, type StoredEvent } from '../../event/stored.js'
import { seededRandom } from '../../kernel/index.js'
import { VirtualClock } from '../../kernel/virtual-clock.js'
import { describeStore } from '../conformance/describe-store.js'
import { idsOf, longMs, Scene } from '../conformance/scene.js'
import { opened } from '../conformance/traces.js'
import { createMemoryClaims } from './claim.js'
import { createMemoryStore } from './memory-store.js'
import type { MemoryQuery } from './transaction.js'

const idempotencyWindowMs = 3_600_000

function made(seed = 1, query?: MemoryQuery) {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs, ...(query && { query }) })
  return {
    clock,
    store,
    transaction: async () => store.createMemoryTransaction(),
    advance: (ms: number) => clock.advance(ms),
    close: () => store.close(),
  }
}

describeStore('memory', async () => made())

describe('memory log', () => {
  it('writes snapshots as Postgres does: open transactions are listed, later ones are not', async () => {
    const { store } = made()
    const scene = new Scene(made())
    const [one, two] = [store.createMemoryTransaction(), store.createMemoryTransaction()]
    const first = await store.lastTick()
    expect([first.number, first.after, first.snapshot]).toEqual([0, '3:3:', '3:3:'])
    await store.appendWithin(one.executor, [scene.event()])
    await store.append([scene.event()])
    await store.appendWithin(two.executor, [scene.event()])
    const { ticks } = await store.tick(0, 10)
    expect(ticks.map(({ after, snapshot }) => [after, snapshot])).toEqual([['3:3:', '3:5:3']])
    two.commit()
    one.rollback()
    const [next] = (await store.tick(1, 10)).ticks
    expect(next?.snapshot).toBe('6:6:')
    expect((await store.read(next ? [next] : [], 0, 10)).map(({ xid, seq }) => [xid, seq])).toEqual([[5, 3]])
  })

  it('finds two transactions that wait for each other', async () => {
    const { store } = made()
    const scene = new Scene(made())
    const event = (id: string) => [scene.event({ id, fingerprint: 'body' })]
    const [one, two] = [store.createMemoryTransaction(), store.createMemoryTransaction()]
    await store.appendWithin(one.executor, event('a'))
    await store.appendWithin(two.executor, event('b'))
    const waiting = store.appendWithin(one.executor, event('b'))
    await expect(store.appendWithin(two.executor, event('a'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await waiting).toEqual(['stored'])
    one.commit()
    expect(() => one.commit()).toThrow('committed')
  })

  it('refuses what is no transaction of its own, and SQL that nobody answers', async () => {
    const { store } = made()
    const scene = new Scene(made())
    const refused = store.appendWithin(async () => [], [scene.event()])
    await expect(refused).rejects.toMatchObject({ code: 'TRANSACTION_UNSUPPORTED' })
    const transaction = await store.begin(longMs)
    await expect(transaction.query('SELECT 1')).rejects.toMatchObject({ code: 'TRANSACTION_UNSUPPORTED' })
    await transaction.rollback()
    const answering = made(1, async (text) => ({ rows: [{ text }], rowCount: 1 })).store
    const other = await answering.begin(longMs)
    expect(await other.query('SELECT 1', [])).toEqual({ rows: [{ text: 'SELECT 1' }], rowCount: 1 })
  })
})

describe('memory time', () => {
  it('frees an id when its window is over, to the millisecond', async () => {
    const { store, clock } = made()
    const scene = new Scene(made())
    const event = (fingerprint: string) => [scene.event({ id: 'given', fingerprint })]
    expect(await store.append(event('a'))).toEqual(['stored'])
    await clock.advance(idempotencyWindowMs)
    expect(await store.append(event('b'))).toEqual(['conflict'])
    await clock.advance(1)
    expect(await store.append(event('b'))).toEqual(['stored'])
  })

  it('claims a row at its due time and not a millisecond before', async () => {
    const all = made()
    const scene = new Scene(all)
    await scene.subscribe()
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const row = { opened: [opened(event, { dueInMs: 50 })] }
    const after = await scene.settle(lease, await scene.passing(lease, event, row))
    await all.advance(49)
    expect(await all.store.nextDueMs([after])).toBe(1)
    expect(await all.store.claimDue([after], 1)).toEqual([])
    await all.advance(1)
    expect(await all.store.claimDue([after], 1)).toHaveLength(1)
  })

  it('holds a lease until its time is up and not a millisecond longer', async () => {
    const all = made()
    const scene = new Scene(all)
    await scene.subscribe()
    await scene.leased('worker-a', 'ship', 50)
    await all.advance(49)
    expect([await scene.store.pause('ship', 'ann'), await scene.store.resume('ship', 'ann')]).toEqual([
      1,
      undefined,
    ])
    expect(await scene.acquire('worker-b')).toEqual([])
    await all.advance(1)
    expect(await scene.acquire('worker-b')).toHaveLength(1)
  })

  it('refuses a transaction that was open beyond its deadline', async () => {
    const all = made()
    const scene = new Scene(all)
    await scene.subscribe()
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const transaction = await all.store.begin(100)
    await all.advance(101)
    const settling = transaction.settle('worker-a', await scene.passing(lease, event))
    await expect(settling).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await scene.settle(lease, await scene.passing(lease, event))
  })
})

describe('memory housekeeping', () => {
  it('tells in which hours letters died', async () => {
    const all = made()
    const scene = new Scene(all)
    await scene.subscribe()
    let lease = await scene.leased()
    for (const minutes of [60 * 22, 59, 2]) {
      lease = (await scene.died(lease, 1)).lease
      await all.advance(minutes * 60_000)
    }
    const [group] = await scene.store.deadLetterGroups({})
    expect(group).toMatchObject({ count: 3, hourly: [1, ...Array(21).fill(0), 1, 1] })
  })

  it('removes what is old and over: events, runs, letters, ids', async () => {
    const all = made()
    const scene = new Scene(all)
    await scene.subscribe()
    const { lease, ids } = await scene.died(await scene.leased(), 2)
    await scene.store.discard({ ids: ids.slice(0, 1) }, 'bob', 'gone')
    const kept = await scene.published(1)
    await scene.settle(lease, await scene.passing(lease, kept[0] as StoredEvent, { seq: endOfTick }))
    await all.advance(10_000)
    await scene.store.maintain({
      eventsMs: 5_000,
      runsMs: 5_000,
      resolvedDeadLettersMs: 5_000,
      endedWorkflowsMs: 30 * 86_400_000,
    })
    expect(idsOf((await scene.store.events({})).items)).toEqual(idsOf(kept))
    expect((await scene.store.deadLetters({})).items.map(({ id, state }) => [id, state])).toEqual([
      [ids[1], 'dead'],
    ])
    expect((await scene.store.deadLetter(ids[1] ?? ''))?.event.data).toEqual({ number: 2 })
    await scene.subscribe({ name: 'later', start: 'beginning' })
    expect(idsOf(await scene.log(await scene.leased('worker-a', 'later')))).toEqual(idsOf(kept))
  })
})

describe('memory repeats', () => {
  const story = async (seed: number) => {
    const scene = new Scene(made(seed))
    await scene.subscribe({ shards: 12 })
    await scene.published(3)
    const leases = await scene.acquire('worker-a')
    return [leases, await scene.log(), await scene.store.subscriptions()]
  }

  it('does the same again with the same seed, and another order with another', async () => {
    expect(await story(7)).toEqual(await story(7))
    expect((await story(7))[0]).not.toEqual((await story(8))[0])
  })

  it('keeps bodies over the limit', async () => {
    const { clock } = made()
    const claims = createMemoryClaims(clock)
    const reference = await claims.put('acme', '{"big":1}')
    expect(await claims.put('acme', '{"big":1}')).toBe(reference)
    expect(await claims.put('other', '{"big":1}')).not.toBe(reference)
    expect(await claims.get(reference)).toBe('{"big":1}')
    expect([await claims.expire(clock.now()), await claims.expire(clock.now() + 1)]).toEqual([0, 2])
    await expect(claims.get(reference)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
