// Having the triggers of a table source made, judged and removed.
import { defineApp } from 'eventspine'
import { tableSource } from 'eventspine/source'
import { describe, expect, it } from 'vitest'
import { afterTest, databaseUrl, freshSchema, running, sql } from './support.js'
import { orders, session, shop } from './table-shop.js'

describe('installing', () => {
  it('is asked for at the start, done once, and told where it is not as the app says', async () => {
    const { schema, spine, warnings, source, run, events } = await shop(orders, { install: false })
    const { tables } = spine.sources
    const stateNow = async () => (await tables.list()).map(({ state }) => state).join()
    const finding = async () =>
      (await spine.operator().doctor()).findings.find(({ subject }) => subject === 'source orders-table')
    expect(warnings.join()).toMatch(/table source "orders-table": its changes are no events: install it/)
    expect(await finding()).toMatchObject({
      severity: 'error',
      advice: 'eventspine sources install orders-table',
    })
    await run('INSERT INTO @rows (id) VALUES (1)')
    expect(await tables.install('orders-table', 'ann')).toEqual(['main'])
    expect(await tables.install('orders-table', 'ann')).toEqual([])
    expect(await finding()).toBeUndefined()
    await run('INSERT INTO @rows (id) VALUES (2)')
    expect((await events()).map(({ key }) => key)).toEqual(['2'])
    await run('ALTER TABLE @rows DISABLE TRIGGER USER')
    expect(await stateNow()).toBe('disabled')
    expect(await finding()).toMatchObject({
      severity: 'error',
      message: expect.stringMatching(/switched off/),
    })
    expect(await tables.install('orders-table', 'ann')).toEqual(['main'])
    expect(await stateNow()).toBe('installed')

    const wider = tableSource({
      ...{ name: 'orders-table', table: source.table, type: 'shop.order-row', key: 'id' },
      columns: [...source.columns, 'note'],
    })
    const next = await running(defineApp({ name: 'shop', sources: [wider] }), schema)
    expect((await next.sources.tables.list()).map(({ state }) => state)).toEqual(['different'])
    const none = await running(defineApp({ name: 'shop' }), schema)
    expect((await none.sources.tables.list()).map(({ state }) => state)).toEqual(['abandoned'])
    expect((await none.operator().doctor()).findings).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        advice: 'Define it again, or: eventspine sources uninstall orders-table',
      }),
    )
    const stranger = await running(defineApp({ name: 'stranger', sources: [wider] }), schema)
    await expect(stranger.sources.tables.install('orders-table', 'bob')).rejects.toThrow(
      /App "shop" has a source "orders-table"/,
    )
    expect(await none.sources.tables.uninstall('orders-table', 'bob')).toEqual(['main'])
    expect(await none.sources.tables.uninstall('orders-table', 'bob')).toEqual([])
    await run('INSERT INTO @rows (id) VALUES (3)')
    expect(await events()).toHaveLength(1)
    const audit = (await spine.operator().audit({})).items.map(
      ({ actor, action, target }) => `${actor} ${action} ${target}`,
    )
    expect(audit.reverse()).toEqual([
      ...[
        'ann source.install orders-table',
        'ann source.install orders-table',
        'bob source.uninstall orders-table',
      ],
    ])
    await expect(tables.install('nothing', 'ann')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('by the printed SQL is the same, twice, too', async () => {
    const { spine, run, events } = await shop(orders, { install: false })
    const text = await spine.sources.tables.sql('orders-table')
    await sql(text)
    await sql(text)
    expect(await spine.sources.tables.install('orders-table', 'ann')).toEqual([])
    await run('INSERT INTO @rows (id) VALUES (1)')
    expect(await events()).toHaveLength(1)
  })

  it('lets nobody drop or retype a column that is told', async () => {
    const { run, spine, events } = await shop()
    await expect(run('ALTER TABLE @rows DROP COLUMN "Status"')).rejects.toThrow(/other objects depend on it/)
    await expect(run('ALTER TABLE @rows ALTER total TYPE float8')).rejects.toThrow(
      /used in a trigger definition/,
    )
    await run('ALTER TABLE @rows ADD more text; ALTER TABLE @rows DROP COLUMN note')
    await run('INSERT INTO @rows (id) VALUES (1)')
    expect(await events()).toHaveLength(1)
    await run('ALTER TABLE @rows DROP COLUMN "Status" CASCADE')
    await run('INSERT INTO @rows (id) VALUES (2)')
    expect(await events()).toHaveLength(1)
    expect(await spine.sources.tables.list()).toMatchObject([
      { state: 'impossible', reason: expect.stringMatching(/has no column "Status"/) },
    ])
  })

  it('gives up where somebody holds the table', async () => {
    const { spine, named, run } = await shop(orders, { install: false })
    const holder = await session()
    await holder.query(named('BEGIN; INSERT INTO @rows (id) VALUES (1)'))
    await expect(spine.sources.tables.install('orders-table', 'ann')).rejects.toMatchObject({
      code: 'OVERLOADED',
    })
    await holder.query('COMMIT')
    expect(await spine.sources.tables.install('orders-table', 'ann')).toEqual(['main'])
    expect(await run('SELECT id FROM @rows')).toEqual([{ id: '1' }])
  })

  it.each([
    ['CREATE VIEW @rows AS SELECT 1 AS id, 2 AS "Status", 3 AS total', /is a view: name the table/],
    ['CREATE UNLOGGED TABLE @rows (id int, "Status" int, total int)', /is unlogged/],
    ['CREATE TABLE @rows (id int, status int)', /has no column "Status", "total". It has id, status/],
    ['SELECT 1', /is no table of this database/],
  ])('is refused: %s', async (create, message) => {
    const { spine } = await shop(create, { install: false })
    await expect(spine.sources.tables.install('orders-table', 'ann')).rejects.toThrow(message)
    expect(await spine.sources.tables.list()).toMatchObject([{ state: 'impossible' }])
  })

  it('is refused for the log itself: it would tell of its own telling', async () => {
    const schema = freshSchema()
    const table = { schema, table: 'event' }
    const own = tableSource({ name: 'loop', table, type: 'shop.loop', columns: ['id'], key: 'id' })
    const { sources } = await running(defineApp({ name: 'shop', sources: [own] }), schema)
    await expect(sources.tables.install('loop', 'ann')).rejects.toThrow(/lies in the schema of the event log/)
  })

  it('is for the cells where the rows of the source live', async () => {
    const [one, two] = [freshSchema(), freshSchema()]
    await sql(`CREATE TABLE public.${one} (id int); CREATE TABLE public.${two} (id int, who text)`)
    afterTest(() => sql(`DROP TABLE public.${one}, public.${two}`))
    const common = { columns: ['id'], key: 'id' } as const
    const app = defineApp({
      name: 'shop',
      sources: [
        tableSource({ name: 'of-b', table: one, type: 'shop.b', tenant: 'b', ...common }),
        tableSource({ name: 'of-all', table: two, type: 'shop.all', tenant: { column: 'who' }, ...common }),
      ],
    })
    const spine = await running(app, one, {
      cells: { first: { url: databaseUrl, schema: one }, second: { url: databaseUrl, schema: two } },
      placement: (tenant) => (tenant === 'b' ? 'second' : 'first'),
    })
    expect(await spine.sources.tables.install('of-b', 'ann')).toEqual(['second'])
    expect(await spine.sources.tables.install('of-all', 'ann')).toEqual(['first', 'second'])
    expect(
      (await spine.sources.tables.list()).map(({ cell, source, state }) => `${cell} ${source} ${state}`),
    ).toEqual([...['first of-all installed', 'second of-b installed', 'second of-all installed']])
    await sql(`INSERT INTO public.${one} VALUES (1)`)
    expect(await sql(`SELECT type, tenant FROM ${two}.event`)).toEqual([{ type: 'shop.b', tenant: 'b' }])
    expect(await sql(`SELECT type FROM ${one}.event`)).toEqual([])
  })
})

it('is refused by defineApp with all its faults', () => {
  const wrong = tableSource({
    ...{ name: 'a-name-of-more-than-thirty-two-chars', table: '', type: 'shop.x', key: 'other' as never },
    ...{
      columns: ['id', 'id', '__proto__'],
      redact: { email: 'blur' as never },
      tenant: '',
      operations: ['upsert' as never],
    },
  })
  expect(() => defineApp({ name: 'shop', sources: [wrong] })).toThrow(
    /at most 32(.|\n)*table must be a name(.|\n)*"__proto__"(.|\n)*"id" is named twice(.|\n)*redact.email is "blur"(.|\n)*key must name columns(.|\n)*tenant must be(.|\n)*operations must be some of/,
  )
})
