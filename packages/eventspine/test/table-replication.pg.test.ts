// A table that is followed through replication: each change is one event, however the reader ends. On a server of its own,
// since that of the run does not log what it takes.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedPostgres } from '@eventspine/embedded'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../src/kernel/index.js'
import { silentLogger } from '../src/observe/log.js'
import { tablePlansOf } from '../src/runtime/residence.js'
import type { TablePlan } from '../src/source/index.js'
import { createPostgresStore } from '../src/store/postgres/postgres-store.js'

const directory = mkdtempSync(join(tmpdir(), 'eventspine-logical-'))
chmodSync(directory, 0o711)
const server = new EmbeddedPostgres({ directory })

async function logicalServer(): Promise<string> {
  const client = new pg.Client({ connectionString: (await server.start()).url })
  await client.connect()
  await client.query("ALTER SYSTEM SET wal_level = 'logical'")
  await client.query("ALTER SYSTEM SET fsync = 'off'")
  await client.end()
  await server.stop()
  return (await server.start()).url
}

const url = await logicalServer()
// Read when these are loaded.
for (const way of ['', 'DIRECT_']) process.env[`EVENTSPINE_TEST_${way}DATABASE_URL`] = url
const { afterTest, sql, until } = await import('./support.js')
const { orders, session, shop } = await import('./table-shop.js')
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

type Shop = Awaited<ReturnType<typeof shop>>
const full = `${orders}; ALTER TABLE @rows REPLICA IDENTITY FULL`
const replicated = { through: 'replication' } as const

/** Nobody reads but the test. */
const unread = async (create = full, options: object = {}) => {
  const made = await shop(create, { ...replicated, ...options, spine: { work: false } })
  afterTest(() => made.spine.sources.tables.uninstall('orders-table', 'test'))
  const placing = {
    placement: () => 'main',
    tenant: 'default',
    work: true,
    cells: new Map(),
    hardLimitBytes: 262_144,
  }
  const [plan] = tablePlansOf('main', made.app, placing) as [TablePlan]
  return { ...made, plan }
}

/** Another process. */
function reader({ schema }: Shop) {
  const store = createPostgresStore(
    { url, schema, idempotencyWindowMs: 1_000, applicationName: `reader ${schema}` },
    systemClock,
    silentLogger,
  )
  afterTest(() => store.close())
  return store
}

const told = async ({ events }: Shop) => (await events()).map(({ key, data }) => `${data.operation} ${key}`)

describe('through replication', () => {
  it('says the same as through triggers', async () => {
    const body = `CREATE TABLE @rows (id int PRIMARY KEY, n numeric, f float8, at timestamptz, raw bytea, list text[], doc jsonb, span interval, note text, hidden text)`
    const columns = ['id', 'n', 'f', 'at', 'raw', 'list', 'doc', 'span', 'note']
    const common = { columns, redact: { hidden: 'hide' as const }, tenant: { column: 'note' } }
    const read = await unread(`${body}; ALTER TABLE @rows REPLICA IDENTITY FULL`, common)
    const triggered = await shop(body, common)
    for (const { run } of [read, triggered]) {
      await run(
        `INSERT INTO @rows VALUES (1, 1.50, 'NaN', '2026-01-01 12:00+02', '\\x00ff', '{"a,\\"b",NULL,\\\\}', '{"a": 9007199254740993}', '1 day -2 hours', E'ten\\nant', 'secret')`,
      )
      await run(
        `INSERT INTO @rows (id, note) VALUES (2, (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) n))`,
      )
      await run(`UPDATE @rows SET n = 2.5, f = 0.1 WHERE id = 2`)
      await run(`UPDATE @rows SET n = n`)
      await run(`UPDATE @rows SET id = 3, list = NULL WHERE id = 1`)
      await run(`DELETE FROM @rows WHERE id = 3`)
      await run(`TRUNCATE @rows`)
    }
    const store = reader(read)
    expect(await store.readReplication(read.plan, 1_000)).toEqual({ changes: 7 + 1 })
    const said = async (made: Shop) =>
      (await made.events()).map(({ key, tenant, source, data: { table: _, ...data } }) => ({
        key,
        tenant,
        source,
        data,
      }))
    expect(await said(read)).toEqual(await said(triggered))
    expect(await said(read)).toHaveLength(6)
  })

  it('makes one event of each change, also where the reader was killed behind the commit of the events', async () => {
    const made = await unread()
    await made.run(`INSERT INTO @rows (id) VALUES (1), (2)`)
    // It commits, and is gone before the slot moves.
    expect(await reader(made).readReplication(made.plan, 1_000)).toEqual({ changes: 2 })
    await made.run(`INSERT INTO @rows (id) VALUES (3)`)
    const next = reader(made)
    expect(await next.readReplication(made.plan, 1_000)).toEqual({ changes: 1 })
    await next.releaseReplication(made.plan)
    expect(await next.readReplication(made.plan, 1_000)).toEqual({ changes: 0 })
    expect(await told(made)).toEqual(['insert 1', 'insert 2', 'insert 3'])
  })

  it('loses nothing where the reader is killed between reading and committing', async () => {
    const made = await unread()
    await made.run(`INSERT INTO @rows (id) SELECT generate_series(1, 2500)`)
    const holder = await session()
    await holder.query(`BEGIN; LOCK TABLE ${made.schema}.event IN EXCLUSIVE MODE`)
    const reading = reader(made).readReplication(made.plan, 1_000)
    const failed = reading.catch((error: unknown) => error)
    const stuck = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'reader ${made.schema}%' AND wait_event_type = 'Lock'`
    await until(async () => (await sql(stuck)).length > 0)
    expect(await failed).toMatchObject({ code: 'UNAVAILABLE' })
    await holder.query('ROLLBACK')
    expect(await made.events()).toEqual([])
    expect(await reader(made).readReplication(made.plan, 1_000)).toEqual({ changes: 2_500 })
    expect(new Set((await made.events()).map(({ key }) => key)).size).toBe(2_500)
  })

  it('is read by one at a time, and what is rolled back is no event', async () => {
    const made = await unread()
    await made.run('BEGIN; INSERT INTO @rows (id) VALUES (1); ROLLBACK')
    for (let n = 2; n < 40; n++) await made.run('INSERT INTO @rows (id) VALUES ($1)', [n])
    const readers = [reader(made), reader(made), reader(made)]
    const turns = async (store: ReturnType<typeof reader>) => {
      for (let turn = 0; turn < 10; turn++) {
        await store.readReplication(made.plan, 1)
        await store.releaseReplication(made.plan)
      }
    }
    await Promise.all(readers.map(turns))
    await readers[0]?.readReplication(made.plan, 1_000)
    expect(await told(made)).toEqual(Array.from({ length: 38 }, (_, index) => `insert ${index + 2}`))
  })

  it('is followed by a worker, which lets the server forget what was read', async () => {
    const made = await shop(full, { ...replicated, install: false })
    afterTest(() => made.spine.sources.tables.uninstall('orders-table', 'test'))
    const stateNow = async () => (await made.spine.sources.tables.list())[0]
    expect(await stateNow()).toMatchObject({ state: 'absent', lag: null })
    await made.spine.sources.tables.install('orders-table', 'ann')
    await made.run(`INSERT INTO @rows (id) VALUES (1)`)
    await until(async () => (await made.events()).length === 1)
    const confirmed = `SELECT FROM pg_replication_slots r JOIN ${made.schema}.table_source s ON r.slot_name = s.slot WHERE r.confirmed_flush_lsn >= s.position`
    await until(async () => (await sql(confirmed)).length === 1)
    expect(await stateNow()).toMatchObject({ state: 'installed', lag: { walStatus: 'reserved' } })
    const samples = (await made.spine.metrics()).filter(({ name }) =>
      name.startsWith('eventspine_source_lag'),
    )
    expect(samples.map(({ labels }) => labels)).toEqual(
      [...Array(2)].map(() => ({ cell: 'main', source: 'orders-table' })),
    )
    expect(await made.spine.sources.tables.uninstall('orders-table', 'ann')).toEqual(['main'])
    expect(await sql(`SELECT FROM pg_replication_slots WHERE database = current_database()`)).toEqual([])
    expect(await sql(`SELECT FROM pg_publication`)).toEqual([])
  })

  it('is behind as long as there is more, and not while it keeps up', async () => {
    const made = await unread()
    const lag = async () => (await made.spine.sources.tables.list())[0]?.lag
    await sql(`UPDATE ${made.schema}.table_source SET caught_up_at = caught_up_at - interval '1 hour'`)
    for (const id of [1, 2]) await made.run('INSERT INTO @rows (id) VALUES ($1)', [id])
    const store = reader(made)
    await store.readReplication(made.plan, 1)
    expect((await lag())?.seconds).toBeGreaterThan(3_000)
    expect((await lag())?.bytes).toBeGreaterThan(0)
    expect(await store.readReplication(made.plan, 1_000)).toEqual({ changes: 1 })
    expect((await lag())?.seconds).toBeLessThan(3_000)
  })

  it('tells of a slot that is lost, and begins anew', async () => {
    const made = await unread()
    const { spine, run } = made
    afterTest(() =>
      sql('ALTER SYSTEM RESET max_slot_wal_keep_size').then(() => sql('SELECT pg_reload_conf()')),
    )
    await run(`INSERT INTO @rows (id) VALUES (1)`)
    await sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    await sql('SELECT pg_reload_conf()')
    await until(async () => {
      await sql(
        `SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1000000)) FROM generate_series(1, 20)`,
      )
      await sql('SELECT pg_switch_wal()')
      await sql('CHECKPOINT')
      return (await spine.sources.tables.list())[0]?.state === 'lost'
    }, 25_000)
    const { findings } = await spine.operator().doctor()
    expect(findings).toContainEqual(
      expect.objectContaining({ severity: 'error', message: expect.stringMatching(/Its slot is lost/) }),
    )
    await expect(reader(made).readReplication(made.plan, 1_000)).rejects.toThrow(/slot/)
    expect(await spine.sources.tables.install('orders-table', 'ann')).toEqual(['main'])
    await run(`INSERT INTO @rows (id) VALUES (2)`)
    await reader(made).readReplication(made.plan, 1_000)
    expect(await told(made)).toEqual(['insert 2'])
  })

  it.each([
    [orders, {}, /REPLICA IDENTITY FULL/],
    [
      full.replace('note text', 'note text GENERATED ALWAYS AS (email) STORED'),
      { columns: ['id', 'note'] },
      /"note" is generated/,
    ],
  ])('is refused: %s', async (create, options, message) => {
    const { spine } = await shop(create, { ...replicated, ...options, install: false })
    await expect(spine.sources.tables.install('orders-table', 'ann')).rejects.toThrow(message)
  })
})
