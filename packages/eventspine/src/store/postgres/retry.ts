// Rows for what did not succeed at once: due ones are claimed with their attempt counted before it runs.
import {
  type ConsumerName,
  consumerId,
  type DeliveryState,
  type Holding,
  type OpenDelivery,
  type RetryPort,
} from '../../deliver/port.js'
import { orderingKeyOf, partsOf } from '../../event/stored.js'
import type { Database } from './database.js'
import { consumerColumns } from './lease.js'
import { promoteSql } from './promote-sql.js'
import { type EventRow, eventColumns, eventOfCopy, eventOfRow } from './rows.js'

/** Rows that may not go yet, suspects and what the retry budget does not cover, behind which others are still found. */
const passedMax = 200

// Of suspects the one with the fewest deaths goes first: kills from outside then meet many of them once, and none of
// them three times.
//
// Each consumer has a limit of its own: one with a million due rows cannot starve its neighbours. A row still
// `running` under an older token belongs to a holder that died while it ran: the attempt counts as a death.
//
// Rows are found one by one, and again by where they lie: of a table that was empty when this was planned, a free join
// reads the whole index. The time is asked once: compared with a clock that moves, all rows that are not due are read.
const claim = `WITH held AS (
  SELECT h.* FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::int[], $6::int[])
    AS h(subscription, replay, shard, token, rows_max, retries_max)
  JOIN eventspine.consumer c ON c.subscription = h.subscription AND c.replay = h.replay AND c.shard = h.shard AND c.token = h.token AND c.lease_until > clock_timestamp()
), due AS (
  SELECT h.token AS held_token, h.rows_max, h.retries_max, d.* FROM held h CROSS JOIN LATERAL (
    SELECT r.subscription, r.replay, r.shard, r.epoch, r.seq, r.due_at, r.deaths, r.deaths > 0 OR r.state = 'running' AS suspect,
      r.attempt > 0 AND r.deaths = 0 AND r.state = 'retry' AS retried
    FROM eventspine.delivery r
    WHERE r.subscription = h.subscription AND r.replay = h.replay AND r.shard = h.shard
      AND r.state <> 'waiting' AND r.due_at <= (SELECT clock_timestamp()) AND (r.state = 'retry' OR r.token < h.token)
    ORDER BY r.due_at LIMIT h.rows_max + ${passedMax}) d
), affordable AS (
  SELECT * FROM (SELECT due.*, row_number() OVER (PARTITION BY subscription, replay, shard, retried ORDER BY due_at) AS retry FROM due) AS due
  WHERE NOT retried OR retry <= retries_max
), placed AS (
  SELECT a.*, row_number() OVER (PARTITION BY subscription, replay, shard, suspect ORDER BY due_at) AS place,
    row_number() OVER (PARTITION BY suspect ORDER BY deaths, due_at) AS place_of_all
  FROM affordable a
), chosen AS (
  SELECT p.held_token, r.row
  FROM placed p CROSS JOIN LATERAL (
    SELECT o.ctid AS row FROM eventspine.delivery o
    WHERE o.subscription = p.subscription AND o.replay = p.replay AND o.shard = p.shard AND o.epoch = p.epoch AND o.seq = p.seq
      AND (o.state = 'retry' OR o.state = 'running' AND o.token < p.held_token)
    FOR UPDATE SKIP LOCKED) r
  WHERE CASE WHEN p.suspect THEN p.place_of_all <= $7 ELSE p.place <= p.rows_max END
), claimed AS (
  UPDATE eventspine.delivery r
  SET state = 'running', attempt = r.attempt + 1, deaths = r.deaths + (r.state = 'running')::int, token = chosen.held_token
  FROM chosen WHERE r.ctid = chosen.row
  RETURNING r.*)
SELECT r.subscription, r.replay, r.shard, r.tick, r.state, r.attempt, r.round, r.deaths, r.redrive, r.event AS copy,
  ${eventColumns}
FROM claimed r LEFT JOIN LATERAL (
  SELECT o.* FROM eventspine.event o WHERE o.epoch = r.epoch AND o.xid = r.xid AND o.seq = r.seq OFFSET 0) e ON true
ORDER BY r.due_at, r.tick, r.seq`

interface KeyRow {
  readonly tenant: string
  readonly key: string
}

interface ClaimRow extends ConsumerName, EventRow {
  readonly tick: number
  readonly state: DeliveryState
  readonly attempt: number
  readonly round: number
  readonly deaths: number
  readonly redrive: string | null
  readonly copy: string | null
}

function openOfRow(row: ClaimRow): ConsumerName & OpenDelivery {
  return {
    subscription: row.subscription,
    replay: row.replay,
    shard: row.shard,
    event: row.copy === null ? eventOfRow(row, row.tick) : eventOfCopy(row.copy),
    state: row.state,
    attempt: row.attempt,
    round: row.round,
    deaths: row.deaths,
    redrive: row.redrive,
  }
}

// One statement sees one snapshot: under the revision that it finds, nothing runs but what was known then.
const unclaim = `WITH held AS MATERIALIZED (
  SELECT c.subscription, c.replay, c.shard, c.token
  FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS h(subscription, replay, shard, token, revision)
  JOIN eventspine.consumer c ON c.subscription = h.subscription AND c.replay = h.replay AND c.shard = h.shard
    AND c.token = h.token AND c.revision = h.revision
), known AS (
  SELECT * FROM unnest($6::text[], $7::text[], $8::int[], $9::int[], $10::bigint[]) AS k(subscription, replay, shard, epoch, seq)
), put_back AS (
  UPDATE eventspine.delivery d SET state = 'retry', attempt = d.attempt - 1 FROM held h
  WHERE d.subscription = h.subscription AND d.replay = h.replay AND d.shard = h.shard AND d.state = 'running' AND d.token = h.token
    AND NOT EXISTS (SELECT 1 FROM known k WHERE k.subscription = d.subscription AND k.replay = d.replay AND k.shard = d.shard
      AND k.epoch = d.epoch AND k.seq = d.seq))
SELECT subscription, replay, shard FROM held`

const nextDue = `SELECT (extract(epoch FROM min(d.due_at) - clock_timestamp()) * 1000)::float8 AS ms
FROM unnest($1::text[], $2::text[], $3::int[]) AS h(subscription, replay, shard)
CROSS JOIN LATERAL (
  SELECT r.due_at FROM eventspine.delivery r
  WHERE r.subscription = h.subscription AND r.replay = h.replay AND r.shard = h.shard AND r.state = 'retry'
    AND r.state <> 'waiting'
  ORDER BY r.due_at LIMIT 1) d`

const openRows = `SELECT count(*)::int AS count FROM eventspine.delivery WHERE subscription = $1 AND replay = $2 AND shard = $3`

const openKeys = `SELECT tenant, key, count(*)::int AS count FROM eventspine.delivery
WHERE subscription = $1 AND replay = $2 AND shard = $3 AND key IS NOT NULL GROUP BY tenant, key`

const haltedKeys = `SELECT DISTINCT tenant, key FROM eventspine.dead_letter
WHERE subscription = $1 AND replay = $2 AND shard = $3 AND halts AND state IN ('dead', 'redriving') AND key IS NOT NULL`

function unclaimValues(holdings: readonly Holding[]): unknown[] {
  const known = holdings.flatMap((holding) =>
    holding.known.map(({ epoch, seq }) => ({ ...holding, epoch, seq })),
  )
  return [
    ...consumerColumns(holdings),
    holdings.map(({ token }) => token),
    holdings.map(({ revision }) => revision),
    ...consumerColumns(known),
    known.map(({ epoch }) => epoch),
    known.map(({ seq }) => seq),
  ]
}

export function retryStatements(database: Database): RetryPort {
  return {
    async unclaim(holdings) {
      const values = unclaimValues(holdings)
      const looked = await database.query<ConsumerName>('deliver', 'deliver.unclaim', unclaim, values)
      return new Set(looked.map(consumerId))
    },

    async claimDue(leases, deliveriesMax, suspectsMax = deliveriesMax) {
      const values = [
        ...consumerColumns(leases),
        leases.map(({ token }) => token),
        leases.map(({ rowsMax = deliveriesMax }) => Math.min(rowsMax, deliveriesMax)),
        leases.map(({ retriesMax = deliveriesMax }) => retriesMax),
        suspectsMax,
      ]
      return (await database.query<ClaimRow>('deliver', 'deliver.claim', claim, values)).map(openOfRow)
    },

    async nextDueMs(leases) {
      const [row] = await database.query<{ ms: number | null }>(
        'deliver',
        'deliver.next-due',
        nextDue,
        consumerColumns(leases),
      )
      return row?.ms ?? null
    },

    async openRows({ subscription, replay, shard }) {
      const [row] = await database.query<{ count: number }>('deliver', 'deliver.open-rows', openRows, [
        subscription,
        replay,
        shard,
      ])
      return row?.count ?? 0
    },

    async blockedKeys({ subscription, replay, shard }) {
      const values = [subscription, replay, shard]
      const open = await database.query<KeyRow & { readonly count: number }>(
        'deliver',
        'deliver.open-keys',
        openKeys,
        values,
      )
      const halted = await database.query<KeyRow>('deliver', 'deliver.halted-keys', haltedKeys, values)
      return {
        open: new Map(open.map((row) => [orderingKeyOf(row), row.count])),
        halted: new Set(halted.map((row) => orderingKeyOf(row))),
      }
    },

    async promote({ subscription, replay, shard, token }, keys) {
      const parts = keys.map(partsOf)
      const columns = [parts.map(({ tenant }) => tenant), parts.map(({ key }) => key)]
      const values = [subscription, replay, shard, ...columns, token]
      const rows = await database.query<KeyRow>('deliver', 'deliver.promote', promoteSql, values)
      return new Set(rows.map((row) => orderingKeyOf(row)))
    },
  }
}
