// Renewing leases beside whoever writes the same rows: it waits for none of them while it holds another.
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { consumerId } from '../../deliver/port.js'
import { openTestStore, record, type TestStore } from './inspect.fixture.js'

let store: TestStore
let flush: pg.Client

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())
beforeEach(async () => {
  flush = new pg.Client({ connectionString: process.env.EVENTSPINE_TEST_DATABASE_URL })
  await flush.connect()
})
afterEach(() => flush.end())

const names = ['one', 'two', 'three']

it.each([
  ['first', ['one', 'two', 'three']],
  ['last', ['three', 'two', 'one']],
])('stands in no circle with a flush that wrote the %s of them', async (_, order) => {
  await store.register(names.map((name) => record(name)))
  const worker = 'worker-1'
  const leaseMs = Object.fromEntries(names.map((name) => [name, 60_000]))
  const leases = await store.acquire({ worker, leaseMs, consumersMax: 10, deadWorkers: [] })
  expect(leases).toHaveLength(3)
  const write = (name: string) =>
    flush.query(
      `UPDATE ${store.database.schema}.consumer SET revision = revision + 1 WHERE subscription = $1`,
      [name],
    )
  await flush.query('BEGIN')
  await write(order[0] as string)
  let isWaiting = true
  const renewed = store
    .renew({ worker, leases: leases.map((lease) => ({ ...lease, leaseMs: 120_000 })) })
    .finally(() => {
      isWaiting = false
    })
  // Those that nobody writes are renewed by now, and held no more; the other is waited for.
  await expect
    .poll(
      async () => {
        const [row] = await store.sql<{ renewed: number }>(
          `SELECT count(*)::int AS renewed FROM eventspine.consumer WHERE lease_until > clock_timestamp() + interval '90 s'`,
        )
        return row?.renewed
      },
      { timeout: 10_000 },
    )
    .toBe(2)
  expect(isWaiting).toBe(true)
  for (const name of order.slice(1)) await write(name)
  await flush.query('COMMIT')
  expect([...(await renewed)].sort()).toEqual(leases.map(consumerId).sort())
  await store.release(leases)
})

it('tells a lease that is lost from one that is being written', async () => {
  await store.register(names.map((name) => record(name)))
  const worker = 'worker-1'
  const leaseMs = Object.fromEntries(names.map((name) => [name, 60_000]))
  const leases = await store.acquire({ worker, leaseMs, consumersMax: 10, deadWorkers: [] })
  await store.sql(
    `UPDATE eventspine.consumer SET token = token + 1, owner = 'worker-2' WHERE subscription = 'two'`,
  )
  await flush.query('BEGIN')
  await flush.query(
    `UPDATE ${store.database.schema}.consumer SET revision = revision + 1 WHERE subscription = 'one'`,
  )
  const renewed = store.renew({ worker, leases: leases.map((lease) => ({ ...lease, leaseMs: 120_000 })) })
  await flush.query('COMMIT')
  const kept = leases.filter(({ subscription }) => subscription !== 'two')
  expect([...(await renewed)].sort()).toEqual(kept.map(consumerId).sort())
})
