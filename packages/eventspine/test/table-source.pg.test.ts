// A table of the user's own as a source: what becomes an event, in whose transaction, and as what.
import { defineApp, defineSubscription } from 'eventspine'
import { describe, expect, it } from 'vitest'
import { afterTest, running, sql, until } from './support.js'
import { type ChangeRow, orders, session, shop } from './table-shop.js'

const said = (events: readonly ChangeRow[]) =>
  events.map(({ key, data: { operation, before, after, changed } }) => ({
    key,
    operation,
    before,
    after,
    changed,
  }))

describe('a change', () => {
  it('is an event in the form of all others, delivered to who subscribes', async () => {
    const seen: unknown[] = []
    const { schema, source, run, events } = await shop()
    const taken = defineSubscription({
      ...{ name: 'taken', on: source.event, start: 'beginning' as const },
      handle: ({ key, data }) => void seen.push([key, data as ChangeRow['data']]),
    })
    await running(defineApp({ name: 'reader', subscriptions: [taken] }), schema)
    await run(`INSERT INTO @rows VALUES (9007199254740993, 'new', 1.50, 'a@b.c', '4242', 'x')`)
    await until(() => seen.length === 1)
    expect(seen).toMatchObject([['9007199254740993', { operation: 'insert', after: { total: '1.50' } }]])
    const [event] = await events()
    expect(event).toMatchObject({
      ...{ source: '/sources/orders-table', tenant: 'default', key: '9007199254740993', causation: null },
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      correlation: event?.id,
    })
    expect(event?.data).toEqual({
      ...{ operation: 'insert', table: `${schema} Own.Orders'; DROP "x" $body$ \\`, before: null },
      after: { id: '9007199254740993', Status: 'new', total: '1.50' },
      ...{ changed: [], omitted: [] },
    })
    const ms = Number.parseInt(String(event?.id).replace('-', '').slice(0, 12), 16)
    expect(Math.abs(ms - Date.now())).toBeLessThan(60_000)
  })

  it('has a contract as any event, whether or not somebody subscribes', async () => {
    const { source, spine } = await shop()
    const { type } = source.event
    expect((await spine.operator().contracts.list()).filter((each) => each.type === type)).toMatchObject([
      {
        version: 1,
        schema: {
          properties: { operation: { enum: ['insert', 'update', 'delete', 'truncate'] } },
          required: ['operation', 'table', 'before', 'after', 'changed', 'omitted'],
        },
      },
    ])
  })

  it('is told by its table alone: nobody outside publishes one', async () => {
    const { source, spine, events } = await shop()
    const { type } = source.event
    const forged = {
      operation: 'update',
      table: 'public.orders',
      before: {},
      after: {},
      changed: [],
      omitted: [],
    }
    const refusal = { code: 'EVENT_UNKNOWN', message: expect.stringMatching(/changes of a table/) }
    await expect(spine.ingest({ type, data: forged })).rejects.toMatchObject({ ...refusal, field: '/type' })
    await expect(spine.ingestMany([{ type, data: forged }])).rejects.toMatchObject({
      ...refusal,
      field: '/0/type',
    })
    expect(await events()).toEqual([])
  })

  it('says what differs, and is none where nothing of its columns does', async () => {
    const { run, events } = await shop()
    await run(`INSERT INTO @rows (id, "Status", total) VALUES (1, 'new', 1.0)`)
    await run(`UPDATE @rows SET note = 'seen', email = 'x'`)
    await run(`UPDATE @rows SET "Status" = 'new'`)
    await run(`UPDATE @rows SET total = 1.00`)
    await run(`UPDATE @rows SET "Status" = NULL, id = 2`)
    await run(`DELETE FROM @rows`)
    const row = (id: string, Status: string | null, total: string) => ({ id, Status, total })
    expect(said(await events())).toEqual([
      { key: '1', operation: 'insert', before: null, after: row('1', 'new', '1.0'), changed: [] },
      ...[
        {
          key: '1',
          operation: 'update',
          before: row('1', 'new', '1.0'),
          after: row('1', 'new', '1.00'),
          changed: ['total'],
        },
      ],
      ...[
        {
          key: '2',
          operation: 'update',
          before: row('1', 'new', '1.00'),
          after: row('2', null, '1.00'),
          changed: ['id', 'Status'],
        },
      ],
      { key: '2', operation: 'delete', before: row('2', null, '1.00'), after: null, changed: [] },
    ])
  })

  it('exists if and only if it commits, savepoints and killed writers included', async () => {
    const { run, named, events } = await shop()
    const writer = await session()
    await writer.query(
      named(
        `BEGIN; INSERT INTO @rows (id) VALUES (1); SAVEPOINT s; INSERT INTO @rows (id) VALUES (2); ROLLBACK TO s`,
      ),
    )
    expect(await events()).toEqual([])
    await writer.query(named('INSERT INTO @rows (id) VALUES (3); COMMIT'))
    await writer.query(named('BEGIN; INSERT INTO @rows (id) VALUES (4); ROLLBACK'))
    const killed = await session()
    const { rows } = await killed
      .query(named('BEGIN; INSERT INTO @rows (id) VALUES (5) RETURNING pg_backend_pid() AS pid'))
      .then((answers) => (answers as unknown as { rows: { pid: number }[] }[])[1] ?? { rows: [] })
    await sql('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
    await until(
      async () => (await sql('SELECT FROM pg_stat_activity WHERE pid = $1', [rows[0]?.pid])).length === 0,
    )
    expect((await events()).map(({ key }) => key)).toEqual(['1', '3'])
    expect(await run('SELECT id FROM @rows ORDER BY id')).toEqual([{ id: '1' }, { id: '3' }])
  })

  it('is told whichever way the row is written', async () => {
    const { run, events } = await shop(`${orders}; CREATE TABLE @own.parent (id int PRIMARY KEY);
      ALTER TABLE @rows ADD parent int REFERENCES @own.parent ON DELETE CASCADE ON UPDATE CASCADE`)
    await run(`INSERT INTO @own.parent VALUES (1)`)
    await run(`INSERT INTO @rows (id, parent) SELECT n, 1 FROM generate_series(1, 3) n`)
    await run(
      `INSERT INTO @rows (id, "Status") VALUES (1, 'again'), (4, 'first') ON CONFLICT (id) DO UPDATE SET "Status" = excluded."Status"`,
    )
    await run(`INSERT INTO @rows (id) VALUES (1) ON CONFLICT DO NOTHING`)
    await run(
      `MERGE INTO @rows t USING (VALUES (4), (5)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id)`,
    )
    await run(`DELETE FROM @own.parent`)
    await run(`TRUNCATE @rows`)
    const told = (await events()).map(({ key, data }) => `${data.operation} ${key}`)
    expect(told.slice(0, 5)).toEqual(['insert 1', 'insert 2', 'insert 3', 'update 1', 'insert 4'])
    expect(told.slice(5, 7).sort()).toEqual(['delete 4', 'insert 5'])
    expect(told.slice(7).sort()).toEqual(['delete 1', 'delete 2', 'delete 3', 'truncate null'])
  })

  it('of a partitioned table is told where it is written straight into a partition, too', async () => {
    const { run, events } =
      await shop(`CREATE TABLE @rows (id bigint, "Status" text, total numeric, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE @own.low PARTITION OF @rows FOR VALUES FROM (0) TO (100)`)
    await run(`CREATE TABLE @own.high PARTITION OF @rows FOR VALUES FROM (100) TO (200)`)
    await run(`INSERT INTO @rows (id) VALUES (1)`)
    await run(`INSERT INTO @own.high (id) VALUES (101)`)
    await run(`UPDATE @rows SET id = 150 WHERE id = 1`)
    const told = (await events()).map(({ key, data }) => `${data.operation} ${key}`)
    expect(told.slice(0, 2)).toEqual(['insert 1', 'insert 101'])
    expect(told.slice(2).sort()).toEqual(['delete 1', 'insert 150'])
  })

  it('by a role that may do nothing in the log, whatever its session has set', async () => {
    const { schema, named, run, events } = await shop(
      'CREATE TABLE @rows (id bigint, at timestamptz, n float8, d interval)',
      {
        columns: ['id', 'at', 'n', 'd'],
      },
    )
    const role = `${schema}_writer`
    afterTest(() => sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
    await run(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA @own TO ${role}; GRANT INSERT ON @rows TO ${role}`)
    const writer = await session()
    // What a session can put before the functions of the trigger would run with the rights of the log.
    await run(`CREATE FUNCTION @own.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''stolen'''`)
    await writer.query(
      named(`SET SESSION AUTHORIZATION ${role}; SET search_path = @own, pg_catalog; SET TimeZone = 'Asia/Tokyo';
        SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -5;
        SET standard_conforming_strings = off`),
    )
    await writer.query(
      named(`INSERT INTO @rows VALUES (1, '2026-07-01 00:00:00.123456+02', float8 '1' / 3, '1 day 2 hours')`),
    )
    await expect(writer.query(`SELECT * FROM ${schema}.event`)).rejects.toThrow(/permission denied/)
    expect((await events())[0]?.data).toMatchObject({
      operation: 'insert',
      after: { id: '1', at: '2026-06-30T22:00:00.123456+00:00', n: 1 / 3, d: 'P1DT2H' },
    })
  })
})

describe('what is told of a row', () => {
  it('hides what is redacted, and knows it again where it is hashed', async () => {
    const { run, events } = await shop(orders, { redact: { email: 'hide', card: 'hash' } })
    await run(
      `INSERT INTO @rows (id, email, card) VALUES (1, 'a@b.c', '4242'), (2, NULL, '4242'), (3, '', NULL)`,
    )
    await run(`UPDATE @rows SET email = 'b@b.c', card = '4243' WHERE id = 1`)
    const [first, second, third, changed] = (await events()).map(({ data }) => data)
    expect(first?.after).toMatchObject({ email: '[redacted]', card: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(second?.after).toMatchObject({ email: null, card: first?.after?.['card'] })
    expect(third?.after).toMatchObject({ email: '[redacted]', card: null })
    expect(changed).toMatchObject({ changed: ['email', 'card'], before: first?.after })
    expect(changed?.after?.['card']).not.toBe(first?.after?.['card'])
    expect(JSON.stringify(await events())).not.toMatch(/b\.c|4242/)
  })

  it('leaves the largest columns out where it would be too large, and says which', async () => {
    const { run, events, source } = await shop(orders, {
      columns: ['id', 'Status', 'total', 'note'],
      key: ['id', 'Status'],
    })
    await run(
      `INSERT INTO @rows (id, "Status", note) VALUES (1, 'new', repeat('x', 300000)), (2, repeat('é', 400), repeat('x', 100000))`,
    )
    await run(`UPDATE @rows SET note = 'short' WHERE id = 1`)
    const [large, fits, update] = await events()
    expect(large?.data).toMatchObject({ omitted: ['note'], after: { id: '1', Status: 'new', total: null } })
    expect(large?.data.after).not.toHaveProperty('note')
    expect(large?.key).toBe('["1","new"]')
    expect(source.event.key?.(large?.data as never)).toBe('["1","new"]')
    expect(fits?.data).toMatchObject({ omitted: [], after: { note: 'x'.repeat(100_000) } })
    expect(fits?.key).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(update?.data).toMatchObject({
      omitted: ['note'],
      changed: ['note'],
      before: { id: '1' },
      after: { id: '1' },
    })
    expect(Buffer.byteLength(JSON.stringify(update?.data))).toBeLessThan(256 * 1024)
  })

  it('belongs to the tenant of the row', async () => {
    const { run, events } = await shop(
      `CREATE TABLE @rows (id int, "Status" text, total int, who varchar(200))`,
      {
        tenant: { column: 'who' },
        spine: { tenant: 'house' },
      },
    )
    await run(`INSERT INTO @rows VALUES (1, 's', 1, 'acme'), (2, 's', 1, NULL), (3, 's', 1, '')`)
    await run(`UPDATE @rows SET who = 'other' WHERE id = 1`)
    expect((await events()).map(({ tenant }) => tenant)).toEqual(['acme', 'house', 'house', 'other'])
    // No event can have these, and no row is refused for it: they are known by their hash.
    await run(`INSERT INTO @rows VALUES (4, 's', 1, repeat('t', 101)), (5, 's', 1, E'a\\nb')`)
    const [long, broken] = (await events()).slice(4).map(({ tenant }) => tenant)
    for (const tenant of [long, broken]) expect(tenant).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(long).not.toBe(broken)
  })

  it('continues the trace and the chain of the session', async () => {
    const { named, run, events } = await shop()
    const writer = await session()
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const set = (correlation: string, causation: string, trace: string) =>
      writer.query(
        `SELECT set_config('eventspine.correlation_id', $1, true), set_config('eventspine.causation_id', $2, true), set_config('eventspine.traceparent', $3, true)`,
        [correlation, causation, trace],
      )
    await writer.query('BEGIN')
    await set('order-1', 'cause-1', traceparent)
    await writer.query(named('INSERT INTO @rows (id) VALUES (1)'))
    await set('a\nb', 'x'.repeat(251), `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`)
    await writer.query(named('INSERT INTO @rows (id) VALUES (2)'))
    await writer.query('COMMIT')
    await writer.query(named('INSERT INTO @rows (id) VALUES (3)'))
    await run('INSERT INTO @rows (id) VALUES (4)')
    const [first, ...others] = await events()
    expect(first).toMatchObject({ correlation: 'order-1', causation: 'cause-1', traceparent })
    for (const other of others) {
      expect(other).toMatchObject({ correlation: other.id, causation: null })
      expect(other.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/)
    }
    expect(new Set(others.map(({ traceparent: each }) => each)).size).toBe(3)
  })
})

it('tells workers at once where it is told to', async () => {
  const { schema, run } = await shop(orders, { notify: true })
  const listener = await session()
  const heard: string[] = []
  listener.on('notification', ({ payload }) => void heard.push(String(payload)))
  await listener.query(`LISTEN ${schema}_appended`)
  await run('INSERT INTO @rows (id) SELECT generate_series(1, 100)')
  await until(() => heard.includes('table'))
  expect(heard.filter((each) => each === 'table')).toHaveLength(1)
})
