import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { endOfTick } from '../../event/stored.js'
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
  await store.register([record(name, { shards: 2 })])
  // The live consumers are somebody else's, so that what is free is the replay's.
  await store.sql(`UPDATE eventspine.consumer SET finished = true WHERE subscription = $1`, [name])
})

const create = (given: { readonly from?: Date } = {}) =>
  store.createReplay(`replay-${++count}`, {
    subscription: name,
    actor: 'anna',
    reason: 'new column',
    ...given,
  })
const consumersOf = (id: string) =>
  store.sql<Record<string, unknown>>('SELECT * FROM eventspine.consumer WHERE replay = $1 ORDER BY shard', [
    id,
  ])
const lastTick = async () =>
  (await store.sql<{ number: number }>('SELECT max(number) AS number FROM eventspine.tick'))[0]?.number ?? 0

test('begins with consumers of its own, up to a tick that holds all that was published before', async () => {
  await store.append([newEvent()])
  const before = await lastTick()
  const replay = await create()
  expect(replay).toMatchObject({
    subscription: name,
    state: 'running',
    fromMs: null,
    untilTick: before + 1,
    matched: 0,
    retrying: 0,
    dead: 0,
    progress: 0,
    actor: 'anna',
    endedAtMs: null,
  })
  expect(await consumersOf(replay.id)).toMatchObject(
    [0, 1].map((shard) => ({
      subscription: name,
      shard,
      tick: 0,
      seq: endOfTick,
      until_tick: before + 1,
      from_time: null,
      finished: false,
    })),
  )
  expect((await store.audit({ limit: 1 })).items).toMatchObject([
    {
      actor: 'anna',
      action: 'replay.create',
      target: replay.id,
      details: { subscription: name, from: 'beginning', reason: 'new column' },
    },
  ])
  const { untilTick } = await create()
  expect(untilTick).toBe(before + 1)
})

test('from a moment, begins behind the last tick made well before it', async () => {
  await store.append([newEvent()])
  await store.tick(0, 1_000)
  const old = await lastTick()
  await store.sql(`UPDATE eventspine.tick SET made_at = clock_timestamp() - interval '1 hour'`)
  await store.append([newEvent()])
  await store.tick(0, 1_000)
  const from = new Date(Date.now() - 60_000 * 30)
  const replay = await create({ from })
  expect(replay.fromMs).toBe(from.getTime())
  expect(await consumersOf(replay.id)).toMatchObject([0, 1].map(() => ({ tick: old, from_time: from })))
  expect(await consumersOf((await create({ from: new Date(0) })).id)).toMatchObject([
    { tick: 0 },
    { tick: 0 },
  ])
})

test('refuses an unknown subscription and a moment that is none, leaving nothing behind', async () => {
  await expect(store.createReplay('bad-1', { subscription: 'none', actor: 'anna' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  await expect(create({ from: new Date(Number.NaN) })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  expect(await store.replay('bad-1')).toBeNull()
})

test('progress is that of the slowest shard; it completes when all are at their end with nothing open', async () => {
  for (let batch = 0; batch < 4; batch++) {
    await store.append([newEvent()])
    await store.tick(0, 1_000)
  }
  const { id, untilTick } = await create()
  const place = (shard: number, tick: number, seq = endOfTick) =>
    store.sql(
      'UPDATE eventspine.consumer SET tick = $3, seq = $4, matched = 5, completed = 4 WHERE replay = $1 AND shard = $2',
      [id, shard, tick, seq],
    )
  await place(0, untilTick)
  expect((await store.replay(id))?.progress).toBe(0)
  const half = Math.floor(untilTick / 2)
  await place(1, half)
  expect(await store.replay(id)).toMatchObject({ progress: half / untilTick, matched: 10, completed: 8 })
  await place(1, untilTick, 1)
  expect((await store.replay(id))?.progress).toBeCloseTo((untilTick - 1) / untilTick)
  await store.advanceRedrives()
  expect((await store.replay(id))?.state).toBe('running')
  await store.sql('UPDATE eventspine.consumer SET finished = true, tick = until_tick WHERE replay = $1', [id])
  await store.advanceRedrives()
  expect(await store.replay(id)).toMatchObject({
    state: 'completed',
    progress: 1,
    endedAtMs: expect.any(Number),
  })
  expect(await store.stopReplay(id, 'ben')).toMatchObject({ state: 'completed' })
})

test('stop removes its open deliveries, fences its holders and keeps the sums', async () => {
  await store.register([record(`${name}-s`)])
  await store.sql(`UPDATE eventspine.consumer SET finished = true WHERE subscription = $1`, [`${name}-s`])
  await store.append([
    newEvent({ id: `${name}-a` }),
    newEvent({ id: `${name}-b` }),
    newEvent({ id: `${name}-c` }),
  ])
  const replay = await store.createReplay(`replay-${++count}`, { subscription: `${name}-s`, actor: 'anna' })
  const events = (await readAll(store)).filter((event) => event.id.startsWith(name))
  const lease = await leaseOf(store, `${name}-s`)
  expect(lease.replay).toBe(replay.id)
  const opened = events.slice(0, 2).map((event) => ({
    event,
    state: 'retry' as const,
    attempt: 1,
    round: 0,
    deaths: 0,
    dueInMs: 0,
    failure,
  }))
  const dead = events.slice(2).map((event) => ({ event, attempt: 1, round: 0, failure, halts: false }))
  const counts = { matched: 3, completed: 0, skipped: 0 }
  await store.settle('worker-1', [settlementTo(lease, replay.untilTick - 1, { counts, opened, dead })])
  const before = await store.replay(replay.id)
  expect(before).toMatchObject({ matched: 3, retrying: 2, dead: 1 })

  const stopped = await store.stopReplay(replay.id, 'ben')
  expect(stopped).toMatchObject({
    state: 'stopped',
    matched: 3,
    retrying: 0,
    dead: 1,
    progress: before?.progress,
    endedAtMs: expect.any(Number),
  })
  expect(await consumersOf(replay.id)).toMatchObject([
    { matched: 3, completed: 0, skipped: 2, finished: true, owner: 'worker-1' },
  ])
  expect((await store.audit({ limit: 1 })).items).toMatchObject([
    { actor: 'ben', action: 'replay.stop', details: { matched: 3, completed: 0, dead: 1, released: 2 } },
  ])
  // The holder wakes up: its settlement is refused.
  const late = settlementTo({ ...lease, revision: lease.revision + 1 }, replay.untilTick, {
    counts: { matched: 9, completed: 9, skipped: 0 },
  })
  expect((await store.settle('worker-1', [late])).settled.size).toBe(0)
  await store.release([lease])
  await store.stopReplay(replay.id, 'ben')
  expect(
    (await store.audit({})).items.filter((row) => row.target === replay.id && row.action === 'replay.stop'),
  ).toHaveLength(1)

  // Its dead letter can still be redriven, by a consumer opened again at the end of the range.
  const { id } = await store.createRedrive(`redrive-${++count}`, {
    filter: { subscription: `${name}-s` },
    rate: 1_000,
    canary: 0,
    stopAtErrorRate: 0.5,
    roundsMax: 3,
    actor: 'anna',
    editedData: null,
  })
  await store.advanceRedrives()
  expect(await store.redrive(id)).toMatchObject({ selected: 1, sent: 1 })
  expect(await workOff(store, `${name}-s`, 'done')).toBe(1)
  await store.advanceRedrives()
  expect(await store.redrive(id)).toMatchObject({ state: 'completed', succeeded: 1 })
  expect(await store.replay(replay.id)).toMatchObject({ state: 'stopped', dead: 0 })
})

test('stop returns a letter that is under way to the dead letters, and lets the redrive end', async () => {
  const subscription = `${name}-r`
  await store.register([record(subscription)])
  await deadLettersOf(store, subscription, [newEvent()])
  const replay = await store.createReplay(`replay-${++count}`, { subscription, actor: 'anna' })
  await store.sql('UPDATE eventspine.dead_letter SET replay = $2 WHERE subscription = $1', [
    subscription,
    replay.id,
  ])
  const { id } = await store.createRedrive(`redrive-${++count}`, {
    filter: { subscription },
    rate: 1_000,
    canary: 0,
    stopAtErrorRate: 0.5,
    roundsMax: 3,
    actor: 'anna',
    editedData: null,
  })
  await store.advanceRedrives()
  expect(await store.redrive(id)).toMatchObject({ state: 'running', sent: 1 })
  await store.stopReplay(replay.id, 'ben')
  await store.advanceRedrives()
  expect(await store.redrive(id)).toMatchObject({ state: 'completed', sent: 0 })
  expect((await store.deadLetters({ subscription })).items).toMatchObject([{ state: 'dead' }])
})

test('of none is NOT_FOUND; the list is paged, newest first', async () => {
  await expect(store.stopReplay('none', 'ben')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const ids = [(await create()).id, (await create()).id, (await create()).id]
  const first = await store.replays({ limit: 2 })
  await create()
  const second = await store.replays({ limit: 1, cursor: first.cursor as string })
  expect([...first.items, ...second.items].map((replay) => replay.id)).toEqual(ids.reverse())
})
