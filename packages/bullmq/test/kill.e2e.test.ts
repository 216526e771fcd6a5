// Workers that are killed when their jobs are stored and not yet complete: every job becomes one event, and every event one job of
// the other queue.
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { databaseUrl, freshSchema, sql, until, WorkerProcess } from '../../../test/spine.js'
import { hasRedis, TestRedis } from './redis.js'

vi.setConfig({ testTimeout: 180_000 })
const kills = 4
const jobsPerKill = 150
const jobs = kills * jobsPerKill

/** Kills the worker when it has stored what it holds, and Redis does not listen. */
async function killBetween(worker: WorkerProcess, redis: TestRedis, schema: string): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query(`BEGIN; LOCK TABLE ${schema}.event IN SHARE ROW EXCLUSIVE MODE`)
    const waiting = `SELECT a.pid, a.query_start::text AS since FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.relation = '${schema}.event'::regclass AND NOT l.granted AND a.query LIKE '%/* append%'`
    const [append] = await until(async () => {
      const found = await sql<{ pid: number; since: string }>(waiting)
      return found.length > 0 ? found : null
    }, 60_000)
    const isUnderway = `SELECT FROM pg_stat_activity
      WHERE pid = ${append?.pid} AND query_start = '${append?.since}' AND state = 'active'`
    await redis.command('CLIENT', 'PAUSE', '600000', 'WRITE')
    await client.query('COMMIT')
    await until(async () => (await sql(isUnderway)).length === 0)
    await worker.kill()
  } finally {
    await client.end()
  }
  // Nothing that the dead one asked for may happen yet.
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await redis.command('CLIENT', 'UNPAUSE')
}

describe.skipIf(!hasRedis)('workers on BullMQ (needs redis-server)', () => {
  test('every job becomes one event, and every event one job, however often a worker is killed', async () => {
    const schema = freshSchema()
    const redis = await TestRedis.started()
    const environment = {
      ...{ DATABASE_URL: databaseUrl, KILL_SCHEMA: schema, REDIS_PORT: String(redis.connection.port) },
    }
    const worker = () => new WorkerProcess(new URL('./killed-worker.ts', import.meta.url), environment)
    let runs = worker()
    await runs.says('ready')
    for (let kill = 0; kill < kills; kill++) {
      const add = redis.queue()
      const numbers = Array.from({ length: jobsPerKill }, (_, n) => kill * jobsPerKill + n)
      const adding = add.addBulk(numbers.map((n) => ({ name: 'placed', data: { n } })))
      const killed = killBetween(runs, redis, schema)
      await adding
      await killed
      runs = worker()
    }
    const [source, target] = [redis.queue('orders'), redis.queue('onward')]
    await until(async () => (await source.getCompletedCount()) === jobs, 60_000)
    await until(async () => (await target.getWaitingCount()) >= jobs, 60_000)
    // It ends by itself: the connection of the target is closed when it is idle.
    expect(await runs.stop()).toBe(0)
    const [ledger] = await sql(
      `SELECT count(*)::int AS events, count(DISTINCT data ->> 'n')::int AS numbers FROM ${schema}.event
       WHERE type = 'orders.placed'`,
    )
    expect(ledger).toEqual({ events: jobs, numbers: jobs })
    expect(new Set((await target.getWaiting()).map(({ data }) => data.n)).size).toBe(jobs)
    expect(await target.getWaitingCount()).toBe(jobs)
    expect(await source.getFailedCount()).toBe(0)
    const again = (await source.getCompleted()).filter(({ attemptsStarted }) => attemptsStarted > 1)
    expect(again.length).toBeGreaterThanOrEqual(kills)
  })
})
