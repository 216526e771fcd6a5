// Writes subscriptions down, and gives a new one its cursors at its start position.
import { endOfTick } from '../../event/stored.js'
import { EventspineError } from '../../kernel/index.js'
import type { SubscriptionRecord } from '../store.js'
import type { Connection, Database } from './database.js'
import { lockKey } from './exclusive.js'
import { type TickRow, tickStatement } from './tick-sql.js'

const ticksTriedMax = 100
const seenMinutes = 1

/**
 * Safe to call from any number of processes at once. A subscription that is known keeps its cursors; another number
 * of shards is refused, since a key would move to a cursor that stands elsewhere.
 */
export async function registerSubscriptions(
  database: Database,
  subscriptions: readonly SubscriptionRecord[],
): Promise<void> {
  if (subscriptions.length === 0) return
  // Made first and in a transaction of its own: nobody can make a tick while a transaction with one is open. What is
  // committed from here on belongs to a subscription that starts now.
  const now = (await lacksConsumers(database, subscriptions)) ? await forceTick(database) : 0
  await database.transaction('read', async (connection) => {
    await connection.query('register.lock', `SELECT pg_advisory_xact_lock(${lockKey('eventspine.register')})`)
    await refuseOtherShards(connection, subscriptions)
    await connection.query('register.changes', changesText, columnsOf(subscriptions))
    await connection.query('register.subscriptions', upsertText, columnsOf(subscriptions))
    await connection.query('register.consumers', consumersText, [...startsOf(subscriptions), now, endOfTick])
  })
}

async function lacksConsumers(
  database: Database,
  subscriptions: readonly SubscriptionRecord[],
): Promise<boolean> {
  const names = subscriptions
    .filter((subscription) => subscription.start === 'now')
    .map((subscription) => subscription.name)
  const [row] = await database.query<{ lacks: boolean }>(
    'read',
    'register.lacks',
    `SELECT EXISTS (SELECT FROM unnest($1::text[]) AS asked(name)
       WHERE NOT EXISTS (SELECT FROM eventspine.consumer c WHERE c.subscription = asked.name AND c.replay = '')) AS lacks`,
    [names],
  )
  return row?.lacks ?? false
}

// A lost race is tried again: the winner's snapshot may be older than this call.
async function forceTick(database: Database): Promise<number> {
  for (let tried = 0; tried < ticksTriedMax; tried++) {
    const [tick] = await database.query<TickRow>('read', 'deliver.tick', tickStatement, [true])
    if (tick !== undefined) return tick.number
  }
  throw new EventspineError('UNAVAILABLE', 'No tick could be made for a new subscription. Call again.', {
    retryAfterMs: 1_000,
  })
}

async function refuseOtherShards(
  connection: Connection,
  subscriptions: readonly SubscriptionRecord[],
): Promise<void> {
  const known = await connection.query<{ name: string; shards: number }>(
    'register.known',
    'SELECT name, shards FROM eventspine.subscription WHERE name = ANY($1::text[])',
    [subscriptions.map((subscription) => subscription.name)],
  )
  const shards = new Map(known.map((row) => [row.name, row.shards]))
  for (const subscription of subscriptions) {
    const before = shards.get(subscription.name)
    if (before === undefined || before === subscription.shards) continue
    throw new EventspineError(
      'SHARDS_CHANGED',
      `Subscription "${subscription.name}" was first seen with ${before} shards and now asks for ${subscription.shards}. ` +
        `Set shards: ${before} again, or give it a new name: that is a new subscription, with a start position of its own.`,
    )
  }
}

function columnsOf(subscriptions: readonly SubscriptionRecord[]): unknown[] {
  return [
    subscriptions.map((subscription) => subscription.name),
    subscriptions.map((subscription) => subscription.priority),
    subscriptions.map((subscription) => subscription.shards),
    subscriptions.map((subscription) => JSON.stringify(subscription.on)),
    subscriptions.map((subscription) => JSON.stringify(subscription.policies)),
    subscriptions.map((subscription) => subscription.app),
  ]
}

// Rewritten only when something changed or a minute went by: a fleet that restarts says the same a thousand times.
const upsertText = `
INSERT INTO eventspine.subscription AS s (name, app, priority, shards, types, policies)
SELECT i.name, i.app, i.priority, i.shards, ARRAY(SELECT json_array_elements_text(i.types::json)), i.policies::json
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[]) AS i(name, priority, shards, types, policies, app)
ORDER BY i.name
ON CONFLICT (name) DO UPDATE
SET app = excluded.app, priority = excluded.priority, types = excluded.types, policies = excluded.policies, seen_at = excluded.seen_at
WHERE s.seen_at < clock_timestamp() - interval '${seenMinutes} minute'
  OR (s.app, s.priority, s.types, s.policies::text) IS DISTINCT FROM (excluded.app, excluded.priority, excluded.types, excluded.policies::text)`

// A changed definition takes effect at the cursors that stand here, and this says where that was.
const changesText = `
INSERT INTO eventspine.audit (actor, action, target, details)
SELECT 'app', 'subscription.change', s.name, json_build_object('from', json_build_object('app', s.app, 'on', s.types, 'policies', s.policies),
  'to', json_build_object('app', i.app, 'on', i.types::json, 'policies', i.policies::json), 'priority', i.priority, 'shards', i.shards,
  'cursors', (SELECT json_agg(json_build_object('shard', c.shard, 'tick', c.tick, 'seq', c.seq) ORDER BY c.shard)
    FROM eventspine.consumer c WHERE c.subscription = s.name AND c.replay = ''))
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[]) AS i(name, priority, shards, types, policies, app)
JOIN eventspine.subscription s ON s.name = i.name
WHERE (s.app, s.types, s.policies::text) IS DISTINCT FROM (i.app, ARRAY(SELECT json_array_elements_text(i.types::json)), i.policies)`

function startsOf(subscriptions: readonly SubscriptionRecord[]): unknown[] {
  const time = (start: SubscriptionRecord['start']) => (start instanceof Date ? start.toISOString() : null)
  return [
    subscriptions.map((subscription) => subscription.name),
    subscriptions.map((subscription) => subscription.shards),
    subscriptions.map((subscription) => subscription.start === 'now'),
    subscriptions.map((subscription) => time(subscription.start)),
  ]
}

// A time: behind the last tick made before it. What an earlier tick may hold of it was recorded before the tick was
// made, hence before that time; the minute is for a database clock that was set back. What the first ticks hold from
// before is passed over by from_time.
const consumersText = `
INSERT INTO eventspine.consumer (subscription, replay, shard, tick, seq, from_time)
SELECT i.name, '', shard, CASE
    WHEN i.now THEN $5::bigint
    WHEN i.from_time IS NULL THEN 0
    ELSE coalesce((SELECT t.number FROM eventspine.tick t WHERE t.made_at < i.from_time - interval '1 minute' ORDER BY t.made_at DESC LIMIT 1), 0)
  END, $6::bigint, i.from_time
FROM unnest($1::text[], $2::int[], $3::boolean[], $4::timestamptz[]) AS i(name, shards, now, from_time)
CROSS JOIN generate_series(0, i.shards - 1) AS shard
ORDER BY i.name, shard
ON CONFLICT (subscription, replay, shard) DO NOTHING`
