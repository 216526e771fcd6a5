// Pause, resume and remove, each with its audit row in the same transaction.

import type { OperatePort } from '../../inspect/port.js'
import { EventspineError } from '../../kernel/index.js'
import { insertAudit } from './audit.js'
import type { Connection, Database } from './database.js'
import { explained } from './inspect-page.js'

// No audit row when nothing changed: pause is asked again and again until nobody holds a lease.
const setState = `UPDATE eventspine.subscription SET state = $2 WHERE name = $1 AND state <> $2 RETURNING name`

// Only the database's clock judges a lease: one that ran out cannot settle and starts nothing.
const countHeld = `SELECT count(*)::int AS count FROM eventspine.consumer
WHERE subscription = $1 AND owner IS NOT NULL AND lease_until > clock_timestamp()`

async function change(
  connection: Connection,
  subscription: string,
  state: 'active' | 'paused',
  actor: string,
  reason: string | undefined,
): Promise<void> {
  const changed = await connection.query('operate.state', setState, [subscription, state])
  if (changed.length === 0) return requireSubscription(connection, subscription)
  const action = state === 'paused' ? 'subscription.pause' : 'subscription.resume'
  const before = state === 'paused' ? 'active' : 'paused'
  const details = JSON.stringify({ before, after: state, reason })
  await connection.query('operate.audit', insertAudit, [actor, action, subscription, details])
}

async function requireSubscription(connection: Connection, subscription: string): Promise<void> {
  const text = 'SELECT name FROM eventspine.subscription WHERE name = $1'
  if ((await connection.query('operate.known', text, [subscription])).length > 0) return
  throw new EventspineError(
    'NOT_FOUND',
    `No subscription "${subscription}" is registered. List them to see their names.`,
  )
}

// Locked against a grant: `acquire` takes the subscription's row in share mode before it gives a lease.
const lockPaused = `SELECT name FROM eventspine.subscription WHERE name = $1 AND state = 'paused' FOR UPDATE`

const removeRows = `WITH letters AS (
  UPDATE eventspine.dead_letter SET state = 'discarded', resolved_at = clock_timestamp(), resolved_by = $2, reason = 'the subscription was removed'
  WHERE subscription = $1 AND state IN ('dead', 'redriving') RETURNING 1
), deliveries AS (DELETE FROM eventspine.delivery WHERE subscription = $1 RETURNING 1
), replays AS (UPDATE eventspine.replay SET state = 'stopped', ended_at = clock_timestamp() WHERE subscription = $1 AND state = 'running'
), cursors AS (DELETE FROM eventspine.consumer WHERE subscription = $1 RETURNING replay, shard, tick, matched, completed
), gone AS (DELETE FROM eventspine.subscription WHERE name = $1)
SELECT (SELECT count(*)::int FROM letters) AS "deadLetters", (SELECT count(*)::int FROM deliveries) AS deliveries,
  (SELECT coalesce(json_agg(c), '[]')::text FROM cursors c) AS cursors`

async function remove(
  connection: Connection,
  subscription: string,
  actor: string,
  reason: string | undefined,
): Promise<boolean> {
  await requireSubscription(connection, subscription)
  const paused = await connection.query('operate.lock-paused', lockPaused, [subscription])
  const [held] = await connection.query<{ count: number }>('operate.held', countHeld, [subscription])
  if (paused.length === 0 || (held?.count ?? 0) > 0) return false
  const [counts] = await connection.query<{ cursors: string }>('operate.remove', removeRows, [
    subscription,
    actor,
  ])
  const details = JSON.stringify({
    ...{ before: 'paused', after: 'removed', reason, ...counts },
    cursors: JSON.parse(counts?.cursors ?? '[]'),
  })
  await connection.query('operate.audit', insertAudit, [actor, 'subscription.remove', subscription, details])
  return true
}

export function operateStatements(database: Database): OperatePort {
  const transaction = <Result>(work: (connection: Connection) => Promise<Result>) =>
    explained(() => database.transaction('read', work))
  return {
    pause: (subscription, actor, reason) =>
      transaction(async (connection) => {
        await change(connection, subscription, 'paused', actor, reason)
        const [held] = await connection.query<{ count: number }>('operate.held', countHeld, [subscription])
        return held?.count ?? 0
      }),

    resume: (subscription, actor, reason) =>
      transaction((connection) => change(connection, subscription, 'active', actor, reason)),

    remove: (subscription, actor, reason) =>
      transaction((connection) => remove(connection, subscription, actor, reason)),
  }
}
