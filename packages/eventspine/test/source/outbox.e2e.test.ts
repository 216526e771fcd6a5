// The source of the guide, in two workers of which the one that runs it is killed again and again, when its rows are stored
// and not yet gone: none is lost, and none becomes two events.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { Program } from '../crash/system/program.js'
import { afterTest, databaseUrl, freshSchema, sql, until } from '../support.js'

vi.setConfig({ testTimeout: 180_000 })
const rows = 2_000
const kills = 6

/** The outbox of another system, in a schema of its own; who asks by `url` finds it without naming that. */
async function openOutbox(): Promise<{ readonly url: string; readonly outbox: string }> {
  const shop = freshSchema()
  await sql(`CREATE SCHEMA ${shop}`)
  await sql(`CREATE TABLE ${shop}.outbox (id int PRIMARY KEY, body text NOT NULL)`)
  await sql(`INSERT INTO ${shop}.outbox
    SELECT n, json_build_object('order', n, 'cents', n * 100) FROM generate_series(1, ${rows}) n`)
  const url = new URL(databaseUrl)
  url.searchParams.set('options', `-c search_path=${shop}`)
  return { url: url.href, outbox: `${shop}.outbox` }
}

function worker(schema: string, shop: string): Program {
  const program = new Program(new URL('./worker.ts', import.meta.url), {
    ...{ DATABASE_URL: databaseUrl, CRASH_SCHEMA: schema, SHOP_DATABASE_URL: shop },
  })
  afterTest(() => program.kill())
  return program
}

/** While rows cannot go: calls `action` when somebody wants to, and ends what was asked for by whoever is dead then. */
async function atTheWorstMoment(outbox: string, action: () => Promise<void>): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query(`BEGIN; LOCK TABLE ${outbox} IN SHARE ROW EXCLUSIVE MODE`)
    const waiting = `SELECT l.pid FROM pg_locks l WHERE l.relation = '${outbox}'::regclass AND NOT l.granted`
    const [asked] = await until(async () => {
      const found = await sql<{ pid: number }>(waiting)
      return found.length > 0 ? found : null
    }, 60_000)
    await action()
    // Else its server process would still do as the dead one asked.
    await client.query('SELECT pg_terminate_backend($1)', [asked?.pid])
    await until(async () => (await sql(waiting)).length === 0)
  } finally {
    await client.end()
  }
}

test('every row becomes one event, however often the worker that brings it in is killed', async () => {
  const schema = freshSchema()
  const { url, outbox } = await openOutbox()
  const first = worker(schema, url)
  await first.says('ready')
  const workers = [first, worker(schema, url)]
  const runners = () =>
    sql<{ process: number }>(
      `SELECT w.process_id AS process FROM ${schema}.source_lease l JOIN ${schema}.worker w ON w.id = l.worker
       WHERE l.source = 'shop-orders' AND l.lease_until > clock_timestamp()`,
    )
  const killed = new Set<number>()
  for (let kill = 0; kill < kills; kill++)
    await atTheWorstMoment(outbox, async () => {
      const [runner, ...others] = await runners()
      expect(others).toEqual([])
      const index = workers.findIndex(({ pid, ended }) => pid === runner?.process && !ended)
      await workers[index]?.kill()
      killed.add(workers[index]?.pid ?? 0)
      workers[index] = worker(schema, url)
    })
  expect(killed.size).toBe(kills)
  const left = async () => (await sql<{ n: number }>(`SELECT count(*)::int AS n FROM ${outbox}`))[0]?.n
  await until(async () => (await left()) === 0, 60_000)
  for (const each of workers) await each.says('ready')
  for (const each of workers) each.signal('SIGTERM')
  await Promise.all(workers.map((each) => each.end()))
  expect(workers.map(({ code }) => code)).toEqual([0, 0])
  expect(await sql(`SELECT FROM ${schema}.source_lease`)).toEqual([])
  const [ledger] = await sql(
    `SELECT count(*)::int AS events, count(DISTINCT id)::int AS ids, sum((data ->> 'order')::int)::int AS sum
     FROM ${schema}.event WHERE type = 'orders.order-placed'`,
  )
  expect(ledger).toEqual({ events: rows, ids: rows, sum: (rows * (rows + 1)) / 2 })
})

test('the guide shows this source as it runs here', () => {
  const own = readFileSync(new URL('./outbox-app.ts', import.meta.url), 'utf8')
  const [, example = ''] = /guide: begin\n(.*)\n\/\/ guide: end/s.exec(own) ?? []
  expect(example.length).toBeGreaterThan(500)
  const guide = readFileSync(new URL('../../../../docs/guides/sources.md', import.meta.url), 'utf8')
  expect(guide).toContain(example)
})
