// What mutants of leases showed that no other test held: grants by several processes, limits for each consumer, and
// what a holder keeps others from.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import pg from 'pg'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/kernel/index.js'
import { silentLogger } from '../../src/observe/log.js'
import { Scene } from '../../src/store/conformance/scene.js'
import { opened } from '../../src/store/conformance/traces.js'
import { createPostgresStore } from '../../src/store/postgres/postgres-store.js'
import { afterTest, databaseUrl, freshSchema, running, sql, until } from '../support.js'

/** A process of its own, as far as the database can tell. */
async function sceneOn(schema: string): Promise<Scene> {
  const options = { url: databaseUrl, schema, idempotencyWindowMs: 60_000 }
  const store = createPostgresStore(options, systemClock, silentLogger)
  afterTest(() => store.close())
  await store.migrate()
  await store.open()
  const transaction = () => Promise.reject(new Error('Nobody asks for one'))
  return new Scene({ store, transaction, close: () => Promise.resolve() })
}

it('grants each shard once to processes that ask at once (I41)', async () => {
  const schema = freshSchema()
  const scene = await sceneOn(schema)
  await scene.subscribe({ shards: 3 })
  const other = new pg.Client({ connectionString: databaseUrl })
  afterTest(() => other.end())
  await other.connect()
  // The other process is between its grant and its commit.
  await other.query(`BEGIN; UPDATE ${schema}.consumer
    SET owner = 'worker-b', token = token + 1, lease_until = now() + interval '1 hour' WHERE shard = 0`)
  let answered = false
  const asked = scene.acquire('worker-a').finally(() => {
    answered = true
  })
  const waits = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${schema}.consumer%'`
  await until(async () => answered || (await sql(waits)).length > 0)
  await other.query('COMMIT')
  expect((await asked).map(({ shard }) => shard).sort()).toEqual([1, 2])
})

it('gives each consumer its own number of rows (I22)', async () => {
  const scene = await sceneOn(freshSchema())
  const events = await scene.published(3)
  const held = []
  for (const name of ['first', 'second']) {
    await scene.subscribe({ name })
    const lease = await scene.leased('worker-a', name)
    held.push(
      await scene.settle(lease, scene.settlement(lease, { opened: events.map((each) => opened(each)) })),
    )
  }
  const claimed = await scene.store.claimDue(held, 2)
  expect(claimed.map(({ subscription }) => subscription).sort()).toEqual([
    'first',
    'first',
    'second',
    'second',
  ])
})

it('removes no subscription that somebody holds (I25)', async () => {
  const scene = await sceneOn(freshSchema())
  await scene.subscribe()
  const lease = await scene.leased()
  await scene.store.pause('ship', 'ada')
  expect(await scene.store.remove('ship', 'ada')).toBe(false)
  expect(await scene.store.subscriptions()).toHaveLength(1)
  await scene.store.release([lease])
  expect(await scene.store.remove('ship', 'ada')).toBe(true)
})

it('leaves no lease and no worker behind when it stops (I40)', async () => {
  const schema = freshSchema()
  const happened = defineEvent({ type: 'tests.happened', schema: z.object({ n: z.number() }) })
  const subscription = defineSubscription({ name: 'ship', on: happened, shards: 2, handle: () => {} })
  const spine = await running(defineApp({ name: 'shop', subscriptions: [subscription] }), schema)
  const leases = `SELECT shard FROM ${schema}.consumer WHERE owner IS NOT NULL`
  expect(await sql(leases)).toHaveLength(2)
  await spine.stop()
  expect(await sql(leases)).toEqual([])
  expect(await sql(`SELECT id FROM ${schema}.worker`)).toEqual([])
})
