import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endOfTick } from '../../event/stored.js'
import {
  deadLettersOf,
  failure,
  leaseOf,
  newEvent,
  openTestStore,
  readAll,
  record,
  settlementTo,
  type TestStore,
} from './inspect.fixture.js'
import { lookEventsMax } from './inspect-lag.js'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())

/** Asked for alone it is as among all. */
async function viewOf(name: string) {
  const among = (await store.subscriptions()).find((view) => view.name === name)
  const alone = await store.subscriptions(name)
  // Time goes on between the two.
  const still = { lagSeconds: 0 }
  expect(alone.map((view) => ({ ...view, ...still }))).toEqual([{ ...among, ...still }])
  return alone[0]
}

async function settleToEnd(name: string): Promise<void> {
  const [{ number } = { number: 0 }] = await store.sql<{ number: number }>(
    'SELECT max(number) AS number FROM eventspine.tick',
  )
  const lease = await leaseOf(store, name)
  await store.settle('worker-1', [settlementTo(lease, number)])
  await store.release([lease])
}

describe('subscriptions', () => {
  test('show definition, counts and owners from one view', async () => {
    await store.register([
      record('counted', { on: ['counted.*'], priority: 'alarm', policies: { deadlineMs: 5 } }),
    ])
    const events = Array.from({ length: 6 }, () => newEvent({ type: 'counted.a' }))
    await deadLettersOf(store, 'counted', events.slice(0, 3))
    await store.append(events.slice(3))
    const rest = (await readAll(store)).slice(-3)
    const lease = await leaseOf(store, 'counted')
    const opened = rest.slice(0, 1).map((event) => ({
      event,
      state: 'retry' as const,
      attempt: 1,
      round: 0,
      deaths: 0,
      dueInMs: 60_000,
      failure,
    }))
    const counts = { matched: 3, completed: 1, skipped: 1 }
    await store.settle('worker-1', [settlementTo(lease, rest.at(-1)?.tick ?? 0, { counts, opened })])
    const [letter] = (await store.deadLetters({ subscription: 'counted' })).items
    await store.discard({ ids: [letter?.id as string] }, 'anna', 'test')
    const view = await viewOf('counted')
    expect(view).toMatchObject({
      state: 'active',
      priority: 'alarm',
      on: ['counted.*'],
      shards: 1,
      policies: { deadlineMs: 5 },
      matched: 6,
      completed: 1,
      retrying: 1,
      dead: 2,
      discarded: 1,
      skipped: 1,
      owners: ['worker-1'],
    })
    // What retention removed is not lost to the sum.
    await store.sql(`UPDATE eventspine.dead_letter SET resolved_at = '2020-01-01' WHERE state = 'discarded'`)
    await store.maintain({
      eventsMs: 1e12,
      runsMs: 1e12,
      resolvedDeadLettersMs: 1_000,
      endedWorkflowsMs: 30 * 86_400_000,
    })
    expect(await viewOf('counted')).toMatchObject({ dead: 2, discarded: 1 })
    await store.release([lease])
    expect(await viewOf('counted')).toMatchObject({ owners: [] })
  })

  test('name their app, and every key that is halted, however many letters came since', async () => {
    await store.register([record('halted', { on: ['halted.*'], app: 'bank' })])
    await deadLettersOf(store, 'halted', [newEvent({ type: 'halted.a', key: 'k' })])
    await store.sql(`UPDATE eventspine.dead_letter SET halts = true WHERE subscription = 'halted'`)
    await store.sql(`INSERT INTO eventspine.dead_letter (subscription, replay, shard, epoch, xid, seq, tick, key, tenant, attempts,
        category, fingerprint, failure, halts, event_id, event_type, event)
      SELECT subscription, replay, shard, epoch, xid, seq + n, tick, CASE WHEN n < 3 THEN key ELSE 'of ' || n END, tenant, attempts,
        category, fingerprint, failure, n < 3, event_id, event_type, event
      FROM eventspine.dead_letter, generate_series(1, 600) n WHERE subscription = 'halted'`)
    expect(await viewOf('halted')).toMatchObject({ app: 'bank', dead: 601, haltedKeys: 1 })
    await store.sql(`DELETE FROM eventspine.dead_letter WHERE subscription = 'halted'`)
    expect(await viewOf('halted')).toMatchObject({ haltedKeys: 0 })
    await store.register([record('halted', { on: ['halted.*'], app: 'shop' })])
    expect(await viewOf('halted')).toMatchObject({ app: 'shop' })
  })

  test('leave replays out of their counts', async () => {
    await store.register([record('with-replay', { on: ['with-replay.*'] })])
    await store.createReplay('counted-replay', { subscription: 'with-replay', actor: 'anna' })
    await store.sql(`UPDATE eventspine.consumer SET matched = 100 WHERE replay = 'counted-replay'`)
    expect(await viewOf('with-replay')).toMatchObject({ matched: 0, retrying: 0, dead: 0 })
  })
})

describe('lag', () => {
  test('is exactly 0 at the end, whatever numbers were burnt, and counts what is behind the cursor', async () => {
    await store.register([record('lagging', { on: ['lagging.*'], shards: 2 })])
    await store.tick(0, 1_000)
    for (const shard of [0, 1]) {
      await store.sql(
        `UPDATE eventspine.consumer SET tick = (SELECT max(number) FROM eventspine.tick), seq = $1
        WHERE subscription = 'lagging' AND shard = $2`,
        [endOfTick, shard],
      )
    }
    expect(await viewOf('lagging')).toMatchObject({ lagEvents: 0, lagSeconds: 0 })
    await store.sql(`SELECT nextval('eventspine.event_seq')`)
    expect(await viewOf('lagging')).toMatchObject({ lagEvents: 0, lagSeconds: 0 })

    await store.append(Array.from({ length: 5 }, () => newEvent({ type: 'lagging.a' })))
    const unticked = await viewOf('lagging')
    expect(unticked?.lagEvents).toBe(5)
    expect(unticked?.lagSeconds).toBeGreaterThan(0)
    await store.tick(0, 1_000)
    expect((await viewOf('lagging'))?.lagEvents).toBe(5)
    await store.sql(
      `UPDATE eventspine.event SET recorded_at = clock_timestamp() - interval '90 seconds' WHERE type = 'lagging.a'`,
    )
    const behind = await viewOf('lagging')
    expect(behind?.lagSeconds).toBeGreaterThanOrEqual(90)
    expect(behind?.lagExact).toBe(true)
    // The slowest shard counts.
    await store.sql(
      `UPDATE eventspine.consumer SET tick = (SELECT max(number) FROM eventspine.tick) WHERE subscription = 'lagging' AND shard = 0`,
    )
    expect(await viewOf('lagging')).toMatchObject({ lagEvents: 5, lagExact: false })
    await store.sql(
      `UPDATE eventspine.consumer SET tick = (SELECT max(number) FROM eventspine.tick) WHERE subscription = 'lagging' AND shard = 1`,
    )
    expect(await viewOf('lagging')).toMatchObject({ lagEvents: 0, lagSeconds: 0 })
  })

  test('inside a tick counts from the cursor', async () => {
    await store.register([record('inside', { on: ['inside.*'] })])
    await store.append(Array.from({ length: 5 }, () => newEvent({ type: 'inside.a' })))
    const events = (await readAll(store)).slice(-5)
    await store.sql(`UPDATE eventspine.consumer SET tick = $1, seq = $2 WHERE subscription = 'inside'`, [
      events[1]?.tick,
      events[1]?.seq,
    ])
    expect((await viewOf('inside'))?.lagEvents).toBe(3)
  })

  test('sees what a transaction that was open at the last tick has committed since', async () => {
    await store.register([record('open', { on: ['open.*'] })])
    const client = await store.database.connect('transaction')
    await client.query('BEGIN')
    const executor = async (text: string, values: readonly unknown[]) =>
      (await client.query(text, [...values])).rows
    await store.appendWithin(executor, [newEvent({ type: 'open.a' })])
    await store.append([newEvent({ type: 'open.b' })])
    await store.tick(0, 1_000)
    await settleToEnd('open')
    expect(await viewOf('open')).toMatchObject({ lagEvents: 0, lagSeconds: 0 })
    await client.query('COMMIT')
    client.release()
    expect((await viewOf('open'))?.lagEvents).toBeGreaterThan(0)
  })
})

describe('lag behind what others write', () => {
  const flood = (events: number, type: string) =>
    store.append(Array.from({ length: events }, () => newEvent({ type })))
  const more = 2 * lookEventsMax

  test('is of its own types, also where they come after more than is counted', async () => {
    await store.register([
      record('rare', { on: ['rare.a', 'rare.b'] }),
      record('frequent', { on: ['flood.a'] }),
      record('patterned', { on: ['flood.*'] }),
      record('unconcerned', { on: ['rare.c'] }),
    ])
    for (const name of ['rare', 'frequent', 'patterned', 'unconcerned']) await settleToEnd(name)
    await flood(more, 'flood.a')
    await store.append([
      newEvent({ type: 'rare.a' }),
      newEvent({ type: 'rare.b' }),
      newEvent({ type: 'rare.b' }),
    ])
    await store.tick(0, 1_000)
    expect(await viewOf('rare')).toMatchObject({ lagEvents: 3, lagExact: false })
    expect(await viewOf('unconcerned')).toMatchObject({ lagEvents: 0, lagSeconds: 0 })
    for (const name of ['frequent', 'patterned']) {
      const view = await viewOf(name)
      expect(view?.lagExact).toBe(false)
      expect(view?.lagEvents).toBeGreaterThan(more * 0.9)
      expect(view?.lagEvents).toBeLessThan(more * 1.1)
    }
    // Its age is that of its own oldest, and not of what others wrote before.
    await store.sql(
      `UPDATE eventspine.event SET recorded_at = clock_timestamp() - interval '90 seconds' WHERE type = 'flood.a'`,
    )
    expect((await viewOf('frequent'))?.lagSeconds).toBeGreaterThanOrEqual(90)
    expect((await viewOf('rare'))?.lagSeconds).toBeLessThan(60)
  })

  test('counts what a transaction that was open at its place has committed since', async () => {
    await store.register([record('late', { on: ['late.*'] })])
    const client = await store.database.connect('transaction')
    await client.query('BEGIN')
    const executor = async (text: string, values: readonly unknown[]) =>
      (await client.query(text, [...values])).rows
    await store.appendWithin(executor, [newEvent({ type: 'late.a' }), newEvent({ type: 'other.a' })])
    await flood(1, 'late.b')
    await store.tick(0, 1_000)
    await settleToEnd('late')
    await client.query('COMMIT')
    client.release()
    expect(await viewOf('late')).toMatchObject({ lagEvents: 1, lagExact: true })
    await store.tick(0, 1_000)
    expect(await viewOf('late')).toMatchObject({ lagEvents: 1, lagExact: true })
  })

  test('begins where it starts', async () => {
    await flood(2, 'started.a')
    await store.sql(
      `UPDATE eventspine.event SET recorded_at = clock_timestamp() - interval '1 hour' WHERE type = 'started.a'`,
    )
    await flood(1, 'started.a')
    const start = new Date(Date.now() - 60_000)
    await store.register([
      record('from-the-start', { on: ['started.a'], start: 'beginning' }),
      record('from-a-time', { on: ['started.a'], start }),
    ])
    await store.sql(
      `UPDATE eventspine.consumer SET tick = (SELECT max(number) FROM eventspine.tick), seq = $1
       WHERE subscription IN ('from-the-start', 'from-a-time')`,
      [endOfTick],
    )
    await store.tick(0, 1_000)
    expect(await viewOf('from-the-start')).toMatchObject({ lagEvents: 3 })
    expect(await viewOf('from-a-time')).toMatchObject({ lagEvents: 1 })
  })
})

describe('workers, audit and health', () => {
  test('live workers are shown, silent ones are not', async () => {
    const worker = {
      id: 'w1',
      identity: 'm/1',
      host: 'h',
      processId: 1,
      version: '0.1.0',
      startedAtMs: 0,
      heartbeatAtMs: 0,
      consumers: 2,
      running: {},
    }
    await store.heartbeat(worker, {})
    await store.heartbeat({ ...worker, id: 'w2' }, {})
    await store.sql(
      `UPDATE eventspine.worker SET heartbeat_at = clock_timestamp() - interval '1 minute' WHERE id = 'w2'`,
    )
    expect(await store.workers()).toMatchObject([{ id: 'w1', consumers: 2 }])
  })

  test('the audit is paged, newest first', async () => {
    await store.register([record('audited')])
    await store.pause('audited', 'anna')
    await store.resume('audited', 'ben')
    const first = await store.audit({ limit: 1 })
    const second = await store.audit({ limit: 1, cursor: first.cursor as string })
    expect([...first.items, ...second.items]).toMatchObject([
      { actor: 'ben', action: 'subscription.resume', target: 'audited', details: {} },
      { actor: 'anna', action: 'subscription.pause', target: 'audited' },
    ])
    expect(first.items[0]?.atMs).toBeGreaterThan(1_700_000_000_000)
  })

  test('health reads the server', async () => {
    const health = await store.health()
    expect(health).toMatchObject({ epoch: 1, rowsInDefaultPartition: 0, schemaVersion: expect.any(Number) })
    expect(health.partitionsAhead).toBeGreaterThanOrEqual(2)
    expect(health.schemaVersion).toBeGreaterThanOrEqual(1)
    expect(health.settings).toMatchObject({
      autovacuum: 'on',
      synchronous_commit: expect.any(String),
      fsync: expect.any(String),
    })
    expect(health.version).toMatch(/^\d+/)
  })

  test('health names who holds the oldest transaction', async () => {
    const client = await store.database.connect('transaction')
    await client.query(
      `BEGIN; SET LOCAL application_name = 'forgotten report'; SELECT count(*) FROM pg_class`,
    )
    await client.query('SELECT pg_current_xact_id()')
    const { oldestTransaction } = await store.health()
    const [{ pid } = { pid: 0 }] = (await client.query('SELECT pg_backend_pid() AS pid')).rows
    // Another test may hold an older one at the same server.
    if (oldestTransaction?.processId === pid) {
      expect(oldestTransaction).toMatchObject({
        application: 'forgotten report',
        state: 'idle in transaction',
      })
    }
    expect(oldestTransaction?.ageSeconds).toBeGreaterThan(0)
    await client.query('ROLLBACK')
    client.release()
  })

  test('a row in the default partition is seen', async () => {
    await store.sql(`INSERT INTO eventspine.event (epoch, time, version, id, type, tenant, source, traceparent, correlation_id)
      VALUES (99, now(), 1, 'stray', 't', 't', '/', '', '')`)
    expect((await store.health()).rowsInDefaultPartition).toBe(1)
  })
})
