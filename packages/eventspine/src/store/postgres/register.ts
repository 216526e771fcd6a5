// Writes subscriptions down, and gives a new one its cursors at its start position.
import { endOfTick } from '../../event/stored.js'
import { EventspineError } from '../../kernel/index.js'
import type { SubscriptionRecord } from '../store.js'
import type { Connection, Database } from './database.js'
import { hasCode, lockKey } from './exclusive.js'
import { mannedText } from './lease.js'
import { type TickRow, tickStatement } from './tick-sql.js'

const ticksTriedMax = 100
const triesMax = 10
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
  // committed from here on belongs to a subscription that starts now, and to a choice of events that changes now.
  const outside: Connection = { query: (name, text, values) => database.query('read', name, text, values) }
  let now = needsTick(await standingsOf(outside, subscriptions)) ? await forceTick(database) : undefined
  for (let tries = 1; ; tries++) {
    try {
      if (await database.transaction('read', (connection) => register(connection, subscriptions, now))) return
      now = await forceTick(database)
    } catch (error) {
      // Against settlements and grants, which lock the same cursors in an order of their own.
      if (tries >= triesMax || !hasCode(error, 'deadlock_detected')) throw error
    }
  }
}

/** False, and nothing, when it turned out to need a tick and was given none. */
async function register(
  connection: Connection,
  subscriptions: readonly SubscriptionRecord[],
  now: number | undefined,
): Promise<boolean> {
  await connection.query('register.lock', `SELECT pg_advisory_xact_lock(${lockKey('eventspine.register')})`)
  const standings = await standingsOf(connection, subscriptions)
  if (now === undefined && needsTick(standings)) return false
  const heldBack = new Set(standings.flatMap(({ name, heldBack: is }) => (is ? [name] : [])))
  const written = subscriptions.filter(({ name }) => !heldBack.has(name))
  const changed = standings.flatMap(({ name, changes, heldBack: is }) => (changes && !is ? [name] : []))
  await refuseOtherShards(connection, subscriptions)
  await connection.query('register.changes', changesText, [...columnsOf(written), changed, now ?? null])
  await connection.query('register.subscriptions', upsertText, columnsOf(written))
  if (changed.length > 0) await connection.query('register.superseded', supersededText, [changed, now])
  await connection.query('register.consumers', consumersText, [...startsOf(written), now ?? 0, endOfTick])
  return true
}

interface Registering {
  readonly name: string
  /** It starts now, and has no cursor yet. */
  readonly starts: boolean
  /** It chooses other events than what is registered. */
  readonly changes: boolean
  /** Somebody runs what a newer build has registered. */
  readonly heldBack: boolean
}

const needsTick = (standings: readonly Registering[]) =>
  standings.some(({ starts, changes, heldBack }) => starts || (changes && !heldBack))

async function standingsOf(
  connection: Connection,
  subscriptions: readonly SubscriptionRecord[],
): Promise<Registering[]> {
  return await connection.query<Registering>('register.standings', standingsText, [
    subscriptions.map(({ name }) => name),
    subscriptions.map(({ start }) => start === 'now'),
    subscriptions.map(({ selection }) => selection),
    subscriptions.map(({ build }) => build),
  ])
}

const standingsText = `SELECT i.name,
  i.now AND NOT EXISTS (SELECT FROM eventspine.consumer c WHERE c.subscription = i.name AND c.replay = '') AS starts,
  coalesce(s.selection NOT IN ('', i.selection), false) AS changes,
  coalesce(s.selection NOT IN ('', i.selection) AND i.build < s.build AND EXISTS (${mannedText}), false) AS "heldBack"
FROM unnest($1::text[], $2::boolean[], $3::text[], $4::bigint[]) AS i(name, now, selection, build)
LEFT JOIN eventspine.subscription s ON s.name = i.name`

// Whoever holds it with the definition of before may still record what lies before this: what it has in hand comes to its
// end. A second change finds the first one's mark where nobody was granted it in between.
const supersededText = `UPDATE eventspine.consumer SET superseded_tick = coalesce(superseded_tick, greatest(tick, $2::bigint))
WHERE replay = '' AND subscription = ANY($1::text[])`

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
    subscriptions.map((subscription) => subscription.selection),
    subscriptions.map((subscription) => subscription.build),
  ]
}

const given = `unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
  AS i(name, priority, shards, types, policies, app, selection, build)`

// Rewritten only when something changed or a minute went by: a fleet that restarts says the same a thousand times.
const upsertText = `
INSERT INTO eventspine.subscription AS s (name, app, priority, shards, types, policies, selection, build)
SELECT i.name, i.app, i.priority, i.shards, ARRAY(SELECT json_array_elements_text(i.types::json)), i.policies::json, i.selection, i.build
FROM ${given} ORDER BY i.name
ON CONFLICT (name) DO UPDATE
SET app = excluded.app, priority = excluded.priority, types = excluded.types, policies = excluded.policies, seen_at = excluded.seen_at,
  selection = excluded.selection,
  build = CASE WHEN s.selection = excluded.selection THEN greatest(s.build, excluded.build) ELSE excluded.build END
WHERE s.seen_at < clock_timestamp() - interval '${seenMinutes} minute'
  OR (s.app, s.priority, s.types, s.policies::text, s.selection, s.build) IS DISTINCT FROM
    (excluded.app, excluded.priority, excluded.types, excluded.policies::text, excluded.selection, excluded.build)`

// A changed definition takes effect at the cursors that stand here, and this says where that was. Where it chooses other
// events, what was committed behind `tick` is chosen by it alone.
const changesText = `
INSERT INTO eventspine.audit (actor, action, target, details)
SELECT 'app', 'subscription.change', s.name, json_build_object('from', json_build_object('app', s.app, 'on', s.types, 'policies', s.policies),
  'to', json_build_object('app', i.app, 'on', i.types::json, 'policies', i.policies::json), 'priority', i.priority, 'shards', i.shards,
  'tick', CASE WHEN i.name = ANY($9::text[]) THEN $10::bigint END, 'cursors', (SELECT json_agg(json_build_object('shard', c.shard, 'tick', c.tick, 'seq', c.seq) ORDER BY c.shard)
    FROM eventspine.consumer c WHERE c.subscription = s.name AND c.replay = ''))
FROM ${given} JOIN eventspine.subscription s ON s.name = i.name
WHERE i.name = ANY($9::text[])
  OR (s.app, s.types, s.policies::text) IS DISTINCT FROM (i.app, ARRAY(SELECT json_array_elements_text(i.types::json)), i.policies)`

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
