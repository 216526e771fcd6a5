// A worker over a folder that is killed when a file is in the archive and its event not stored, or stored and its file not yet gone:
// every file is one event.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { Program } from '../crash/system/program.js'
import { afterTest, databaseUrl, freshSchema, sql, until } from '../support.js'

vi.setConfig({ testTimeout: 180_000 })
const files = 60
const kills = 6

function worker(schema: string, folder: string): Program {
  const program = new Program(new URL('./worker.ts', import.meta.url), {
    ...{ DATABASE_URL: databaseUrl, CRASH_SCHEMA: schema, FOLDER: folder },
  })
  afterTest(() => program.kill())
  return program
}

/** While a file's event waits to be stored. What was asked for by the dead one still happens, unless `lost`. */
async function killed(program: Program, schema: string, lost: boolean): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query(`BEGIN; LOCK TABLE ${schema}.event IN SHARE ROW EXCLUSIVE MODE`)
    const waiting = `SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.relation = '${schema}.event'::regclass AND NOT l.granted AND a.query LIKE '%/* append%'`
    const [asked] = await until(async () => {
      const found = await sql<{ pid: number }>(waiting)
      return found.length > 0 ? found : null
    }, 60_000)
    await program.kill()
    if (lost) await client.query('SELECT pg_terminate_backend($1)', [asked?.pid])
    await client.query('COMMIT')
    await until(async () => (await sql(waiting)).length === 0)
  } finally {
    await client.end()
  }
}

test('every file becomes one event, however often the worker is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eventspine-folder-'))
  afterTest(() => rm(folder, { recursive: true, force: true }))
  const schema = freshSchema()
  let runs = worker(schema, folder)
  await runs.says('ready')
  for (let n = 0; n < files; n++) writeFileSync(join(folder, `${n}.csv`), `file ${n}`)
  for (let kill = 0; kill < kills; kill++) {
    await killed(runs, schema, kill % 2 === 0)
    runs = worker(schema, folder)
  }
  await until(() => readdirSync(folder).join() === 'processed', 60_000)
  runs.signal('SIGTERM')
  await runs.end()
  const events = await sql<{ path: string; name: string }>(
    `SELECT data ->> 'path' AS path, data ->> 'name' AS name FROM ${schema}.event WHERE type = 'reports.arrived'`,
  )
  expect(events).toHaveLength(files)
  expect(new Set(events.map(({ name }) => name)).size).toBe(files)
  for (const { path, name } of events)
    expect(readFileSync(path, 'utf8')).toBe(`file ${name.replace('.csv', '')}`)
})
