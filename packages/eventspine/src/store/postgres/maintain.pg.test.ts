import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertEvents, type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import type { LifecyclePort } from '../store.js'
import { lockKey } from './exclusive.js'
import { lifecycleStatements } from './lifecycle.js'

const day = 86_400_000
const retention = {
  eventsMs: 30 * day,
  runsMs: 7 * day,
  resolvedDeadLettersMs: 30 * day,
  endedWorkflowsMs: 30 * 86_400_000,
}

let own: OwnSchema
let lifecycle: LifecyclePort
beforeEach(async () => {
  own = ownSchema()
  lifecycle = lifecycleStatements(own.database, silentLogger)
  await lifecycle.migrate()
})
afterEach(() => own.drop())

const rows = async (table: string, where = 'true') =>
  (await own.sql<{ rows: number }>(`SELECT count(*)::int AS rows FROM eventspine.${table} WHERE ${where}`))[0]
    ?.rows

test('expired ids go, however many, and the others stay', async () => {
  await own.sql(
    `INSERT INTO eventspine.idempotency SELECT 't', 's', number::text, 'f', now() + (number - 5000) * interval '1 hour' FROM generate_series(1, 5010) AS number`,
  )
  await lifecycle.maintain(retention)
  expect(await rows('idempotency')).toBe(10)
})

test('resolved dead letters go after their time; the discarded ones stay in the sum', async () => {
  await own.sql(
    "INSERT INTO eventspine.consumer (subscription, shard, tick, seq, matched) VALUES ('a', 0, 0, 0, 9), ('a', 1, 0, 0, 9)",
  )
  const letters = [
    [1, 'dead', null],
    [2, 'redriving', null],
    [3, 'discarded', 29],
    [4, 'discarded', 31],
    [5, 'redriven', 31],
    [6, 'discarded', 31],
    [7, 'redriven', 1],
  ] as const
  for (const [seq, state, daysAgo] of letters) {
    await own.sql(
      `INSERT INTO eventspine.dead_letter (subscription, replay, shard, epoch, xid, seq, tick, tenant, state, attempts, category, fingerprint, failure, event_id, event_type, event, resolved_at)
       VALUES ('a', '', 0, 1, '1', $1, 1, 't', $2, 1, 'permanent', 'f', '{}', 'i', 'e', '{}', now() - $3::int * interval '1 day')`,
      [seq, state, daysAgo],
    )
  }
  await lifecycle.maintain(retention)
  expect(await own.sql('SELECT seq FROM eventspine.dead_letter ORDER BY 1')).toEqual(
    [1, 2, 3, 7].map((seq) => ({ seq })),
  )
  expect(await own.sql('SELECT shard, discarded FROM eventspine.consumer ORDER BY 1')).toEqual([
    { shard: 0, discarded: 2 },
    { shard: 1, discarded: 0 },
  ])
})

test('an ended replay goes with its cursors, unless something of it is left', async () => {
  for (const [id, state, daysAgo] of [
    ['old', 'completed', 31],
    ['held', 'stopped', 31],
    ['young', 'completed', 1],
    ['running', 'running', null],
  ] as const) {
    await own.sql(
      "INSERT INTO eventspine.replay (id, subscription, state, from_tick, until_tick, actor, ended_at) VALUES ($1, 'a', $2, 0, 1, 'me', now() - $3::int * interval '1 day')",
      [id, state, daysAgo],
    )
    await own.sql(
      "INSERT INTO eventspine.consumer (subscription, replay, shard, tick, seq) VALUES ('a', $1, 0, 0, 0)",
      [id],
    )
  }
  await own.sql("INSERT INTO eventspine.consumer (subscription, shard, tick, seq) VALUES ('a', 0, 0, 0)")
  await own.sql(`INSERT INTO eventspine.delivery (subscription, replay, shard, epoch, xid, seq, tick, tenant, state, attempt, token, due_at)
    VALUES ('a', 'held', 0, 1, '1', 1, 1, 't', 'retry', 1, 1, now())`)
  await lifecycle.maintain(retention)
  expect(await own.sql('SELECT id FROM eventspine.replay ORDER BY 1')).toEqual(
    ['held', 'running', 'young'].map((id) => ({ id })),
  )
  expect(await own.sql('SELECT replay FROM eventspine.consumer ORDER BY 1')).toEqual(
    ['', 'held', 'running', 'young'].map((replay) => ({ replay })),
  )
})

test('ended redrives go with their items, lost workers and quiet breakers go', async () => {
  for (const [id, daysAgo] of [
    ['old', 31],
    ['young', 1],
    ['running', null],
  ] as const) {
    await own.sql(
      "INSERT INTO eventspine.redrive (id, state, filter, rate, canary, stop_at_error_rate, selected, actor, ended_at) VALUES ($1, 'running', '{}', 1, 1, 1, 1, 'me', now() - $2::int * interval '1 day')",
      [id, daysAgo],
    )
    await own.sql(
      "INSERT INTO eventspine.redrive_item SELECT $1, number, 'a', '', 0, 1, number, 'succeeded' FROM generate_series(1, 2500) AS number",
      [id],
    )
  }
  await own.sql(
    "INSERT INTO eventspine.worker (id, identity, host, process_id, version, consumers, heartbeat_at) VALUES ('lost', '', '', 1, '', 0, now() - interval '2 hours'), ('live', '', '', 1, '', 0, now())",
  )
  await own.sql(
    "INSERT INTO eventspine.breaker (name, state, window_began_at) VALUES ('quiet', 'closed', now() - interval '2 days'), ('open', 'open', now() - interval '2 days'), ('used', 'closed', now())",
  )
  await lifecycle.maintain(retention)
  await lifecycle.maintain(retention)
  expect(await own.sql('SELECT id FROM eventspine.redrive ORDER BY 1')).toEqual([
    { id: 'running' },
    { id: 'young' },
  ])
  expect(await rows('redrive_item')).toBe(5_000)
  expect(await own.sql('SELECT id FROM eventspine.worker')).toEqual([{ id: 'live' }])
  expect(await own.sql('SELECT name FROM eventspine.breaker ORDER BY 1')).toEqual([
    { name: 'open' },
    { name: 'used' },
  ])
})

test('one worker at a time: another returns and has done nothing', async () => {
  await own.sql("INSERT INTO eventspine.idempotency VALUES ('t', 's', '1', 'f', now() - interval '1 hour')")
  const first = await own.session()
  await first.sql('BEGIN')
  await first.sql(`SELECT pg_advisory_xact_lock(${lockKey('eventspine.maintain')})`)
  await lifecycle.maintain(retention)
  expect(await rows('idempotency')).toBe(1)
  await first.sql('COMMIT')
  await first.end()
  await lifecycle.maintain(retention)
  expect(await rows('idempotency')).toBe(0)
})

test('a partition is analysed when it has grown, and not while it is empty', async () => {
  const analyzed = () =>
    own.sql(
      "SELECT reltuples FROM pg_class WHERE relname ~ '^event_1_' AND relkind = 'r' AND relnamespace = $1::regnamespace AND reltuples >= 0",
      [own.database.schema],
    )
  const session = await own.session()
  await session.sql(insertEvents(1_500))
  await session.sql('SELECT pg_stat_force_next_flush()')
  await session.end()
  await own.waitFor(
    "SELECT FROM pg_stat_all_tables WHERE schemaname = $1 AND relname ~ '^event_' HAVING sum(n_live_tup) = 1500",
    [own.database.schema],
  )
  await lifecycle.maintain(retention)
  expect(await analyzed()).toEqual([{ reltuples: 1_500 }])
})
