import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertEvents, type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { endOfTick } from '../../event/stored.js'
import { silentLogger } from '../../observe/log.js'
import type { SubscriptionRecord } from '../store.js'
import { lifecycleStatements } from './lifecycle.js'
import { logStatements } from './log.js'
import { registerSubscriptions } from './register.js'
import { tickStatement } from './tick-sql.js'

let own: OwnSchema
beforeEach(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
})
afterEach(() => own.drop())

const record = (options: Partial<SubscriptionRecord>): SubscriptionRecord => ({
  name: 'a-subscription',
  app: 'tests',
  on: ['tests.*'],
  priority: 'normal',
  shards: 1,
  start: 'now',
  selection: '',
  build: 0,
  policies: { deadlineMs: 1 },
  ...options,
})

/** The types that the subscription would be given, in order. */
async function readsFrom(name: string): Promise<string[]> {
  const log = logStatements(own.database)
  await log.tick(0, 1)
  const [cursor] = await own.sql<{ tick: number; seq: number; from_ms: number }>(
    'SELECT tick, seq, extract(epoch FROM from_time)::float8 * 1000 AS from_ms FROM eventspine.consumer WHERE subscription = $1',
    [name],
  )
  expect(cursor?.seq).toBe(endOfTick)
  const events = await log.read(await log.ticksAfter(cursor?.tick ?? -1, 1_000), 0, 1_000)
  return events
    .filter((event) => event.recordedAtMs >= (cursor?.from_ms ?? 0))
    .map((event) => event.type.replace('tests.', ''))
}

test('beginning reads everything, now reads what is committed later', async () => {
  const open = await own.session()
  await open.sql('BEGIN')
  await open.sql(insertEvents(1, 'tests.open'))
  await own.sql(insertEvents(1, 'tests.before'))
  await registerSubscriptions(own.database, [
    record({ name: 'all', start: 'beginning' }),
    record({ name: 'new' }),
  ])
  await own.sql(insertEvents(1, 'tests.after'))
  await open.sql('COMMIT')
  await open.end()
  expect(await readsFrom('all')).toEqual(['before', 'open', 'after'])
  expect(await readsFrom('new')).toEqual(['open', 'after'])
})

test('now never reads what was committed before the call, whoever else makes ticks', async () => {
  const log = logStatements(own.another())
  let ticking = true
  const ticker = (async () => {
    while (ticking) await log.tick(0, 1)
  })()
  for (let round = 0; round < 20; round++) {
    await own.sql(insertEvents(1, `tests.before-${round}`))
    await registerSubscriptions(own.database, [record({ name: `s${round}` })])
    await own.sql(insertEvents(1, `tests.after-${round}`))
    expect((await readsFrom(`s${round}`))[0]).toBe(`after-${round}`)
  }
  ticking = false
  await ticker
})

test('now is behind its own tick, not behind that of a quicker worker who saw less', async () => {
  const quicker = await own.session()
  await quicker.sql('BEGIN')
  await quicker.sql(tickStatement, [true])
  await own.sql(insertEvents(1, 'tests.before'))
  const registering = registerSubscriptions(own.database, [record({ name: 'new' })])
  await own.waitFor(
    'SELECT FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE application_name LIKE $1)',
    [`${own.database.schema}%`],
  )
  await quicker.sql('COMMIT')
  await quicker.end()
  await registering
  await own.sql(insertEvents(1, 'tests.after'))
  expect(await readsFrom('new')).toEqual(['after'])
})

test('a time reads what was recorded from then on', async () => {
  const log = logStatements(own.database)
  await own.sql(insertEvents(1, 'tests.old'))
  await log.tick(0, 1)
  await own.sql("UPDATE eventspine.tick SET made_at = made_at - interval '1 hour'")
  await own.sql(insertEvents(1, 'tests.before'))
  const [{ at } = { at: 0 }] = await own.sql<{ at: number }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at',
  )
  const from = new Date(Math.ceil(at) + 1)
  await own.database.clock.sleep(5)
  await own.sql(insertEvents(1, 'tests.after'))
  await registerSubscriptions(own.database, [
    record({ name: 'timed', start: from }),
    record({ name: 'ever', start: new Date(0) }),
  ])
  expect(await readsFrom('timed')).toEqual(['after'])
  expect(await readsFrom('ever')).toEqual(['old', 'before', 'after'])
  expect(await own.sql("SELECT tick FROM eventspine.consumer WHERE subscription = 'timed'")).toEqual([
    { tick: 1 },
  ])
})

test('known subscriptions keep their cursors and take new policies', async () => {
  await registerSubscriptions(own.database, [record({ start: 'beginning', shards: 2 })])
  await own.sql('UPDATE eventspine.consumer SET tick = 7')
  await registerSubscriptions(own.database, [
    record({
      start: 'now',
      shards: 2,
      priority: 'alarm',
      on: ['tests.a', 'b"c'],
      policies: { deadlineMs: 2 },
    }),
  ])
  expect(await own.sql('SELECT shard, tick FROM eventspine.consumer ORDER BY 1')).toEqual([
    { shard: 0, tick: 7 },
    { shard: 1, tick: 7 },
  ])
  expect(await own.sql('SELECT priority, types, policies FROM eventspine.subscription')).toEqual([
    { priority: 'alarm', types: ['tests.a', 'b"c'], policies: '{"deadlineMs":2}' },
  ])
})

test('another number of shards is refused and nothing is written', async () => {
  await registerSubscriptions(own.database, [record({ shards: 2 })])
  await expect(
    registerSubscriptions(own.database, [record({ name: 'b' }), record({ shards: 3 })]),
  ).rejects.toMatchObject({
    code: 'SHARDS_CHANGED',
    message: expect.stringContaining('Set shards: 2 again'),
  })
  expect(await own.sql('SELECT name, shards FROM eventspine.subscription')).toEqual([
    { name: 'a-subscription', shards: 2 },
  ])
})

test('a fleet that starts at once registers each subscription once, in any order', async () => {
  const records = ['a', 'b', 'c'].map((name) => record({ name, shards: 3 }))
  await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      registerSubscriptions(own.another(), index % 2 ? records : [...records].reverse()),
    ),
  )
  expect(
    await own.sql(
      'SELECT subscription, count(*)::int AS shards FROM eventspine.consumer GROUP BY 1 ORDER BY 1',
    ),
  ).toEqual(['a', 'b', 'c'].map((subscription) => ({ subscription, shards: 3 })))
  const [{ xmin } = { xmin: '' }] = await own.sql<{ xmin: string }>(
    "SELECT xmin::text FROM eventspine.subscription WHERE name = 'a'",
  )
  await registerSubscriptions(own.database, records)
  expect(await own.sql("SELECT xmin::text FROM eventspine.subscription WHERE name = 'a'")).toEqual([{ xmin }])
})
