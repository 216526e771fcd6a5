import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RedrivePort } from '../../redrive/port.js'
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
  workOff,
} from './inspect.fixture.js'

let store: TestStore
let name = ''
let count = 0

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())
beforeEach(async () => {
  name = `subscription-${++count}`
  await store.register([record(name)])
})

type Request = Parameters<RedrivePort['createRedrive']>[1]

const request = (given: Partial<Request> = {}): Request => ({
  filter: { subscription: name },
  rate: 1_000,
  canary: 0,
  stopAtErrorRate: 0.5,
  roundsMax: 3,
  actor: 'anna',
  editedData: null,
  ...given,
})

const create = (given: Partial<Request> = {}) => store.createRedrive(`redrive-${++count}`, request(given))
const letters = (size: number, given: Parameters<typeof deadLettersOf>[3] = {}) =>
  deadLettersOf(
    store,
    name,
    Array.from({ length: size }, () => newEvent()),
    given,
  )
/** Lets seconds go by for the rate. */
const wait = (id: string, seconds: number) =>
  store.sql(`UPDATE eventspine.redrive SET sent_at = sent_at - $2 * interval '1 second' WHERE id = $1`, [
    id,
    seconds,
  ])
const states = async () => {
  const rows = await store.sql<{ state: string; count: number }>(
    `SELECT state, count(*) AS count FROM eventspine.dead_letter WHERE subscription = $1 GROUP BY state`,
    [name],
  )
  return Object.fromEntries(rows.map((row) => [row.state, row.count]))
}
async function advance(id: string, times = 1) {
  for (let time = 0; time < times; time++) {
    await wait(id, 10)
    await store.advanceRedrives()
  }
  return store.redrive(id)
}

describe('selection', () => {
  test('writes redrive, items and audit together; a letter is in one redrive at a time', async () => {
    await letters(3)
    const filter = { subscription: name, diedBefore: new Date('2100-01-01T00:00:00Z') }
    const created = await create({ filter, reason: 'fixed the customer', canary: 1 })
    expect(created).toMatchObject({
      state: 'canary',
      filter,
      rate: 1_000,
      canary: 1,
      stopAtErrorRate: 0.5,
      selected: 3,
      sent: 0,
      succeeded: 0,
      failed: 0,
      actor: 'anna',
      reason: 'fixed the customer',
      note: null,
      endedAtMs: null,
    })
    const [audit] = (await store.audit({ limit: 1 })).items
    expect(audit).toMatchObject({
      actor: 'anna',
      action: 'redrive.create',
      target: created.id,
      details: { selected: 3, reason: 'fixed the customer', edited: false },
    })
    expect(await store.previewRedrive({ subscription: name }, 3)).toMatchObject({
      selected: 0,
      guarded: 0,
      groups: [],
    })
    expect(await create()).toMatchObject({
      state: 'completed',
      selected: 0,
      note: expect.stringContaining('Nothing to send'),
      endedAtMs: expect.any(Number),
    })
  })

  test('of many at once, each letter is taken by one', async () => {
    await letters(30)
    const all = await Promise.all(Array.from({ length: 5 }, () => create()))
    expect(all.map((redrive) => redrive.selected).sort((a, b) => b - a)).toEqual([30, 0, 0, 0, 0])
  })

  test('a double click is one redrive', async () => {
    await letters(2)
    const idempotencyKey = `click-${name}`
    const [first, second] = await Promise.all([create({ idempotencyKey }), create({ idempotencyKey })])
    expect(second?.id).toBe(first?.id)
    expect(first?.selected).toBe(2)
    const audit = (await store.audit({})).items.filter((row) => row.target === first?.id)
    expect(audit).toHaveLength(1)
  })

  test('leaves alone what was redriven too often, and says so in the preview', async () => {
    await letters(2, { round: 3 })
    await letters(1, { round: 2 })
    expect(await store.previewRedrive({ subscription: name }, 3)).toMatchObject({
      selected: 1,
      guarded: 2,
      groups: [{ count: 1, message: failure.message }],
    })
    expect(await create()).toMatchObject({ selected: 1 })
  })
})

describe('sending', () => {
  test('opens a delivery with its own copy, a new round and fresh attempts', async () => {
    const [event] = await letters(1)
    const { id } = await create()
    await advance(id)
    expect(await store.redrive(id)).toMatchObject({ state: 'running', sent: 1, succeeded: 0 })
    expect(await states()).toEqual({ redriving: 1 })
    const lease = await leaseOf(store, name)
    const [due] = await store.claimDue([lease], 10)
    expect(due).toMatchObject({
      attempt: 1,
      round: 1,
      redrive: id,
      event: { id: event?.id, seq: event?.seq, tick: event?.tick, data: event?.data },
    })
    await store.release([lease])
  })

  test('ends when all ended well', async () => {
    await letters(3)
    const { id } = await create()
    await advance(id)
    expect(await workOff(store, name, 'done')).toBe(3)
    await advance(id)
    expect(await store.redrive(id)).toMatchObject({
      state: 'completed',
      sent: 3,
      succeeded: 3,
      failed: 0,
      note: null,
      endedAtMs: expect.any(Number),
    })
    expect(await states()).toEqual({ redriven: 3 })
  })

  test('what fails again is a dead letter of the next round', async () => {
    const [event] = await letters(1)
    const { id } = await create()
    await advance(id)
    await workOff(store, name, 'dead')
    await advance(id)
    expect(await store.redrive(id)).toMatchObject({
      state: 'completed',
      succeeded: 0,
      failed: 1,
      note: expect.stringContaining('1 of 1'),
    })
    const letter = await store.deadLetter(`${name}/1.${event?.seq}`)
    expect(letter).toMatchObject({ state: 'dead', round: 1, attempts: 4, redrive: id })
    expect(await create()).toMatchObject({ selected: 1 })
  })

  test('edited data replaces the data of the copy, and no other', async () => {
    const [event] = await letters(1)
    const { id } = await create({ editedData: '{"quantity":2,"text":"\\u0000\\ud83d\\ude00"}' })
    await advance(id)
    const lease = await leaseOf(store, name)
    const [due] = await store.claimDue([lease], 10)
    expect(due?.event).toEqual({
      ...event,
      data: '{"quantity":2,"text":"\\u0000\\ud83d\\ude00"}',
      claim: null,
    })
    await store.release([lease])
    expect((await store.event(event?.id as string))?.data).toBe('{"quantity":1}')
    expect((await store.audit({ limit: 10 })).items.find((row) => row.target === id)?.details).toMatchObject({
      edited: true,
    })
  })

  test('a letter discarded before it was sent is let go', async () => {
    await letters(3)
    const { id } = await create()
    await store.discard({ subscription: name }, 'ben', 'too late')
    await advance(id)
    await advance(id)
    expect(await store.redrive(id)).toMatchObject({ state: 'completed', sent: 0 })
    expect(await states()).toEqual({ discarded: 3 })
  })

  test('goes at its rate', async () => {
    await letters(5)
    // One every 100 s, the first at once.
    const { id } = await create({ rate: 0.01 })
    await store.advanceRedrives()
    await store.advanceRedrives()
    expect(await store.redrive(id)).toMatchObject({ sent: 1 })
    await wait(id, 100)
    await store.advanceRedrives()
    expect(await store.redrive(id)).toMatchObject({ sent: 2 })
    // Nobody sent for an hour: that is not caught up.
    await wait(id, 3_600)
    await store.advanceRedrives()
    await store.advanceRedrives()
    expect(await store.redrive(id)).toMatchObject({ sent: 3 })
  })

  test('many workers at once keep the rate, and send nothing twice', async () => {
    await letters(10)
    const { id } = await create({ rate: 0.01 })
    await Promise.all(Array.from({ length: 6 }, () => store.advanceRedrives()))
    expect(await store.redrive(id)).toMatchObject({ sent: 1 })
    const rows = await store.sql(`SELECT 1 FROM eventspine.delivery WHERE redrive = $1`, [id])
    expect(rows).toHaveLength(1)
  })
})

describe('canary', () => {
  test('goes first; the rest follows when it ended well', async () => {
    await letters(6)
    const { id } = await create({ canary: 2 })
    expect(await advance(id, 3)).toMatchObject({ state: 'canary', sent: 2 })
    expect(await workOff(store, name, 'done', 1)).toBe(1)
    expect(await advance(id)).toMatchObject({ state: 'canary', sent: 2 })
    await workOff(store, name, 'done')
    expect(await advance(id)).toMatchObject({ state: 'running', sent: 6 })
    await workOff(store, name, 'done')
    expect(await advance(id)).toMatchObject({ state: 'completed', succeeded: 6 })
  })

  test('that fails stops the redrive, and the rest stay dead letters', async () => {
    await letters(6)
    const { id } = await create({ canary: 2 })
    await advance(id)
    await workOff(store, name, 'dead')
    const stopped = await advance(id)
    expect(stopped).toMatchObject({ state: 'stopped', sent: 2, failed: 2, endedAtMs: expect.any(Number) })
    expect(stopped?.note).toContain('2 of 2 that ended failed again')
    expect(stopped?.note).toContain('4 were not sent')
    expect(await states()).toEqual({ dead: 6 })
    // Released: the next redrive can have them.
    expect(await create()).toMatchObject({ selected: 6 })
  })

  test('the error rate is judged after it too, once ten have ended', async () => {
    await letters(40)
    const { id } = await create({ canary: 1, rate: 10 })
    await advance(id)
    await workOff(store, name, 'done')
    expect(await advance(id)).toMatchObject({ state: 'running', sent: 21 })
    await workOff(store, name, 'dead')
    expect(await advance(id)).toMatchObject({ state: 'stopped', sent: 21, failed: 20, succeeded: 1 })
    expect(await states()).toEqual({ dead: 39, redriven: 1 })
  })
})

describe('stop', () => {
  test('releases what was not sent, ends what was, and is audited once', async () => {
    await letters(5)
    const { id } = await create({ canary: 2 })
    await advance(id)
    expect(await store.stopRedrive(id, 'ben', 'wrong filter')).toMatchObject({
      state: 'stopped',
      note: 'wrong filter',
      sent: 2,
    })
    await store.stopRedrive(id, 'ben', 'again')
    expect(await store.redrive(id)).toMatchObject({ note: 'wrong filter' })
    expect(await states()).toEqual({ dead: 3, redriving: 2 })
    await workOff(store, name, 'done')
    expect(await advance(id, 3)).toMatchObject({ state: 'stopped', sent: 2, succeeded: 2 })
    expect(await states()).toEqual({ dead: 3, redriven: 2 })
    const audit = (await store.audit({})).items.filter(
      (row) => row.target === id && row.action === 'redrive.stop',
    )
    expect(audit).toMatchObject([{ actor: 'ben', details: { reason: 'wrong filter' } }])
  })

  test('of none is NOT_FOUND', async () => {
    await expect(store.stopRedrive('none', 'ben', 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await store.redrive('none')).toBeNull()
  })
})

describe('ordered keys', () => {
  test('a halting letter is due at once, before those that wait for it', async () => {
    await store.register([record(name, { policies: { ordered: 'halt' } })])
    await deadLettersOf(store, name, [newEvent({ key: 'a' })], { halts: true })
    await store.append([newEvent({ id: `next-${name}`, key: 'a' })])
    const next = (await readAll(store)).find((event) => event.id === `next-${name}`) as never
    const lease = await leaseOf(store, name)
    const waiting = {
      event: next,
      state: 'waiting' as const,
      attempt: 0,
      round: 0,
      deaths: 0,
      dueInMs: 0,
      failure: null,
    }
    await store.settle('worker-1', [settlementTo(lease, lease.tick + 1, { opened: [waiting] })])
    await store.release([lease])
    const { id } = await create()
    await advance(id)
    const again = await leaseOf(store, name)
    expect(await store.claimDue([again], 10)).toMatchObject([{ redrive: id, event: { key: 'a' } }])
    await store.release([again])
  })

  test('of several letters of a key only the first is due, and none beside an active row', async () => {
    await store.register([record(name, { policies: { ordered: 'skip' } })])
    await deadLettersOf(store, name, [
      newEvent({ key: 'a' }),
      newEvent({ key: 'a' }),
      newEvent({ key: 'b' }),
      newEvent(),
    ])
    await store.append([newEvent({ id: `active-${name}`, key: 'b' })])
    const active = (await readAll(store)).find((event) => event.id === `active-${name}`) as never
    const lease = await leaseOf(store, name)
    const retry = {
      event: active,
      state: 'retry' as const,
      attempt: 1,
      round: 0,
      deaths: 0,
      dueInMs: 60_000,
      failure,
    }
    await store.settle('worker-1', [settlementTo(lease, lease.tick + 1, { opened: [retry] })])
    await store.release([lease])
    await advance((await create()).id)
    const rows = await store.sql<{ key: string; state: string }>(
      `SELECT key, state FROM eventspine.delivery WHERE subscription = $1 ORDER BY tick, seq`,
      [name],
    )
    expect(rows.map((row) => [row.key, row.state])).toEqual([
      ['a', 'retry'],
      ['a', 'waiting'],
      ['b', 'waiting'],
      [null, 'retry'],
      ['b', 'retry'],
    ])
  })
})

describe('the list', () => {
  test('is paged, newest first', async () => {
    const created = [await create(), await create(), await create()].map((redrive) => redrive.id)
    const first = await store.redrives({ limit: 2 })
    await create()
    const second = await store.redrives({ limit: 1, cursor: first.cursor as string })
    expect([...first.items, ...second.items].map((redrive) => redrive.id)).toEqual(created.reverse())
    await expect(store.redrives({ cursor: 'x' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  })
})
