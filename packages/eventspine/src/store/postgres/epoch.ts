// The epochs of the log. A transaction id means something only in the database cluster, and on the timeline, that
// gave it out. A log that wakes up elsewhere (restore, copy, promoted standby) closes its epoch and begins another.
import { EventspineError } from '../../kernel/index.js'
import type { Logger } from '../../observe/log.js'
import type { Database } from './database.js'
import { type Execute, exclusively, hasCode, unprepared } from './exclusive.js'
import { makeFirstPartitions } from './partitions.js'

/** Sees every transaction of its epoch. Below 2^53, since positions and transaction ids are read as numbers. */
export const allSeeing = '9007199254740991:9007199254740991:'
/** Sees none: 3 is the first transaction id that is ever given out. */
export const unseeing = '3:3:'

const unknownIdentity = 'unknown'

/**
 * Names the cluster and its timeline, which a promotion changes. Null where a managed server does not tell: then only
 * transaction ids that run ahead of the server's give a restore away.
 */
export async function clusterIdentity(database: Database): Promise<string | null> {
  try {
    const [row] = await database.query<{ identity: string | null }>(
      'read',
      'epoch.identity',
      `SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS identity`,
    )
    return row?.identity ?? null
  } catch (error) {
    if (hasCode(error, 'insufficient_privilege', 'undefined_function', 'feature_not_supported')) return null
    throw error
  }
}

/** The first epoch, the tick that "beginning" stands behind, and the first partitions. Nothing when they exist. */
export async function beginLog(execute: Execute, identity: string | null): Promise<void> {
  const begun = await execute(
    'epoch.begin',
    'INSERT INTO eventspine.epoch (epoch, system_identifier) SELECT 1, $1 WHERE NOT EXISTS (SELECT FROM eventspine.epoch) RETURNING epoch',
    [identity ?? unknownIdentity],
  )
  if (begun.length === 0) return
  await execute(
    'epoch.first-tick',
    `INSERT INTO eventspine.tick (number, epoch, after, snapshot, seq_estimate)
     SELECT 0, 1, pg_current_snapshot(), pg_current_snapshot(), 0`,
  )
  await makeFirstPartitions(execute)
}

const attemptsMax = 100
const pauseMs = 100

/**
 * Advances the epoch when this is not the cluster that the newest one belongs to. Publishers wait for a moment, and
 * whoever held a lease has lost it. Safe to call at any time and by everybody at once.
 */
export async function checkEpoch(database: Database, logger: Logger): Promise<void> {
  const identity = await clusterIdentity(database)
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if ((await unprepared(database, (execute) => ended(execute, identity))) === null) return
    try {
      const answer = await exclusively(database, 'eventspine.epoch', (execute) => advance(execute, identity))
      if (answer.state === 'done') {
        if (answer.result !== null)
          logger.warn('epoch advanced: the log woke up in another database cluster', answer.result)
        return
      }
    } catch (error) {
      // Against a ticker or a settlement that was quicker.
      if (!hasCode(error, 'deadlock_detected', 'unique_violation')) throw error
    }
    await database.clock.sleep(pauseMs)
  }
  throw new EventspineError(
    'UNAVAILABLE',
    'The log was restored into another database cluster and must begin a new epoch, but long transactions hold its tables. End them; this is tried again.',
    { retryAfterMs: 5_000 },
  )
}

interface Epoch {
  readonly epoch: number
  readonly identity: string
  readonly ahead: boolean
}

/** The newest epoch when it is over, else null. */
async function ended(execute: Execute, identity: string | null): Promise<Epoch | null> {
  const [row] = await execute<Epoch>('epoch.newest', newestText)
  if (row === undefined) return null
  const moved = identity !== null && row.identity !== unknownIdentity && row.identity !== identity
  return moved || row.ahead ? row : null
}

// A snapshot may name the next transaction id, an event only ids before it.
const newestText = `
SELECT n.epoch, n.system_identifier AS identity,
  coalesce((SELECT pg_snapshot_xmax(t.snapshot) FROM eventspine.tick t WHERE t.epoch = n.epoch ORDER BY t.number DESC LIMIT 1)
    > pg_snapshot_xmax(pg_current_snapshot()), false)
  OR coalesce((SELECT e.xid FROM eventspine.event e WHERE e.epoch = n.epoch ORDER BY e.epoch DESC, e.xid DESC, e.seq DESC LIMIT 1)
    >= pg_snapshot_xmax(pg_current_snapshot()), false) AS ahead
FROM (SELECT epoch, system_identifier FROM eventspine.epoch ORDER BY epoch DESC LIMIT 1) AS n`

/** The next number and the last tick of the closed epoch, for the log line; null when somebody else did it. */
async function advance(
  execute: Execute,
  identity: string | null,
): Promise<{ epoch: number; before: number } | null> {
  const last = await ended(execute, identity)
  if (last === null) return null
  const epoch = last.epoch + 1
  // The ALTER waits for open appends and then keeps everybody out: what a transaction added to the old epoch after
  // the tick that closes it would be lost. Ticks read the log too, so that none is made meanwhile.
  await execute('epoch.default', `ALTER TABLE ONLY eventspine.event ALTER COLUMN epoch SET DEFAULT ${epoch}`)
  await execute('epoch.close', closeText, [last.epoch, allSeeing, epoch, unseeing])
  await execute('epoch.insert', 'INSERT INTO eventspine.epoch (epoch, system_identifier) VALUES ($1, $2)', [
    epoch,
    identity ?? unknownIdentity,
  ])
  // Tokens that the old cluster gave out after the copy was made are larger than those in the copy: epoch first.
  await execute(
    'epoch.fence',
    `UPDATE eventspine.consumer SET token = greatest(token, $1::bigint << 40), owner = NULL, lease_until = '-infinity'`,
    [epoch],
  )
  await makeFirstPartitions(execute)
  return { epoch, before: last.epoch }
}

// Two ticks. The first closes the epoch: whatever its predecessor did not see. The second is empty and lets the next
// one begin with the first transaction of the new cluster.
const closeText = `
INSERT INTO eventspine.tick (number, epoch, after, snapshot, seq_estimate)
SELECT last.number + made.step, made.epoch, coalesce(made.after, last.snapshot), made.snapshot, (SELECT last_value - (NOT is_called)::int FROM eventspine.event_seq)
FROM (SELECT number, snapshot FROM eventspine.tick ORDER BY number DESC LIMIT 1) AS last
CROSS JOIN (VALUES (1, $1::int, NULL::pg_snapshot, $2::pg_snapshot), (2, $3::int, $4::pg_snapshot, $4::pg_snapshot))
  AS made(step, epoch, after, snapshot)`
