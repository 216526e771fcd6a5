// What people are shown, on any store: pages that stay right, and states that tell the truth.
import { describe, expect, it } from 'vitest'
import { endOfTick, type StoredEvent } from '../../event/stored.js'
import type { Page } from '../../inspect/port.js'
import { idsOf, letterId, type OpenScene, placeOf, type Scene, shortMs } from './scene.js'
import { opened } from './traces.js'

export function describeInspect(open: OpenScene): void {
  describe('inspect', () => {
    describeEvents(open)
    describeTail(open)
    describePaging(open)
    describeDeliveries(open)
    describeDeadLetters(open)
    describeLetterQueries(open)
    describeSubscriptions(open)
  })
}

/** Follows cursors to the end; `between` happens after each page. */
async function pages<Item>(
  read: (cursor: string | undefined) => Promise<Page<Item>>,
  between: () => Promise<unknown> = async () => {},
): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    items.push(...page.items)
    cursor = page.cursor ?? undefined
    await between()
  } while (cursor !== undefined && items.length < 1_000)
  return items
}

const from = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor })

function describeEvents(open: OpenScene): void {
  it('finds events newest first, by what is asked', async () => {
    const scene = await open()
    const [plain] = await scene.published(1)
    const [keyed] = await scene.published(1, { key: 'k', type: 'orders.paid', correlationId: 'chain' })
    const [other] = await scene.published(1, { tenant: 'acme', correlationId: 'chain' })
    const found = async (query: object) => idsOf((await scene.store.events(query)).items)
    expect(await found({})).toEqual([other?.id, keyed?.id, plain?.id])
    expect(await found({ order: 'newest', tenant: 'default' })).toEqual([keyed?.id, plain?.id])
    expect(await found({ type: 'orders.paid' })).toEqual([keyed?.id])
    expect(await found({ type: 'orders.*' })).toHaveLength(3)
    expect(await found({ key: 'k' })).toEqual([keyed?.id])
    expect(await found({ correlationId: 'chain' })).toEqual([other?.id, keyed?.id])
    expect(await found({ key: 'k', tenant: 'acme' })).toEqual([])
    expect(await found({ after: new Date(0), before: new Date(1) })).toEqual([])
    expect(await found({ after: new Date(0) })).toHaveLength(3)
    expect(idsOf(await scene.store.correlated('chain'))).toEqual([keyed?.id, other?.id])
    expect(await scene.store.correlated('unknown')).toEqual([])
  })

  it('finds the first of each correlation and tenant, of some types or of any', async () => {
    const scene = await open()
    const [begins] = await scene.published(1, { id: 'begins', correlationId: 'begins' })
    const chain = { correlationId: 'chain' }
    const [asked] = await scene.published(1, { ...chain, type: 'orders.asked' })
    const [paid] = await scene.published(1, { ...chain, type: 'orders.paid' })
    await scene.published(1, { ...chain, type: 'orders.paid' })
    await scene.published(1, { ...chain, type: 'orders.refused' })
    const [foreign] = await scene.published(1, { ...chain, type: 'orders.refused', tenant: 'acme' })
    const found = async (...question: Parameters<typeof scene.store.firsts>) =>
      idsOf(await scene.store.firsts(...question)).sort()
    const ids = (...events: ({ readonly id: string } | undefined)[]) => events.map((each) => each?.id).sort()
    expect(await found(['chain', 'begins'])).toEqual(ids(asked, foreign, begins))
    expect(await found(['chain'], ['orders.refused', 'orders.paid'])).toEqual(ids(paid, foreign))
    expect(await found(['chain'], ['orders.unknown'])).toEqual([])
    expect(await found(['unknown'])).toEqual([])
    expect(await found([])).toEqual([])
  })

  it('shows one event by its id, within its tenant (I58)', async () => {
    const scene = await open()
    const [event] = (await scene.published(1, { tenant: 'acme' })) as [StoredEvent]
    expect(await scene.store.event(event.id)).toEqual({ ...event, tick: expect.any(Number) })
    expect((await scene.store.event(event.id, 'acme'))?.seq).toBe(event.seq)
    expect(await scene.store.event(event.id, 'other')).toBeNull()
    expect(await scene.store.event('unknown')).toBeNull()
    await scene.published(1, { id: event.id, tenant: 'Zeta' })
    expect(await scene.store.tenantsOf(event.id)).toEqual(['Zeta', 'acme'])
    expect(await scene.store.tenantsOf('unknown')).toEqual([])
  })
}

function describeTail(open: OpenScene): void {
  it('follows the log oldest first, and misses nothing that commits late (I8)', async () => {
    const scene = await open()
    const slow = await scene.transaction()
    const late = scene.event()
    await scene.store.appendWithin(slow.executor, [late])
    const prompt = await scene.published(3)
    const first = await scene.store.events({ order: 'oldest', limit: 2 })
    const second = await scene.store.events({ order: 'oldest', limit: 2, ...from(first.cursor ?? undefined) })
    expect(idsOf([...first.items, ...second.items])).toEqual(idsOf(prompt))
    await slow.commit()
    const [last] = await scene.published(1)
    const third = await scene.store.events({ order: 'oldest', ...from(second.cursor ?? undefined) })
    expect(idsOf(third.items).sort()).toEqual([late.id, last?.id].sort())
    const none = await scene.store.events({ order: 'oldest', ...from(third.cursor ?? undefined) })
    expect(none.items).toEqual([])
    const next = await scene.published(1)
    const fifth = await scene.store.events({ order: 'oldest', ...from(none.cursor ?? undefined) })
    expect(idsOf(fifth.items)).toEqual(idsOf(next))
  })

  it('counts what a reader has not seen, what commits late too, and passes it over (I8)', async () => {
    const scene = await open()
    const slow = await scene.transaction()
    await scene.store.appendWithin(slow.executor, [scene.event({ type: 'bills.sent' })])
    await scene.published(5)
    await scene.published(4, { type: 'bills.sent' })
    const begun = await scene.store.events({ order: 'oldest', limit: 2 })
    const place = from(begun.cursor ?? undefined)
    expect(await scene.store.remaining(place)).toMatchObject({ events: 7, exact: true })
    await slow.commit()
    await scene.lastTick()
    const { cursor, ...all } = await scene.store.remaining(place)
    expect(all).toEqual({ events: 8, exact: true })
    expect(await scene.store.remaining({ ...place, type: 'bills.*' })).toEqual({
      events: 5,
      exact: true,
      cursor,
    })
    expect(await scene.store.remaining({ ...place, tenant: 'nobody' })).toMatchObject({ events: 0 })

    expect(await scene.store.remaining({ cursor })).toEqual({ events: 0, exact: true, cursor })
    const next = await scene.published(1)
    expect(await scene.store.remaining({ cursor })).toMatchObject({ events: 1 })
    expect(idsOf((await scene.store.events({ order: 'oldest', cursor })).items)).toEqual(idsOf(next))
    await expect(scene.store.remaining({ cursor: 'none' })).rejects.toThrow('cursor')
  })
}

function describePaging(open: OpenScene): void {
  it('pages through events while others arrive', async () => {
    const scene = await open()
    const events = await scene.published(7)
    const found = await pages(
      (cursor) => scene.store.events({ limit: 3, ...from(cursor) }),
      () => scene.store.append(scene.events(2)),
    )
    expect(idsOf(found)).toEqual(idsOf(events).reverse())
    const exact = await scene.store.events({ limit: 500 })
    expect(exact.cursor).toBeNull()
  })

  it('pages through dead letters while others die', async () => {
    const scene = await open()
    await scene.subscribe()
    let { lease, ids } = await scene.died(await scene.leased(), 5)
    const found = await pages(
      (cursor) => scene.store.deadLetters({ limit: 2, ...from(cursor) }),
      async () => {
        lease = (await scene.died(lease, 1)).lease
      },
    )
    expect(found.map(({ id }) => id).sort()).toEqual([...ids].sort())
    expect((await scene.store.deadLetters({})).items).toHaveLength(8)
  })

  it('pages through the audit', async () => {
    const scene = await open()
    const actors = ['a', 'b', 'c', 'd', 'e']
    for (const actor of actors)
      await scene.store.breakerSet({ name: 'bank', tenant: '', key: '' }, 'closed', 0, actor)
    const found = await pages((cursor) => scene.store.audit({ limit: 2, ...from(cursor) }))
    expect(found.map(({ actor }) => actor)).toEqual([...actors].reverse())
    expect(found[0]).toMatchObject({ action: expect.any(String), details: expect.any(Object) })
  })

  it.each([{ limit: 0 }, { limit: 501 }, { limit: 1.5 }, { cursor: 'nonsense' }, { cursor: '' }])(
    'refuses %j',
    async (query) => {
      const scene = await open()
      for (const refused of [
        scene.store.events(query),
        scene.store.deadLetters(query),
        scene.store.audit(query),
      ]) {
        await expect(refused).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
      }
    },
  )
}

function describeDeliveries(open: OpenScene): void {
  it('tells what became of an event, with every attempt', async () => {
    const scene = await open()
    await scene.subscribe({ policies: { filter: null } })
    await scene.subscribe({ name: 'bill', on: ['invoices.*'] })
    const [event] = (await scene.published(1)) as [StoredEvent]
    const states = async () => (await scene.store.deliveries(event)).map(({ id, state }) => [id, state])
    expect(await states()).toEqual([[letterId('ship', event), 'pending']])
    const lease = await scene.leased()
    const failure = scene.failure({ category: 'transient', message: 'away' })
    const attempt = { ...placeOf(event), round: 0, startedAtMs: Date.UTC(2026, 0, 2), durationMs: 12.5 }
    const row = {
      opened: [opened(event, { failure, dueInMs: 0 })],
      runs: [{ ...attempt, attempt: 1, outcome: 'retry' as const, failure }],
    }
    const after = await scene.settle(lease, await scene.passing(lease, event, row))
    expect(await states()).toEqual([[letterId('ship', event), 'retry']])
    await scene.eventually('a due row', async () => (await scene.store.claimDue([after], 1)).length === 1)
    const end = {
      closed: [placeOf(event)],
      runs: [
        {
          ...attempt,
          attempt: 2,
          startedAtMs: attempt.startedAtMs + 50,
          outcome: 'done' as const,
          failure: null,
        },
      ],
    }
    await scene.settle(after, scene.settlement(after, end), 'worker-b')
    const [delivery, ...others] = await scene.store.deliveries(event)
    expect(others).toEqual([])
    expect(delivery).toMatchObject({
      subscription: 'ship',
      replay: null,
      state: 'completed',
      attempt: 2,
      dueAtMs: null,
    })
    const { startedAtMs } = attempt
    expect(delivery?.runs).toEqual([
      { round: 0, attempt: 1, startedAtMs, durationMs: 12.5, outcome: 'retry', failure, worker: 'worker-a' },
      {
        round: 0,
        attempt: 2,
        startedAtMs: startedAtMs + 50,
        durationMs: 12.5,
        outcome: 'done',
        failure: null,
        worker: 'worker-b',
      },
    ])
  })
}

function describeDeadLetters(open: OpenScene): void {
  it('keeps a letter whole: event, failure, attempts (I28)', async () => {
    const scene = await open()
    await scene.subscribe()
    const data = '{"order":{"lines":[1,2]},"note":"ü"}'
    const failure = {
      category: 'validation',
      name: 'ValidationError',
      code: 'E_QUANTITY',
      stack: 'at line 1',
    } as const
    const { events, ids } = await scene.died(await scene.leased(), 1, failure, {
      data,
      key: 'k',
      tenant: 'acme',
      subject: 's',
    })
    const [event] = events as [StoredEvent]
    const letter = await scene.store.deadLetter(ids[0] ?? '')
    expect(letter).toMatchObject({
      subscription: 'ship',
      tenant: 'acme',
      state: 'dead',
      attempts: 1,
      round: 0,
      halts: false,
    })
    expect(letter).toMatchObject({ redrive: null, resolvedAtMs: null, resolvedBy: null, reason: null })
    expect(letter?.failure).toEqual(scene.failure(failure))
    const { id, type, version, source, subject, key, correlationId } = event
    const copy = { id, type, version, source, subject, key, correlationId, claim: null }
    expect(letter?.event).toEqual({
      ...copy,
      data: JSON.parse(data),
      time: new Date(event.timeMs).toISOString(),
    })
    expect((await scene.store.deadLetters({})).items).toEqual([letter])
    expect(await scene.store.deadLetter('ship/1.999999')).toBeNull()
  })
}

function describeLetterQueries(open: OpenScene): void {
  it('finds and groups letters by what is asked', async () => {
    const scene = await open()
    await scene.subscribe()
    const first = await scene.died(await scene.leased(), 2)
    const slow = { category: 'timeout', fingerprint: 'slow', message: 'The bank was too slow' } as const
    const paid = { tenant: 'acme', type: 'orders.paid', key: 'account-1' }
    const second = await scene.died(first.lease, 3, slow, paid)
    const found = async (filter: object) =>
      (await scene.store.deadLetters(filter)).items.map(({ id }) => id).sort()
    const slowIds = [...second.ids].sort()
    for (const filter of [
      { category: 'timeout' },
      { tenant: 'acme' },
      { fingerprint: 'slow' },
      { eventType: 'orders.paid' },
      { key: 'account-1' },
      { error: 'bank was' },
      { ids: second.ids },
    ]) {
      expect(await found(filter)).toEqual(slowIds)
    }
    expect(await found({ subscription: 'bill' })).toEqual([])
    expect(await found({ key: 'account-2' })).toEqual([])
    expect(await found({ state: 'discarded' })).toEqual([])
    expect(await found({ diedBefore: new Date(1) })).toEqual([])
    expect(await found({ diedAfter: new Date(1), state: 'dead' })).toHaveLength(5)
    const groups = await scene.store.deadLetterGroups({})
    expect(groups.map(({ fingerprint, count, message }) => [fingerprint, count, message])).toEqual([
      ['slow', 3, 'The bank was too slow'],
      ['no-such-customer', 2, 'no such customer'],
    ])
    // Time that is real has all of them in this hour.
    for (const { hourly, count } of groups) {
      expect(hourly).toHaveLength(24)
      expect(hourly.reduce((sum, each) => sum + each, 0)).toBe(count)
      expect(hourly.at(-1)).toBe(count)
    }
    await scene.store.discard({ fingerprint: 'slow' }, 'bob', 'gone')
    expect((await scene.store.deadLetterGroups({})).map(({ count }) => count)).toEqual([2])
  })
}

function describeSubscriptions(open: OpenScene): void {
  it('shows definition, holder and lag (I73)', async () => {
    const scene = await open()
    await scene.subscribe({ policies: { deadlineMs: 500 }, priority: 'alarm', on: ['a.*', 'b'] })
    expect(await scene.view()).toMatchObject({
      state: 'active',
      priority: 'alarm',
      on: ['a.*', 'b'],
      shards: 1,
      owners: [],
    })
    expect((await scene.view()).policies).toEqual({ deadlineMs: 500 })
    expect(await scene.view()).toMatchObject({ lagEvents: 0, lagSeconds: 0 })
    const events = await scene.published(4, { type: 'b' })
    const lease = await scene.leased('worker-a')
    expect((await scene.view()).lagEvents).toBeGreaterThan(0)
    expect((await scene.view()).owners).toEqual(['worker-a'])
    await scene.eventually('some lag', async () => (await scene.view()).lagSeconds > 0)
    await scene.settle(lease, await passingAll(scene, lease, events))
    expect(await scene.view()).toMatchObject({ lagEvents: 0, lagSeconds: 0 })
    await scene.store.renew({ worker: 'worker-a', leases: [{ ...lease, leaseMs: shortMs }] })
    await scene.eventually('no holder', async () => (await scene.view()).owners.length === 0)
  })

  it('names the app that registered it last, and counts halted keys', async () => {
    const scene = await open()
    await scene.subscribe({ app: 'bank' })
    const halting = await scene.died(await scene.leased(), 2, {}, { key: 'k' }, true)
    await scene.died(halting.lease, 1, {}, { key: 'free' })
    await scene.subscribe({ name: 'bill' })
    expect(await scene.view()).toMatchObject({ app: 'bank', dead: 3, haltedKeys: 1 })
    const alone = async (name: string) =>
      (await scene.store.subscriptions(name)).map((view) => [view.name, view.dead, view.haltedKeys])
    expect(await alone('ship')).toEqual([['ship', 3, 1]])
    expect(await alone('bill')).toEqual([['bill', 0, 0]])
    expect(await alone('shi')).toEqual([])
    await scene.store.discard({ ids: halting.ids }, 'bob', 'gone')
    await scene.subscribe({ app: 'shop' })
    expect(await scene.view()).toMatchObject({ app: 'shop', dead: 1, haltedKeys: 0 })
  })

  it('answers about the database', async () => {
    const scene = await open()
    await scene.store.ping()
    const health = await scene.store.health()
    expect(health).toMatchObject({ rowsInDefaultPartition: 0 })
    expect(health.epoch).toBeGreaterThan(0)
    expect(health.partitionsAhead).toBeGreaterThan(0)
  })
}

async function passingAll(
  scene: Scene,
  lease: Parameters<Scene['passing']>[0],
  events: readonly StoredEvent[],
) {
  return await scene.passing(lease, events.at(-1) as StoredEvent, { seq: endOfTick })
}
