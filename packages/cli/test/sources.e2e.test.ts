// Table sources over the command line: from a table that nobody follows to events, and back.
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { eventspine, ownDatabase } from './command.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const app = fileURLToPath(new URL('./apps/tables.ts', import.meta.url))
let database: Awaited<ReturnType<typeof ownDatabase>>
beforeAll(async () => {
  database = await ownDatabase()
})
afterAll(() => database.drop())

const ran = (...parameters: string[]) =>
  eventspine([...parameters, '--app', app, '--database-url', database.url])

async function sql(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(text).finally(() => client.end())
}

it('are installed, seen, followed and removed', async () => {
  await ran('migrate')
  const early = await ran('sources', 'install', 'orders-table')
  expect([early.code, early.errors]).toEqual([
    2,
    expect.stringMatching(/public.orders is no table of this database/),
  ])
  await sql('CREATE TABLE orders (id int PRIMARY KEY, status text)')
  // The role of the test is called like the schema of the log.
  const there = await ran('sources', 'install', 'orders-table')
  expect(there.errors).toMatch(/is no table of this database; there is eventspine.orders/)
  await sql('ALTER TABLE orders SET SCHEMA public')
  expect((await ran('sources')).output).toMatch(/orders-table +table +public.orders +main +absent/)
  const doctor = await ran('doctor')
  expect(doctor.code).toBe(1)
  expect(doctor.output).toMatch(
    /source orders-table: Is not installed: changes of public.orders become no events/,
  )
  expect((await ran('sources', 'install', 'orders-table')).output).toMatch(
    /orders-table is installed in main/,
  )
  expect((await ran('sources', 'install', 'orders-table')).output).toMatch(/was installed already/)
  expect((await ran('sources', '--json')).document()).toEqual({
    ...{ sources: [] },
    tables: [
      {
        cell: 'main',
        source: 'orders-table',
        table: 'public.orders',
        state: 'installed',
        reason: null,
        lag: null,
      },
    ],
  })
  await sql("INSERT INTO orders VALUES (1, 'new')")
  const { items } = (await ran('events', 'list', '--json')).document<{ items: { data: unknown }[] }>()
  expect(items).toMatchObject([{ key: '1', data: { operation: 'insert', after: { id: 1, status: 'new' } } }])
  expect((await ran('sources', 'uninstall', 'orders-table')).output).toMatch(/is removed from main/)
  await sql((await ran('sources', 'table-sql', 'orders-table')).output)
  expect((await ran('sources')).output).toMatch(/installed/)
  const unknown = await ran('sources', 'install', 'nothing')
  expect([unknown.code, unknown.errors]).toEqual([3, expect.stringMatching(/Known: orders-table/)])
})
