// Leases on consumers. Only the database's clock judges expiry, and every grant raises the token.
import {
  type ConsumerName,
  consumerId,
  type Lease,
  type LeasePort,
  type OwnStanding,
  returnsWithinMs,
  type WorkerRow,
} from '../../deliver/port.js'
import type { Database } from './database.js'

// FOR SHARE: a pause that commits meanwhile is seen, also by a grant whose snapshot is older; without it a paused
// subscription could be granted once more. SKIP LOCKED: two workers that ask at once share out what is free instead of waiting for each other.
const acquire = `WITH free AS (
  SELECT k.subscription, k.replay, k.shard, s.shards
  FROM eventspine.consumer k JOIN eventspine.subscription s ON s.name = k.subscription
  WHERE s.state = 'active' AND NOT k.finished AND k.subscription = ANY($2::text[])
    AND (k.owner IS NULL OR k.lease_until < clock_timestamp() OR k.owner = ANY($4::text[]))
    AND (s.selection = '' OR ($6::text[])[array_position($2::text[], k.subscription)] IN ('', s.selection))
  ORDER BY (s.priority = 'alarm') DESC, k.replay <> '', random()
  LIMIT $5 FOR UPDATE OF k SKIP LOCKED FOR SHARE OF s)
UPDATE eventspine.consumer c
SET owner = $1, token = c.token + 1, superseded_tick = NULL, deaths = c.deaths + (c.owner IS NOT NULL)::int,
    lease_until = clock_timestamp() + l.lease_ms * interval '1 millisecond'
FROM free f, unnest($2::text[], $3::float8[]) AS l(name, lease_ms)
WHERE c.subscription = f.subscription AND c.replay = f.replay AND c.shard = f.shard AND l.name = c.subscription
RETURNING c.subscription, c.replay, c.shard, c.token, c.revision, f.shards, c.tick, c.seq, c.until_tick, c.deaths,
  (extract(epoch FROM c.from_time) * 1000)::float8 AS from_ms`

const orphan = `UPDATE eventspine.consumer SET lease_until = '-infinity' WHERE owner = ANY($1::text[])`

interface LeaseRow extends ConsumerName {
  readonly token: number
  readonly revision: number
  readonly shards: number
  readonly tick: number
  readonly seq: number
  readonly until_tick: number | null
  readonly deaths: number
  readonly from_ms: number | null
}

const leaseOfRow = (row: LeaseRow): Lease => ({
  subscription: row.subscription,
  replay: row.replay,
  shard: row.shard,
  token: row.token,
  revision: row.revision,
  shards: row.shards,
  tick: row.tick,
  seq: row.seq,
  untilTick: row.until_tick,
  fromTimeMs: row.from_ms,
  deaths: row.deaths,
})

// A lease that ran out is gone, though nobody took it yet: a pause may have been acknowledged on the strength of that.
// The token is part of the condition: a heartbeat that only asked for the owner's name would revive a lease that
// ran out, was granted to a neighbour and came back.
const renewOne = `UPDATE eventspine.consumer c SET lease_until = clock_timestamp() + h.lease_ms * interval '1 millisecond'
FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::float8[]) AS h(subscription, replay, shard, token, lease_ms)
WHERE c.subscription = h.subscription AND c.replay = h.replay AND c.shard = h.shard AND c.token = h.token AND c.owner = $1
  AND c.lease_until > clock_timestamp()
RETURNING c.subscription, c.replay, c.shard`

// Those that nobody writes at this moment. It must wait for none: a flush writes several rows, in whatever order, and who waits for one
// of them while it holds another stands still with it until PostgreSQL has found the deadlock, a second later, and all alarms of the
// process behind both.
const renewFree = `WITH free AS (
  SELECT k.subscription, k.replay, k.shard, h.lease_ms
  FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::float8[]) AS h(subscription, replay, shard, token, lease_ms)
  JOIN eventspine.consumer k ON k.subscription = h.subscription AND k.replay = h.replay AND k.shard = h.shard AND k.token = h.token
    AND k.owner = $1 AND k.lease_until > clock_timestamp()
  FOR NO KEY UPDATE OF k SKIP LOCKED)
UPDATE eventspine.consumer c SET lease_until = clock_timestamp() + f.lease_ms * interval '1 millisecond'
FROM free f WHERE c.subscription = f.subscription AND c.replay = f.replay AND c.shard = f.shard
RETURNING c.subscription, c.replay, c.shard`

// A holder that gives its lease back did not die: what it had claimed must not look as if it had killed somebody. When a
// replay was stopped its holder has the token before; had somebody followed, there would be two between.
const release = `WITH released AS (
  UPDATE eventspine.consumer c SET owner = NULL, lease_until = '-infinity'
  FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[]) AS h(subscription, replay, shard, token)
  WHERE c.subscription = h.subscription AND c.replay = h.replay AND c.shard = h.shard AND (c.token = h.token
    OR c.token = h.token + 1 AND EXISTS (SELECT FROM eventspine.replay p WHERE p.id = c.replay AND p.state = 'stopped'))
  RETURNING c.subscription, c.replay, c.shard, c.token)
UPDATE eventspine.delivery d SET state = 'retry' FROM released r
WHERE d.subscription = r.subscription AND d.replay = r.replay AND d.shard = r.shard AND d.state = 'running' AND d.token = r.token`

/** Whether `s` is run as it is registered: these workers. One that was silent for a while may come back, where it had lived for a while before:
 *  one that dies again and again as it starts must not keep others off. */
export const mannedText = `SELECT FROM eventspine.worker w WHERE s.selection = ANY(w.selections)
  AND (w.heartbeat_at > clock_timestamp() - interval '15 seconds'
    OR (w.heartbeat_at > clock_timestamp() - interval '${returnsWithinMs / 1_000} seconds'
      AND w.heartbeat_at > w.started_at + interval '${returnsWithinMs / 1_000} seconds'))`

// One statement, once a second in every process, where four were. Its own row is as written here; the others as they
// stood.
const heartbeat = `WITH beat AS (
  INSERT INTO eventspine.worker AS w (id, identity, host, process_id, version, consumers, selections, running)
  VALUES ($1, $2, $3, $4, $5, $6, $8, $9)
  ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), consumers = excluded.consumers, running = excluded.running
  RETURNING w.*),
live AS (
  SELECT * FROM beat
  UNION ALL
  SELECT * FROM eventspine.worker WHERE id <> $1 AND heartbeat_at > clock_timestamp() - interval '15 seconds'),
own AS (
  SELECT s.name, s.build, s.selection = '' OR o.selection IN ('', s.selection) AS current,
    (SELECT count(*) FROM eventspine.consumer c WHERE c.subscription = s.name AND NOT c.finished AND s.state = 'active') AS consumers,
    (SELECT count(*) FROM live l WHERE s.selection = '' OR s.selection = ANY(l.selections)) AS runners,
    EXISTS (${mannedText}) AS manned
  FROM unnest($7::text[], $8::text[]) AS o(name, selection) JOIN eventspine.subscription s ON s.name = o.name)
SELECT id, identity, host, process_id, version, consumers, running,
  (extract(epoch FROM started_at) * 1000)::float8 AS started_ms,
  (extract(epoch FROM heartbeat_at) * 1000)::float8 AS heartbeat_ms,
  ARRAY(SELECT name FROM eventspine.subscription WHERE state = 'paused') AS paused,
  (SELECT json_object_agg(name, json_build_object('current', current, 'build', build, 'manned', manned,
     'consumers', consumers, 'runners', runners)) FROM own) AS own, silent
FROM (SELECT *, false AS silent FROM live UNION ALL
  SELECT *, true FROM eventspine.worker WHERE id <> $1 AND heartbeat_at <= clock_timestamp() - interval '15 seconds'
    AND heartbeat_at > clock_timestamp() - interval '1 hour') AS known ORDER BY id`

interface HeartbeatRow extends WorkerDataRow {
  readonly paused: readonly string[]
  readonly silent: boolean
  /** JSON; null where none of them is registered. */
  readonly own: string | null
}

interface WorkerDataRow {
  readonly id: string
  readonly identity: string
  readonly host: string
  readonly process_id: number
  readonly version: string
  readonly consumers: number
  /** JSON. */
  readonly running: string
  readonly started_ms: number
  readonly heartbeat_ms: number
}

export const workerOfRow = (row: WorkerDataRow): WorkerRow => ({
  id: row.id,
  identity: row.identity,
  host: row.host,
  processId: row.process_id,
  version: row.version,
  startedAtMs: row.started_ms,
  heartbeatAtMs: row.heartbeat_ms,
  consumers: row.consumers,
  running: JSON.parse(row.running) as Record<string, number>,
})

/** Column arrays of consumers: subscription, replay, shard. */
export const consumerColumns = (consumers: readonly ConsumerName[]) => [
  consumers.map((consumer) => consumer.subscription),
  consumers.map((consumer) => consumer.replay),
  consumers.map((consumer) => consumer.shard),
]

export function leaseStatements(database: Database): LeasePort {
  return {
    async acquire({ worker, leaseMs, selections = {}, consumersMax, deadWorkers }) {
      // All of its leases end, not just those granted now: who knows that it is dead may take only a part of them, or none.
      if (deadWorkers.length > 0) await database.query('heartbeat', 'deliver.orphan', orphan, [deadWorkers])
      if (consumersMax <= 0) return []
      const names = Object.keys(leaseMs)
      const own = names.map((name) => selections[name] ?? '')
      const values = [worker, names, Object.values(leaseMs), deadWorkers, consumersMax, own]
      return (await database.query<LeaseRow>('heartbeat', 'deliver.acquire', acquire, values)).map(leaseOfRow)
    },

    async renew({ worker, leases }) {
      const ask = async (name: string, text: string, some: typeof leases) => {
        const [tokens, leaseMs] = [some.map(({ token }) => token), some.map((each) => each.leaseMs)]
        const values = [worker, ...consumerColumns(some), tokens, leaseMs]
        return (await database.query<ConsumerName>('heartbeat', name, text, values)).map(consumerId)
      }
      const renewed = new Set(await ask('deliver.renew', renewFree, leases))
      // Lost, or being written: one after another, and holding no other.
      for (const lease of leases)
        if (!renewed.has(consumerId(lease)))
          for (const id of await ask('deliver.renew-one', renewOne, [lease])) renewed.add(id)
      return renewed
    },

    async release(leases) {
      await database.query('heartbeat', 'deliver.release', release, [
        ...consumerColumns(leases),
        leases.map((lease) => lease.token),
      ])
    },

    async heartbeat(worker, selections) {
      const { id, identity, host, processId, version, consumers, running } = worker
      const own = [Object.keys(selections), Object.values(selections)]
      const values = [id, identity, host, processId, version, consumers, ...own, JSON.stringify(running)]
      const rows = await database.query<HeartbeatRow>('heartbeat', 'deliver.heartbeat', heartbeat, values)
      const [{ paused, own: standings }] = rows as [HeartbeatRow, ...HeartbeatRow[]]
      const standing = JSON.parse(standings ?? '{}') as Record<string, OwnStanding>
      return {
        workers: rows.filter(({ silent }) => !silent).map(workerOfRow),
        silent: rows.filter(({ silent }) => silent).map(workerOfRow),
        paused: new Set(paused),
        own: new Map(Object.entries(standing)),
      }
    },

    async removeWorker(id) {
      await database.query(
        'heartbeat',
        'deliver.remove-worker',
        'DELETE FROM eventspine.worker WHERE id = $1',
        [id],
      )
    },
  }
}
