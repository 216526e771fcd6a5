// The housekeeping of one cell: partitions ahead, statistics, retention. Every step is bounded and can be cut short at
// any point; whoever calls next goes on from there.
import type { Logger } from '../../observe/log.js'
import { endpointForgottenMs } from '../../webhook/port.js'
import type { Retention } from '../store.js'
import type { Database } from './database.js'
import { checkEpoch } from './epoch.js'
import { type Execute, exclusively, hasCode } from './exclusive.js'
import { eventPartitions, makePartitions } from './partitions.js'
import { dropEventPartitions, dropRunPartitions, sweepDefaultPartitions, sweepTicks } from './retention.js'

const rowsPerSweepMax = 2_000
/** Of a call each minute: 10,000 ids a second that expire. */
const sweepsPerCallMax = 300

/** Partitions ahead, and statistics of those that grew. False when another worker is at it. Call it every ten seconds or so. */
export async function makeRoom(database: Database, eventsMs: number, logger: Logger): Promise<boolean> {
  await checkEpoch(database, logger)
  return await ifAllowed(database, logger, async () => {
    if (!(await makePartitions(database, eventsMs, logger))) return false
    await analyzeGrown(database)
    return true
  })
}

/** All of it. Returns at once when another worker is at it. Call it every minute or so: more than half of the statements of an idle
 *  worker were this, every ten seconds, for rows that expire after days. */
export async function maintainOnce(database: Database, retention: Retention, logger: Logger): Promise<void> {
  if (!(await makeRoom(database, retention.eventsMs, logger))) return
  await ifAllowed(database, logger, async () => {
    await dropEventPartitions(database, retention.eventsMs, logger)
    await dropRunPartitions(database, retention.runsMs)
    return true
  })
  for (const sweep of sweeps(retention)) await repeat(database, sweep)
}

// A role that may not change tables leaves that to one that may, and still removes rows.
async function ifAllowed(database: Database, logger: Logger, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work()
  } catch (error) {
    if (!hasCode(error, 'insufficient_privilege')) throw error
    logger.warn('partitions are left to a worker whose role may change tables', { schema: database.schema })
    return true
  }
}

type Sweep = (execute: Execute) => Promise<number>

// A transaction for each round: short ones do not hold back what vacuum removes.
async function repeat(database: Database, sweep: Sweep): Promise<void> {
  for (let round = 0; round < sweepsPerCallMax; round++) {
    const answer = await exclusively(database, 'eventspine.maintain', sweep)
    if (answer.state !== 'done' || answer.result < rowsPerSweepMax) return
  }
}

function sweeps({ eventsMs, runsMs, resolvedDeadLettersMs, endedWorkflowsMs }: Retention): readonly Sweep[] {
  const deleting =
    (name: string, text: string, ...values: readonly number[]): Sweep =>
    async (execute) => {
      const [row] = await execute<{ count: number }>(`maintain.${name}`, text, [rowsPerSweepMax, ...values])
      return row?.count ?? 0
    }
  return [
    deleting('idempotency', idempotencyText),
    deleting('dead-letters', deadLettersText, resolvedDeadLettersMs),
    deleting('replays', replaysText, resolvedDeadLettersMs),
    deleting('redrive-items', redriveItemsText, resolvedDeadLettersMs),
    deleting('redrives', redrivesText, resolvedDeadLettersMs),
    deleting('workers', workersText),
    deleting('breakers', breakersText),
    deleting('webhook-endpoints', endpointsText, endpointForgottenMs),
    deleting('workflows', workflowsText, endedWorkflowsMs),
    (execute) => sweepDefaultPartitions(execute, eventsMs, runsMs, rowsPerSweepMax),
    (execute) => sweepTicks(execute, rowsPerSweepMax),
  ]
}

const counted = (deletion: string) =>
  `WITH gone AS (${deletion} RETURNING 1) SELECT count(*)::int AS count FROM gone`

// What changes with each call is no condition of an index: written without SELECT, each round read all that is kept.
const before = (parameter: string) =>
  `(SELECT clock_timestamp()) - ${parameter}::float8 * interval '1 millisecond'`

const idempotencyText = counted(`
  DELETE FROM eventspine.idempotency WHERE expires_at < clock_timestamp() AND ctid = ANY(ARRAY(
    SELECT ctid FROM eventspine.idempotency WHERE expires_at < (SELECT clock_timestamp()) ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))`)

// Discarded ones stay in the sum: matched = completed + retrying + dead + skipped must hold when they are gone.
const deadLettersText = `
WITH gone AS (
  DELETE FROM eventspine.dead_letter WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM eventspine.dead_letter
    WHERE state IN ('redriven', 'discarded') AND resolved_at < ${before('$2')}
    ORDER BY resolved_at LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING subscription, replay, shard, state),
counted AS (
  UPDATE eventspine.consumer c SET discarded = c.discarded + sum.count
  FROM (SELECT subscription, replay, shard, count(*) AS count FROM gone WHERE state = 'discarded' GROUP BY 1, 2, 3) AS sum
  WHERE c.subscription = sum.subscription AND c.replay = sum.replay AND c.shard = sum.shard)
SELECT count(*)::int AS count FROM gone`

// A replay stays as long as something of it may still run: its consumers would have to deliver it.
const replaysText = `
WITH ended AS (
  SELECT r.id, r.subscription FROM eventspine.replay r
  WHERE r.state <> 'running' AND r.ended_at < ${before('$2')}
    AND NOT EXISTS (SELECT FROM eventspine.delivery d WHERE d.subscription = r.subscription AND d.replay = r.id)
    AND NOT EXISTS (SELECT FROM eventspine.dead_letter l WHERE l.subscription = r.subscription AND l.replay = r.id)
  ORDER BY r.ended_at LIMIT $1),
consumers AS (
  DELETE FROM eventspine.consumer c USING ended WHERE c.subscription = ended.subscription AND c.replay = ended.id),
gone AS (DELETE FROM eventspine.replay r USING ended WHERE r.id = ended.id RETURNING 1)
SELECT count(*)::int AS count FROM gone`

const redriveItemsText = counted(`
  DELETE FROM eventspine.redrive_item WHERE ctid = ANY(ARRAY(
    SELECT i.ctid FROM eventspine.redrive_item i
    WHERE i.redrive = (SELECT r.id FROM eventspine.redrive r WHERE r.ended_at < ${before('$2')}
      AND EXISTS (SELECT FROM eventspine.redrive_item k WHERE k.redrive = r.id) ORDER BY r.ended_at LIMIT 1)
    LIMIT $1))`)

const redrivesText = counted(`
  DELETE FROM eventspine.redrive WHERE id = ANY(ARRAY(
    SELECT r.id FROM eventspine.redrive r WHERE r.ended_at < ${before('$2')}
      AND NOT EXISTS (SELECT FROM eventspine.redrive_item k WHERE k.redrive = r.id) ORDER BY r.ended_at LIMIT $1))`)

const workersText = counted(`
  DELETE FROM eventspine.worker WHERE id = ANY(ARRAY(
    SELECT id FROM eventspine.worker WHERE heartbeat_at < clock_timestamp() - interval '1 hour' LIMIT $1))`)

// Breakers of tenants come and go; one that was closed and quiet for a day is as good as none.
const breakersText = counted(`
  DELETE FROM eventspine.breaker WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM eventspine.breaker
    WHERE state = 'closed' AND greatest(window_began_at, closed_at) < clock_timestamp() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED))`)

const endpointsText = counted(`
  DELETE FROM eventspine.webhook_endpoint WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM eventspine.webhook_endpoint
    WHERE disabled_at IS NULL AND last_failed_at < ${before('$2')} LIMIT $1 FOR UPDATE SKIP LOCKED))`)

const workflowsText = `
WITH gone AS (
  DELETE FROM eventspine.workflow WHERE number = ANY(ARRAY(
    SELECT number FROM eventspine.workflow WHERE ended_at < ${before('$2')} ORDER BY ended_at LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING number),
entries AS (DELETE FROM eventspine.workflow_entry e USING gone WHERE e.number = gone.number)
SELECT count(*)::int AS count FROM gone`

const analyzeAtRows = [1_000, 10_000, 100_000]
const partitionsGrowing = 2

// Plans that were made while a partition was empty read it from end to end, and stay until its statistics change:
// autovacuum comes a minute later, when it may hold a million rows. An empty one is left alone: without statistics
// the planner believes it to have some pages, with them it believes it empty, which is what makes those plans.
async function analyzeGrown(database: Database): Promise<void> {
  await exclusively(database, 'eventspine.maintain', async (execute) => {
    for (const table of await grownTables(execute)) await execute('maintain.analyze', `ANALYZE ${table}`)
  })
}

async function grownTables(execute: Execute): Promise<readonly string[]> {
  const [next] = await execute<{ xid: number }>(
    'maintain.next',
    'SELECT pg_snapshot_xmax(pg_current_snapshot()) AS xid',
  )
  const begun = (await eventPartitions(execute)).filter((partition) => partition.from <= (next?.xid ?? 0))
  const names = begun.slice(-partitionsGrowing).map((partition) => partition.name)
  const rows = await execute<{ name: string; analyzed: number; live: number }>('maintain.grown', grownText, [
    names,
  ])
  const grown = rows.filter((row) => analyzeAtRows.some((limit) => row.analyzed < limit && row.live >= limit))
  const parents = await execute<{ name: string }>('maintain.parents', parentsText)
  return [
    ...grown.map((row) => `eventspine.${row.name}`),
    ...parents.map((row) => `ONLY eventspine.${row.name}`),
  ]
}

const grownText = `
SELECT c.relname AS name, c.reltuples::float8 AS analyzed, pg_stat_get_live_tuples(c.oid) AS live FROM pg_class c
WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'eventspine.event'::regclass)
  AND (c.relname = ANY($1::text[]) OR c.relname = 'run_' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDD'))`

// Nothing else ever analyses a partitioned table. Before PostgreSQL 18 that cannot be had without analysing the empty
// partitions too; their parents then go without, and the planner takes the statistics of each partition.
const parentsText = `
SELECT c.relname AS name FROM pg_class c
WHERE c.oid IN ('eventspine.event'::regclass, 'eventspine.run'::regclass) AND current_setting('server_version_num')::int >= 180000
  AND coalesce(pg_stat_get_last_analyze_time(c.oid) < clock_timestamp() - interval '1 day', true)`
