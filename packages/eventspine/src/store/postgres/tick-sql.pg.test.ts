import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertEvents, type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import { lifecycleStatements } from './lifecycle.js'
import { logStatements } from './log.js'
import { type TickRow, tickStatement, tickWithEvents } from './tick-sql.js'

let own: OwnSchema
const tick = async (force = false): Promise<TickRow | undefined> =>
  (await own.database.query<TickRow>('read', 'deliver.tick', tickStatement, [force]))[0]

beforeAll(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
})
afterAll(() => own.drop())

test('is made when something new is visible, and not otherwise', async () => {
  expect(await tick()).toBeUndefined()
  await own.sql(insertEvents(3))
  const first = await tick()
  expect(first).toMatchObject({ number: 1, epoch: 1, seq_estimate: 3 })
  expect(await tick()).toBeUndefined()
  expect(await tick(true)).toMatchObject({ number: 2, after: first?.snapshot })
})

test('sees at once what an open transaction commits, long after younger ones', async () => {
  const long = await own.session()
  await long.sql('BEGIN')
  await long.sql(insertEvents(1, 'tests.late'))
  await own.sql(insertEvents(1, 'tests.early'))
  const early = await tick()
  expect(early).toBeDefined()
  expect(await tick()).toBeUndefined()
  await long.sql('COMMIT')
  await long.end()
  const late = await tick()
  expect(late?.number).toBe((early?.number ?? 0) + 1)
  const log = logStatements(own.database)
  const events = await log.read(await log.ticksAfter((early?.number ?? 0) - 1, 10), 0, 100)
  expect(events.map((event) => [event.type, event.tick])).toEqual([
    ['tests.early', early?.number],
    ['tests.late', late?.number],
  ])
})

test('passes over what was rolled back', async () => {
  const session = await own.session()
  await session.sql('BEGIN')
  await session.sql(insertEvents(5))
  await tick(true)
  await session.sql('ROLLBACK')
  await session.end()
  expect(await tick()).toBeUndefined()
})

test('many makers make one chain without a gap, and snapshots only grow', async () => {
  await own.sql(insertEvents(1))
  const others = Array.from({ length: 6 }, () => own.another())
  await Promise.all(
    others.map(async (database) => {
      for (let round = 0; round < 10; round++)
        await database.query('read', 'deliver.tick', tickStatement, [true])
    }),
  )
  const [row] = await own.sql<{ broken: number; ticks: number }>(
    `SELECT count(*) FILTER (WHERE number <> previous + 1 OR after::text <> before::text
       OR pg_snapshot_xmax(snapshot) < pg_snapshot_xmax(before))::int AS broken, count(*)::int AS ticks
     FROM (SELECT *, lag(number) OVER w AS previous, lag(snapshot) OVER w AS before FROM eventspine.tick WINDOW w AS (ORDER BY number)) AS chain
     WHERE previous IS NOT NULL`,
  )
  expect(row?.broken).toBe(0)
  expect(row?.ticks).toBeGreaterThan(10)
})

test('who loses the race makes none, and leaves the winner’s as it is', async () => {
  const winner = await own.session()
  await winner.sql('BEGIN')
  const [won] = await winner.sql<TickRow>(tickStatement, [true])
  await own.sql(insertEvents(1))
  const lost = tick(true)
  await own.waitFor(
    'SELECT FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE application_name LIKE $1)',
    [`${own.database.schema}%`],
  )
  await winner.sql('COMMIT')
  await winner.end()
  expect(await lost).toBeUndefined()
  const [stored] = await logStatements(own.database).ticksAfter(Number(won?.number) - 1, 1)
  expect(stored?.snapshot).toBe(won?.snapshot)
  expect(await tick()).toMatchObject({ after: won?.snapshot })
})

/** Where the log is, for the parameters behind the first two. */
async function seen(): Promise<readonly string[]> {
  const [row] = await own.sql<{ epoch: number; snapshot: string }>(
    'SELECT epoch, snapshot::text AS snapshot FROM eventspine.tick ORDER BY number DESC LIMIT 1',
  )
  const [xmin = '', xmax = ''] = row?.snapshot.split(':') ?? []
  return [String(row?.epoch), xmin, xmax]
}

const statements = [
  // Two looks at ten partitions.
  {
    name: 'alone',
    text: tickStatement,
    values: async (force: boolean) => [force],
    types: '(boolean)',
    scans: 20,
  },
  // Four looks, at the one partition in which something can be. The others are not even opened, however many there are.
  {
    name: 'with its events',
    scans: 4,
    text: tickWithEvents,
    values: async (force: boolean) => [force, 100, ...(await seen())],
    types: '(boolean, bigint, int, text, text)',
  },
]

test.each(statements)('its relaxed commit does not outlive it ($name)', async ({ text, values }) => {
  const session = await own.session()
  await session.sql(text, await values(true))
  const after = await session.sql('SHOW synchronous_commit')
  await session.end()
  expect(after).toEqual([{ synchronous_commit: 'on' }])
})

/** The nodes of its generic plan that read partitions of the log, and which of them ran. */
async function scansOf({ text, values, types }: (typeof statements)[number]) {
  const session = await own.session()
  await session.sql("SET plan_cache_mode = 'force_generic_plan'")
  await session.sql(`PREPARE made ${types} AS ${text}`)
  const plan = (
    await session.sql<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE made (${(await values(false)).map((value) => `'${value}'`).join(', ')})`,
    )
  ).map((row) => row['QUERY PLAN'])
  await session.end()
  const scans = plan.filter((line) => / on event_(\d|default)/.test(line) || / using event_\d/.test(line))
  const run = scans.filter((line) => !line.includes('never executed') && /event_\d/.test(line))
  const partitions = new Set(run.map((line) => / on (event_\w+)/.exec(line)?.[1]))
  return { scans: scans.length, run, partitions: partitions.size }
}

// The shape of its plan decides whether a tick costs microseconds or a scan of the partition.
test.each(statements)(
  'under a generic plan it probes the key index of the current partition and no other ($name)',
  async (statement) => {
    await tick()
    const { scans, run, partitions } = await scansOf(statement)
    expect(scans).toBe(statement.scans)
    expect(partitions).toBe(1)
    for (const line of run) expect(line).toMatch(/Index Only Scan using event_1_\d+_pkey/)
  },
)

test('under a generic plan it reads its events by the key index of their partition', async () => {
  await own.sql(insertEvents(500))
  await own.sql('ANALYZE eventspine.event')
  await tick()
  await own.sql(insertEvents(3))
  const { run, partitions } = await scansOf(statements[1] as (typeof statements)[number])
  expect(partitions).toBe(1)
  expect(run.length).toBeGreaterThan(1)
  for (const line of run) expect(line).toMatch(/Index (Only )?Scan using event_1_\d+_pkey/)
})
