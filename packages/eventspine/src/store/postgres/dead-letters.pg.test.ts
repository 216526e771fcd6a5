import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deliveryId } from '../../event/stored.js'
import type { DeadLetterFilter } from '../../redrive/port.js'
import { parseDeliveryId } from './dead-letters.js'
import {
  deadLettersOf,
  failure,
  leaseOf,
  newEvent,
  openTestStore,
  readAll,
  record,
  settlementTo,
  type TestStore,
} from './inspect.fixture.js'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
  await store.register([record('invoices', { shards: 1 }), record('mails')])
  await deadLettersOf(store, 'invoices', [
    newEvent({ id: 'i1', tenant: 'a', type: 'orders.placed', data: '{"n":1}', key: 'k', subject: 's' }),
    newEvent({ id: 'i2', tenant: 'b', type: 'orders.placed' }),
  ])
  const timeout = {
    ...failure,
    category: 'timeout' as const,
    message: 'Took 100 % of 5_s',
    fingerprint: 'f2',
  }
  await deadLettersOf(store, 'invoices', [newEvent({ id: 'i3', tenant: 'a', type: 'orders.cancelled' })], {
    failure: timeout,
  })
  await deadLettersOf(store, 'mails', [newEvent({ id: 'm1', tenant: 'a', type: 'orders.placed' })])
})
afterAll(() => store.drop())

const found = async (filter: DeadLetterFilter) =>
  (await store.deadLetters(filter)).items.map((letter) => letter.event.id)

describe('ids', () => {
  test.each([
    ['invoices', '', 1, 5, 'invoices/1.5'],
    ['invoices', 'r-1', 2, 9_007_199_254_740_991, 'invoices/2.9007199254740991~r-1'],
  ])('name a delivery and its replay', (subscription, replay, epoch, seq, id) => {
    expect(deliveryId(subscription, replay, epoch, seq)).toBe(id)
    expect(parseDeliveryId(id)).toEqual({ subscription, replay, epoch, seq })
  })

  test.each([
    '',
    'invoices',
    'invoices/1',
    'invoices/1.x',
    '/1.1',
    'a/1.1~',
    'a/1.1/b',
    'a/1.1~b~c',
    'a/99999999999.1',
  ])('%s is none', async (id) => {
    expect(parseDeliveryId(id)).toBeUndefined()
    expect(await store.deadLetter(id)).toBeNull()
    await expect(store.deadLetters({ ids: ['a/1.1', id] })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: '/ids/1',
    })
  })
})

describe('the list', () => {
  test('shows the letter with its own copy of the event', async () => {
    const letter = (
      await store.deadLetters({ subscription: 'invoices', eventType: 'orders.placed', tenant: 'a' })
    ).items[0]
    expect(letter).toMatchObject({
      subscription: 'invoices',
      tenant: 'a',
      state: 'dead',
      event: {
        id: 'i1',
        type: 'orders.placed',
        version: 1,
        source: '/test',
        subject: 's',
        key: 'k',
        time: '2023-11-14T22:13:20.000Z',
        data: { n: 1 },
        claim: null,
        correlationId: 'i1',
      },
      attempts: 3,
      round: 0,
      failure,
      halts: false,
      redrive: null,
      resolvedAtMs: null,
      resolvedBy: null,
      reason: null,
    })
    expect(await store.deadLetter(letter?.id as string)).toEqual(letter)
    expect(await store.deadLetter('invoices/1.999999')).toBeNull()
  })

  test('is filtered by every field, alone and together', async () => {
    expect(await found({})).toEqual(['m1', 'i3', 'i2', 'i1'])
    expect(await found({ subscription: 'invoices' })).toEqual(['i3', 'i2', 'i1'])
    expect(await found({ category: 'timeout' })).toEqual(['i3'])
    expect(await found({ tenant: 'a' })).toEqual(['m1', 'i3', 'i1'])
    expect(await found({ fingerprint: 'f1' })).toEqual(['m1', 'i2', 'i1'])
    expect(await found({ eventType: 'orders.placed' })).toEqual(['m1', 'i2', 'i1'])
    expect(await found({ eventType: '*.can*' })).toEqual(['i3'])
    expect(await found({ error: 'customer 17' })).toEqual(['m1', 'i2', 'i1'])
    // Text, not a pattern.
    expect(await found({ error: '% of 5_' })).toEqual(['i3'])
    expect(await found({ error: 'took%s' })).toEqual([])
    expect(await found({ subscription: 'invoices', tenant: 'a', fingerprint: 'f1' })).toEqual(['i1'])
    const [last] = (await store.deadLetters({ limit: 1 })).items
    expect(await found({ diedAfter: new Date((last?.diedAtMs ?? 0) + 1_000) })).toEqual([])
    expect(await found({ diedBefore: new Date((last?.diedAtMs ?? 0) + 1_000) })).toHaveLength(4)
    const ids = (await store.deadLetters({ tenant: 'b' })).items.map((letter) => letter.id)
    expect(await found({ ids: [...ids, 'mails/1.1', 'unknown/1.1'] })).toEqual(['i2'])
    expect(await found({ ids: [] })).toEqual([])
    expect(await found({ subscription: "x' OR TRUE --" })).toEqual([])
  })

  test('refuses more ids than it takes, and texts that cannot be', async () => {
    await expect(
      store.deadLetters({ ids: Array.from({ length: 1_001 }, () => 'a/1.1') }),
    ).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await expect(store.deadLetters({ error: '\u0000' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await expect(store.discard({ tenant: '\u0000' }, 'anna', 'x')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })

  test('pages through letters that died in one settlement, each once, while others die', async () => {
    await store.register([record('paged')])
    const events = Array.from({ length: 20 }, () => newEvent())
    await deadLettersOf(store, 'paged', events)
    await store.sql(
      `UPDATE eventspine.dead_letter SET died_at = date_trunc('second', died_at) WHERE subscription = 'paged'`,
    )
    const seen: string[] = []
    let cursor: string | null | undefined
    for (let page = 0; page < 10 && cursor !== null; page++) {
      const answer = await store.deadLetters({ subscription: 'paged', limit: 6, ...(cursor && { cursor }) })
      seen.push(...answer.items.map((letter) => letter.event.id))
      cursor = answer.cursor
      if (page === 1) await deadLettersOf(store, 'paged', [newEvent({ id: 'newcomer' })])
    }
    expect(seen).toEqual(events.map((event) => event.id).reverse())
  })
})

describe('groups', () => {
  test('are the unresolved letters by fault, the largest first, with the newest message', async () => {
    const groups = await store.deadLetterGroups({ subscription: 'invoices' })
    expect(groups).toEqual([
      {
        subscription: 'invoices',
        category: 'permanent',
        fingerprint: 'f1',
        message: failure.message,
        count: 2,
        firstAtMs: expect.any(Number),
        lastAtMs: expect.any(Number),
        hourly: expect.any(Array),
      },
      {
        subscription: 'invoices',
        category: 'timeout',
        fingerprint: 'f2',
        message: 'Took 100 % of 5_s',
        count: 1,
        firstAtMs: expect.any(Number),
        lastAtMs: expect.any(Number),
        hourly: expect.any(Array),
      },
    ])
    expect((await store.deadLetterGroups({ tenant: 'b' })).map((group) => group.count)).toEqual([1])
  })

  test('tell how many died in each of the last 24 hours', async () => {
    await store.register([record('hourly')])
    const dead = await deadLettersOf(
      store,
      'hourly',
      [...Array(6).keys()].map(() => newEvent({ tenant: 'h' })),
    )
    const minutesAgo = [1, 59, 61, 23 * 60 + 59, 24 * 60 + 1, 48 * 60]
    for (const [at, { seq }] of dead.entries())
      await store.sql(
        `UPDATE eventspine.dead_letter SET died_at = clock_timestamp() - make_interval(mins => $1) WHERE seq = $2`,
        [minutesAgo[at], seq],
      )
    const [group, ...others] = await store.deadLetterGroups({ subscription: 'hourly' })
    expect(others).toEqual([])
    expect(group).toMatchObject({ count: 6, hourly: [1, ...Array(21).fill(0), 1, 2] })
    expect((group?.lastAtMs ?? 0) - (group?.firstAtMs ?? 0)).toBeGreaterThan(47 * 3_600_000)
    const { groups } = await store.previewRedrive({ subscription: 'hourly' }, 3)
    expect(groups).toEqual([group])
  })
})

describe('discard', () => {
  test('resolves what the filter meets, with actor, reason and one audit row', async () => {
    await store.register([record('dropped')])
    await deadLettersOf(store, 'dropped', [
      newEvent({ tenant: 'x' }),
      newEvent({ tenant: 'x' }),
      newEvent({ tenant: 'y' }),
    ])
    expect(await store.discard({ subscription: 'dropped', tenant: 'x' }, 'anna', 'test orders')).toBe(2)
    expect(await store.discard({ subscription: 'dropped', tenant: 'x' }, 'anna', 'test orders')).toBe(0)
    const discarded = (await store.deadLetters({ subscription: 'dropped', state: 'discarded' })).items
    expect(discarded).toMatchObject([
      { resolvedBy: 'anna', reason: 'test orders', resolvedAtMs: expect.any(Number) },
      { resolvedBy: 'anna' },
    ])
    expect((await store.deadLetters({ subscription: 'dropped', state: 'dead' })).items).toHaveLength(1)
    const audit = (await store.audit({})).items.filter(
      (row) => row.action === 'dead-letters.discard' && row.target === 'dropped',
    )
    expect(audit).toMatchObject([
      { actor: 'anna', details: { count: 2, reason: 'test orders', filter: { tenant: 'x' } } },
    ])
  })

  test('lets nothing go beside an active row of the key, wherever in the order that stands', async () => {
    await store.register([record('active', { policies: { ordered: 'halt' } })])
    await deadLettersOf(store, 'active', [newEvent({ key: 'd' })], { halts: true })
    await store.append([newEvent({ id: 'd2', key: 'd' }), newEvent({ id: 'd3', key: 'd' })])
    const rows = (await readAll(store)).filter((event) => event.id === 'd2' || event.id === 'd3')
    const opened = rows.map((event) => ({
      event,
      state: event.id === 'd2' ? ('waiting' as const) : ('retry' as const),
      attempt: 0,
      round: 0,
      deaths: 0,
      dueInMs: 60_000,
      failure: null,
    }))
    const lease = await leaseOf(store, 'active')
    await store.settle('worker-1', [settlementTo(lease, rows[0]?.tick ?? 0, { opened })])
    await store.discard({ subscription: 'active' }, 'anna', 'x')
    expect(await store.claimDue([lease], 10)).toEqual([])
    await store.release([lease])
  })

  test('of one of two halting letters of a key lets nothing go', async () => {
    await store.register([record('halted-twice', { policies: { ordered: 'halt' } })])
    const [first] = await deadLettersOf(
      store,
      'halted-twice',
      [newEvent({ key: 'c' }), newEvent({ key: 'c' })],
      {
        halts: true,
      },
    )
    await store.append([newEvent({ id: 'c3', key: 'c' })])
    const waiting = (await readAll(store)).filter((event) => event.id === 'c3')
    const opened = waiting.map((event) => ({
      event,
      state: 'waiting' as const,
      attempt: 0,
      round: 0,
      deaths: 0,
      dueInMs: 0,
      failure: null,
    }))
    const lease = await leaseOf(store, 'halted-twice')
    await store.settle('worker-1', [settlementTo(lease, waiting[0]?.tick ?? 0, { opened })])
    await store.discard({ ids: [`halted-twice/1.${first?.seq}`] }, 'anna', 'x')
    expect(await store.claimDue([lease], 10)).toEqual([])
    await store.discard({ subscription: 'halted-twice' }, 'anna', 'x')
    expect(await store.claimDue([lease], 10)).toMatchObject([{ event: { id: 'c3' } }])
    await store.release([lease])
  })

  test('of a halting letter lets its key go on, and no other key', async () => {
    await store.register([record('ordered', { policies: { ordered: 'halt' } })])
    const events = ['a', 'b'].flatMap((key) => [1, 2, 3].map((n) => newEvent({ id: `${key}${n}`, key })))
    await store.append(events)
    const stored = (await readAll(store)).filter((event) => /^[ab]\d$/.test(event.id))
    const lease = await leaseOf(store, 'ordered')
    const dead = stored
      .filter((event) => event.id.endsWith('1'))
      .map((event) => ({ event, attempt: 1, round: 0, failure, halts: true }))
    const opened = stored
      .filter((event) => !event.id.endsWith('1'))
      .map((event) => ({
        event,
        state: 'waiting' as const,
        attempt: 0,
        round: 0,
        deaths: 0,
        dueInMs: 0,
        failure: null,
      }))
    await store.settle('worker-1', [settlementTo(lease, stored.at(-1)?.tick ?? 0, { dead, opened })])
    const due = async () => (await store.claimDue([lease], 10)).map(({ event }) => event.id)
    expect(await due()).toEqual([])
    expect(await store.discard({ ids: [`ordered/1.${stored[0]?.seq}`] }, 'anna', 'x')).toBe(1)
    expect(await due()).toEqual(['a2'])
    await store.release([lease])
  })
})
