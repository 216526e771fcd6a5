import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { burnTransactions, insertEvents, type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { endOfTick } from '../../event/stored.js'
import { silentLogger } from '../../observe/log.js'
import { unprepared } from './exclusive.js'
import { lifecycleStatements } from './lifecycle.js'
import { logStatements } from './log.js'
import { eventPartitions } from './partitions.js'
import { dropEventPartitions, dropRunPartitions, sweepDefaultPartitions, sweepTicks } from './retention.js'

// So that what was written this moment counts as old: retention adds a minute of its own.
const atOnce = -120_000
const hour = 3_600_000
// Other test files use up transaction ids of the same server meanwhile.
const width = 2_000

let own: OwnSchema
let old: string

// The first partition is cut to `width` transactions, filled, and left behind.
beforeEach(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
  const cut = await cutFirst()
  old = cut.name
  await own.sql(insertEvents(5, 'tests.old'))
  await tick()
  await burnTransactions(own, cut.until)
  await othersAreDone(cut.until)
  await own.sql(insertEvents(5, 'tests.young'))
  await tick()
  expect(await rows(old)).toBe(5)
})
afterEach(() => own.drop())

// Cuts the first partition, empty or not, to what is left of `width` transactions from now on.
async function cutFirst(): Promise<{ name: string; until: number }> {
  const [first] = await unprepared(own.database, eventPartitions)
  const [next] = await own.sql<{ xid: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid')
  const until = Number(next?.xid) + width
  if (first === undefined || until >= first.until)
    throw new Error('the first partition is too full for this test')
  await own.sql(`DROP TABLE eventspine.${first.name}`)
  for (const [from, to] of [
    [first.from, until],
    [until, first.until],
  ]) {
    await own.sql(
      `CREATE TABLE eventspine.event_1_${from} PARTITION OF eventspine.event FOR VALUES FROM (1, '${from}') TO (1, '${to}')`,
    )
  }
  return { name: first.name, until }
}

// Transactions of other tests on the same server are open in our snapshots, too.
const othersAreDone = (xid: number) =>
  own.waitFor('SELECT WHERE pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8', [String(xid)])

const tick = () => logStatements(own.database).tick(0, 1_000)
const rows = async (table: string) =>
  (await own.sql<{ rows: number }>(`SELECT count(*)::int AS rows FROM eventspine.${table}`))[0]?.rows
const consumer = (tickNumber: number, options: { seq?: number; replay?: string; finished?: boolean } = {}) =>
  own.sql(
    "INSERT INTO eventspine.consumer (subscription, replay, shard, tick, seq, finished) VALUES ('a', $1, 0, $2, $3, $4)",
    [options.replay ?? '', tickNumber, options.seq ?? endOfTick, options.finished ?? false],
  )
const drop = (eventsMs = atOnce) => dropEventPartitions(own.database, eventsMs, silentLogger)
const delivery = (event: string | null) =>
  own.sql(
    `INSERT INTO eventspine.delivery (subscription, replay, shard, epoch, xid, seq, tick, tenant, state, attempt, token, due_at, event)
     SELECT 'a', '', 0, epoch, xid, seq, 1, tenant, 'retry', 1, 1, now(), $1::json FROM eventspine.${old} LIMIT 1`,
    [event],
  )

describe('an event partition', () => {
  test('goes when it is old and every cursor stands behind it, file and all', async () => {
    await consumer(2)
    expect(await drop()).toEqual([old])
    expect(await own.sql(`SELECT to_regclass('eventspine.${old}') IS NULL AS gone`)).toEqual([{ gone: true }])
    expect(await rows('event')).toBe(5)
    expect(await drop()).toEqual([])
  })

  test('goes without consumers too, and the one in use never', async () => {
    expect(await drop()).toEqual([old])
    expect((await unprepared(own.database, eventPartitions))[0]?.name).not.toBe(old)
  })

  test('stays while it is young', async () => {
    await consumer(2)
    expect(await drop(hour)).toEqual([])
    // One of its events is: the youngest decides.
    await own.sql(`UPDATE eventspine.${old} SET recorded_at = recorded_at - interval '2 hours' WHERE seq < 5`)
    expect(await drop(hour)).toEqual([])
    await own.sql(`UPDATE eventspine.${old} SET recorded_at = recorded_at - interval '2 hours' WHERE seq = 5`)
    expect(await drop(hour)).toEqual([old])
  })

  test('stays while a cursor stands before it or in it', async () => {
    await consumer(0)
    expect(await drop()).toEqual([])
    await own.sql('UPDATE eventspine.consumer SET tick = 1, seq = 4')
    expect(await drop()).toEqual([])
    await own.sql('UPDATE eventspine.consumer SET tick = 1, seq = $1', [endOfTick])
    // The snapshot of its tick is older than the partition's last transaction: more might come.
    expect(await drop()).toEqual([])
    // In the middle of a tick only its predecessor is settled.
    await own.sql('UPDATE eventspine.consumer SET tick = 2, seq = 1')
    expect(await drop()).toEqual([])
    await own.sql('UPDATE eventspine.consumer SET tick = 2, seq = $1', [endOfTick])
    expect(await drop()).toEqual([old])
  })

  test('stays while a replay runs through it, not when that has ended', async () => {
    await consumer(2)
    await consumer(0, { replay: 'r' })
    await own.sql(
      "INSERT INTO eventspine.replay (id, subscription, from_tick, until_tick, actor) VALUES ('r', 'a', 0, 2, 'me')",
    )
    expect(await drop()).toEqual([])
    await own.sql("UPDATE eventspine.replay SET state = 'stopped'")
    expect(await drop()).toEqual([old])
  })

  test('stays while an open delivery has no copy of its event', async () => {
    await consumer(2)
    await delivery(null)
    expect(await drop()).toEqual([])
    await own.sql("UPDATE eventspine.delivery SET event = '{}'")
    expect(await drop()).toEqual([old])
  })

  test('stays while a transaction that may still write into it is open', async () => {
    await drop()
    const publisher = await own.session()
    await publisher.sql('BEGIN')
    await publisher.sql('SELECT pg_current_xact_id()')
    const behind = await cutFirst()
    await burnTransactions(own, behind.until)
    await own.sql(insertEvents(1))
    await tick()
    await consumer(3)
    expect(await drop()).toEqual([])
    await publisher.sql(insertEvents(1))
    await publisher.sql('COMMIT')
    await publisher.end()
    expect(await rows(behind.name)).toBe(1)
    await othersAreDone(behind.until)
    await tick()
    // The last tick sees it, the tick of the cursor did not.
    expect(await drop()).toEqual([])
    await own.sql('UPDATE eventspine.consumer SET tick = 4')
    expect(await drop()).toEqual([behind.name])
  })

  test('in use by a long transaction it is left for later, and appends go on', async () => {
    await consumer(2)
    const reader = await own.session()
    await reader.sql('BEGIN')
    await reader.sql('SELECT count(*) FROM eventspine.event')
    expect(await drop()).toEqual([])
    await own.sql(insertEvents(1))
    await reader.sql('COMMIT')
    await reader.end()
    expect(await drop()).toEqual([old])
  })

  test('detached by a worker that died is dropped by the next', async () => {
    await consumer(0)
    await own.sql(`ALTER TABLE eventspine.event DETACH PARTITION eventspine.${old}`)
    expect(await drop()).toEqual([])
    expect(await own.sql(`SELECT to_regclass('eventspine.${old}') IS NULL AS gone`)).toEqual([{ gone: true }])
  })
})

describe('ticks', () => {
  const sweep = async () => {
    await own.sql("UPDATE eventspine.tick SET made_at = made_at - interval '1 hour'")
    await unprepared(own.database, (execute) => sweepTicks(execute, 100))
    return (await own.sql<{ number: number }>('SELECT number FROM eventspine.tick ORDER BY 1')).map(
      (row) => row.number,
    )
  }

  test('stay while their events do', async () => {
    await consumer(2)
    expect(await sweep()).toEqual([0, 1, 2])
  })

  test('go when their events are gone, but none that a cursor stands at, and never the last', async () => {
    await drop()
    await consumer(1)
    expect(await sweep()).toEqual([1, 2])
    await own.sql('UPDATE eventspine.consumer SET tick = 2')
    expect(await sweep()).toEqual([2])
    expect(await sweep()).toEqual([2])
  })
})

test('rows in the default partition go under the same rules', async () => {
  await own.sql(`ALTER TABLE eventspine.event DETACH PARTITION eventspine.${old}`)
  await own.sql(`INSERT INTO eventspine.event SELECT * FROM eventspine.${old}`)
  const sweep = (eventsMs: number) =>
    unprepared(own.database, (execute) => sweepDefaultPartitions(execute, eventsMs, hour, 100))
  await consumer(0)
  expect(await sweep(atOnce)).toBe(0)
  await own.sql('UPDATE eventspine.consumer SET tick = 2')
  expect(await sweep(hour)).toBe(0)
  await delivery(null)
  expect(await sweep(atOnce)).toBe(4)
  await own.sql('DELETE FROM eventspine.delivery')
  expect(await sweep(atOnce)).toBe(1)
})

test('run history goes by whole days', async () => {
  await own.sql(
    "CREATE TABLE eventspine.run_20200101 PARTITION OF eventspine.run FOR VALUES FROM ('2020-01-01 00:00Z') TO ('2020-01-02 00:00Z')",
  )
  const years = Date.now() - Date.parse('2020-01-02T00:00:00Z') + hour
  expect(await dropRunPartitions(own.database, years)).toEqual([])
  expect(await dropRunPartitions(own.database, years - 2 * hour)).toEqual(['run_20200101'])
  expect(await own.sql("SELECT to_regclass('eventspine.run_20200101') IS NULL AS gone")).toEqual([
    { gone: true },
  ])
})
