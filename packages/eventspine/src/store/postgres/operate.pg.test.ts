import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseOf, openTestStore, record, type TestStore } from './inspect.fixture.js'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())

test('pause answers how many hold a live lease, over all replays, and nothing is granted after it', async () => {
  await store.register([record('held', { shards: 2 })])
  await store.createReplay('replay-1', { subscription: 'held', actor: 'anna' })
  const leases = await store.acquire({
    worker: 'worker-1',
    leaseMs: { held: 60_000 },
    consumersMax: 10,
    deadWorkers: [],
  })
  expect(leases).toHaveLength(4)
  expect(await store.pause('held', 'anna')).toBe(4)
  await store.release(leases.slice(0, 2))
  expect(await store.pause('held', 'anna')).toBe(2)
  expect(
    await store.acquire({ worker: 'worker-2', leaseMs: { held: 60_000 }, consumersMax: 10, deadWorkers: [] }),
  ).toEqual([])
  await store.sql(`UPDATE eventspine.consumer SET lease_until = clock_timestamp() - interval '1 ms'`)
  expect(await store.pause('held', 'anna')).toBe(0)
  const row = { id: 'worker-2', identity: '', host: '', processId: 1, version: '', consumers: 0, running: {} }
  const { paused } = await store.heartbeat({ ...row, startedAtMs: 0, heartbeatAtMs: 0 }, {})
  expect(paused).toEqual(new Set(['held']))
})

test('pause and resume leave one audit row each, however often they are asked', async () => {
  await store.register([record('audited')])
  for (let time = 0; time < 3; time++) await store.pause('audited', 'anna')
  for (let time = 0; time < 3; time++) await store.resume('audited', 'ben')
  const rows = (await store.audit({})).items.filter((row) => row.target === 'audited')
  expect(rows.map((row) => [row.actor, row.action])).toEqual([
    ['ben', 'subscription.resume'],
    ['anna', 'subscription.pause'],
  ])
  await leaseOf(store, 'audited')
})

test('an unknown subscription is NOT_FOUND', async () => {
  await expect(store.pause('none', 'anna')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(store.resume('none', 'anna')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
