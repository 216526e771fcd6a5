import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertEvents, type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { endOfTick } from '../../event/stored.js'
import { silentLogger } from '../../observe/log.js'
import { checkEpoch, clusterIdentity } from './epoch.js'
import { lifecycleStatements } from './lifecycle.js'
import { logStatements } from './log.js'

let own: OwnSchema
beforeEach(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
})
afterEach(() => own.drop())

const open = () => lifecycleStatements(own.database, silentLogger).open()
const epochs = async () =>
  (await own.sql<{ epoch: number }>('SELECT epoch FROM eventspine.epoch ORDER BY 1')).map((row) => row.epoch)
const restoredElsewhere = () =>
  own.sql("UPDATE eventspine.epoch SET system_identifier = '7000000000000000000/00000001'")

// A tick of its own for whatever is new, then everything behind `after` in one read and once more tick by tick.
async function readAll(after = 0): Promise<{ type: string; epoch: number; seq: number }[]> {
  const log = logStatements(own.database)
  await log.tick(0, 1)
  const ticks = await log.ticksAfter(after, 1_000)
  const together = await log.read(ticks, 0, 1_000)
  const single: (typeof together)[number][] = []
  for (const tick of ticks) single.push(...(await log.read([tick], 0, 1_000)))
  expect(single).toEqual(together)
  return together.map(({ type, epoch, seq }) => ({ type, epoch, seq }))
}

test('stays where it is in the cluster that it began in', async () => {
  await own.sql(insertEvents(2))
  await open()
  await open()
  expect(await epochs()).toEqual([1])
  expect(await clusterIdentity(own.database)).toMatch(/^\d+\/[0-9A-F]{8}$/)
})

test('a restore elsewhere begins an epoch and loses no event of either', async () => {
  await own.sql(insertEvents(2, 'tests.ticked'))
  await logStatements(own.database).tick(0, 1)
  await own.sql(insertEvents(2, 'tests.not-ticked'))
  await restoredElsewhere()
  await open()
  expect(await epochs()).toEqual([1, 2])
  await own.sql(insertEvents(2, 'tests.after'))
  const all = await readAll()
  expect(all.map((event) => event.type)).toEqual(
    ['ticked', 'ticked', 'not-ticked', 'not-ticked', 'after', 'after'].map((name) => `tests.${name}`),
  )
  expect(all.map((event) => event.epoch)).toEqual([1, 1, 1, 1, 2, 2])
  await open()
  expect(await epochs()).toEqual([1, 2])
  expect(await own.sql('SELECT count(*)::int AS rows FROM eventspine.event_default')).toEqual([{ rows: 0 }])
})

test('a process that knew the epoch before finds what came in both', async () => {
  const log = logStatements(own.database)
  await own.sql(insertEvents(1, 'tests.ticked'))
  const [first] = (await log.tick(0, 1)).ticks
  await own.sql(insertEvents(2, 'tests.not-ticked'))
  await restoredElsewhere()
  await open()
  await own.sql(insertEvents(2, 'tests.after'))
  const { ticks } = await log.tick(first?.number ?? 0, 10)
  const types = (await log.read(ticks, 0, 100)).map((event) => event.type)
  expect(types).toEqual(['not-ticked', 'not-ticked', 'after', 'after'].map((name) => `tests.${name}`))
})

test('a process that knows ticks that the log has lost finds their events again', async () => {
  const log = logStatements(own.database)
  await own.sql(insertEvents(1, 'tests.kept'))
  const [kept] = (await log.tick(0, 1)).ticks
  await own.sql(insertEvents(1, 'tests.lost'))
  await log.tick(kept?.number ?? 0, 1)
  // A standby that was promoted had all events and not the last tick, which is committed without waiting.
  await own.sql('DELETE FROM eventspine.tick WHERE number > $1', [kept?.number])
  await own.sql(insertEvents(1, 'tests.next'))
  const answer = await log.tick(kept?.number ?? 0, 1, 100)
  expect(answer.ticks.map((tick) => tick.number)).toEqual([(kept?.number ?? 0) + 1])
  expect(answer.events?.map((event) => event.type)).toEqual(['tests.lost', 'tests.next'])
})

test('snapshots or events ahead of the cluster give a restore away where it cannot be named', async () => {
  await own.sql("UPDATE eventspine.epoch SET system_identifier = 'unknown'")
  await own.sql(
    "INSERT INTO eventspine.tick SELECT 1, 1, snapshot, '900000000000:900000000000:', 0 FROM eventspine.tick",
  )
  await open()
  expect(await epochs()).toEqual([1, 2])
  await own.sql(
    `${insertEvents(1).replace('(time,', '(xid, time,').replace('SELECT now()', "SELECT '800000000000'::xid8, now()")}`,
  )
  await open()
  expect(await epochs()).toEqual([1, 2, 3])
  expect((await readAll()).map((event) => event.epoch)).toEqual([2])
})

test('what an open transaction still appends belongs to the epoch that it began in, and is read', async () => {
  const publisher = await own.session()
  await publisher.sql('BEGIN')
  await publisher.sql(insertEvents(1, 'tests.in-flight'))
  await restoredElsewhere()
  const advanced = open()
  // The advance must be seen to wait: a lock that was asked for and refused, or is waited for.
  await own.waitFor("SELECT FROM pg_locks WHERE NOT granted AND relation = 'eventspine.event'::regclass")
  await publisher.sql(insertEvents(1, 'tests.in-flight'))
  await publisher.sql('COMMIT')
  await publisher.end()
  await advanced
  await own.sql(insertEvents(1, 'tests.after'))
  expect((await readAll()).map((event) => `${event.type} ${event.epoch}`)).toEqual([
    'tests.in-flight 1',
    'tests.in-flight 1',
    'tests.after 2',
  ])
})

test('the new epoch has its partitions from its first moment', async () => {
  await restoredElsewhere()
  await checkEpoch(own.database, silentLogger)
  await own.sql(insertEvents(3))
  expect(await own.sql('SELECT count(*)::int AS rows FROM eventspine.event_default')).toEqual([{ rows: 0 }])
})

test('every lease is lost and every later token is larger', async () => {
  await own.sql(`INSERT INTO eventspine.consumer (subscription, shard, tick, seq, owner, token, lease_until)
    VALUES ('a', 0, 0, ${endOfTick}, 'worker', 70, 'infinity')`)
  await restoredElsewhere()
  await open()
  expect(await own.sql('SELECT owner, token, lease_until < now() AS free FROM eventspine.consumer')).toEqual([
    { owner: null, token: 2 * 2 ** 40, free: true },
  ])
})

test('many processes that wake up at once advance it once, while ticks are made', async () => {
  await own.sql(insertEvents(10))
  await restoredElsewhere()
  const log = logStatements(own.another())
  const ticking = (async () => {
    for (let round = 0; round < 30; round++) {
      await own.sql(insertEvents(1))
      await log.tick(0, 1)
    }
  })()
  await Promise.all([ticking, ...Array.from({ length: 5 }, () => checkEpoch(own.another(), silentLogger))])
  expect(await epochs()).toEqual([1, 2])
  const all = await readAll()
  expect(new Set(all.map((event) => event.seq)).size).toBe(40)
  expect(all).toHaveLength(40)
})
