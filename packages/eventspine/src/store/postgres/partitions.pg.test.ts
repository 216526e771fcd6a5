import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertEvents, type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import { unprepared } from './exclusive.js'
import { lifecycleStatements } from './lifecycle.js'
import { eventPartitions, makePartitions } from './partitions.js'

let own: OwnSchema
beforeEach(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
})
afterEach(() => own.drop())

const days = 86_400_000
const make = (database = own.database) => makePartitions(database, 30 * days, silentLogger)
const partitions = () => unprepared(own.database, eventPartitions)
const dropLast = async (count: number) => {
  for (const partition of (await partitions()).slice(-count))
    await own.sql(`DROP TABLE eventspine.${partition.name}`)
}
const reach = async () => (await partitions()).at(-1)?.until ?? 0
const inDefault = async () =>
  (await own.sql<{ rows: number }>('SELECT count(*)::int AS rows FROM eventspine.event_default'))[0]?.rows

test('a new log has partitions ahead, without a gap, with the parent’s indexes and defaults', async () => {
  const made = await partitions()
  expect(made.length).toBeGreaterThanOrEqual(8)
  made.slice(1).forEach((partition, index) => {
    expect(partition.from).toBe(made[index]?.until)
  })
  await own.sql(insertEvents(3))
  expect(await inDefault()).toBe(0)
  const [first] = made
  expect(await own.sql(`SELECT count(*)::int AS rows FROM eventspine.${first?.name}`)).toEqual([{ rows: 3 }])
  const loose = await own.sql(
    `SELECT i.indexrelid::regclass FROM pg_index i WHERE i.indrelid = 'eventspine.${first?.name}'::regclass
       AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)`,
  )
  expect(loose).toEqual([])
})

test('what is missing is made again, once, by any number of workers', async () => {
  const whole = await reach()
  await dropLast(3)
  await own.sql('DROP TABLE eventspine.run_' + (await lastRunDay()))
  await Promise.all(Array.from({ length: 4 }, () => make(own.another())))
  await make()
  const made = await partitions()
  expect(await reach()).toBeGreaterThanOrEqual(whole)
  made.slice(1).forEach((partition, index) => {
    expect(partition.from).toBe(made[index]?.until)
  })
  expect(await lastRunDay()).toBeDefined()
})

const runDays = async () =>
  (
    await own.sql<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relispartition AND relkind = 'r' AND relname ~ '^run_[0-9]' AND relnamespace = $1::regnamespace ORDER BY 1",
      [own.database.schema],
    )
  ).map((row) => row.name)
const lastRunDay = async () => (await runDays()).at(-1)?.slice('run_'.length)

test('run history lies in a partition of its day, made ahead', async () => {
  expect(await runDays()).toHaveLength(4)
  await own.sql(`INSERT INTO eventspine.run (subscription, replay, shard, worker, epoch, seq_min, seq_max, started_at, seqs, started_after_ms, duration_us)
    VALUES ('a', '', 0, 'w', 1, 1, 1, now(), '{1}', '{0}', '{1}')`)
  expect(await own.sql('SELECT count(*)::int AS rows FROM eventspine.run_default')).toEqual([{ rows: 0 }])
})

test('neither an open publisher nor a long read of a partition holds it up', async () => {
  const before = await partitions()
  const whole = await reach()
  await dropLast(2)
  const publisher = await own.session()
  await publisher.sql('BEGIN')
  await publisher.sql(insertEvents(1))
  await publisher.sql(`SELECT count(*) FROM eventspine.${before[0]?.name}`)
  await make()
  expect(await reach()).toBeGreaterThanOrEqual(whole)
  await publisher.sql('COMMIT')
  await publisher.end()
})

test('while the default partition is in use nothing is made, nobody waits long, and a later call goes on', async () => {
  const whole = await reach()
  await dropLast(2)
  const cut = await reach()
  const reader = await own.session()
  await reader.sql('BEGIN')
  await reader.sql('SELECT count(*) FROM eventspine.event')
  const making = make()
  // Appends go on while it tries, and it gives up by itself.
  await own.sql(insertEvents(1))
  await making
  expect(await reach()).toBe(cut)
  await reader.sql('COMMIT')
  await reader.end()
  await make()
  expect(await reach()).toBeGreaterThanOrEqual(whole)
})

test('events that fell into the default partition stay readable, and the next range begins behind them', async () => {
  const all = await partitions()
  await dropLast(all.length)
  await own.sql(insertEvents(2))
  expect(await inDefault()).toBe(2)
  await make()
  const made = await partitions()
  const [next] = await own.sql<{ xid: number }>(
    'SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xid',
  )
  expect(made[0]?.from).toBeGreaterThan(Number(next?.xid))
  expect(await reach()).toBeGreaterThan(Number(next?.xid) + 2 ** 21)
  expect(await own.sql('SELECT count(*)::int AS rows FROM eventspine.event')).toEqual([{ rows: 2 }])
})
