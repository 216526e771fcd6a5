// What an app exports as `prepare` has run before any of its work, by one process at a time.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { eventspine, type OwnDatabase, ownDatabase, Run } from './command.js'
import { eventually } from './day.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const notes = fileURLToPath(new URL('./apps/prepared.ts', import.meta.url))
let database: OwnDatabase
const runs: Run[] = []

beforeEach(async () => {
  database = await ownDatabase()
})

afterEach(async () => {
  for (const run of runs.splice(0)) await run.kill()
  await database.drop()
})

const command = (...parameters: string[]) =>
  eventspine([...parameters, '--app', notes, '--json'], { environment: { DATABASE_URL: database.url } })

it('is run by all who start at once, one after the other, and then there is work', async () => {
  const started = Array.from({ length: 2 }, () => {
    const run = new Run(['worker', '--app', notes, '--json'], { environment: { DATABASE_URL: database.url } })
    runs.push(run)
    return run.record(({ message }) => message === 'ready')
  })
  const [migrated] = await Promise.all([command('migrate'), ...started])
  expect([migrated.errors, migrated.code]).toEqual(['', 0])
  await command('publish', 'notes.noted', '--data', '{"text":"kept"}')
  const kept = await eventually(
    () => database.rows('SELECT text FROM notes.note'),
    (rows) => rows.length > 0,
  )
  expect(kept).toEqual([{ text: 'kept' }])
})

it('fails the start with what it said, and leaves nothing half done', async () => {
  const environment = { DATABASE_URL: database.url, NOTES_SQL: 'CREATE SCHEMA notes; CREATE TABL note ()' }
  const failed = await eventspine(['migrate', '--app', notes, '--json'], { environment })
  expect(failed.failure()).toMatchObject({
    code: 'PREPARE_FAILED',
    message: expect.stringMatching(
      /apps\/prepared\.ts: its export "prepare" failed: syntax error at or near "TABL"/,
    ),
    field: '--app',
  })
  expect(failed.code).toBe(2)
  expect((await command('migrate')).code).toBe(0)
})

it('is shown by the guide with tables that keep out of the schema of the log, whatever the search path is', async () => {
  const guide = readFileSync(fileURLToPath(new URL('../../../docs/start.md', import.meta.url)), 'utf8')
  const [shown = ''] = /export async function prepare[^]*?\n}\n/.exec(guide) ?? []
  const folder = mkdtempSync(join(tmpdir(), 'eventspine-guide-'))
  try {
    symlinkSync(
      fileURLToPath(new URL('../../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    )
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const file = join(folder, 'hello.ts')
    writeFileSync(
      file,
      `import { defineApp } from 'eventspine'
import pg from 'pg'
export const app = defineApp({ name: 'hello', events: [] })
${shown}`,
    )
    // As in the embedded database, whose role has the name of the schema.
    const url = new URL(database.url)
    url.searchParams.set('options', '-c search_path=eventspine,public')
    const migrates = async () => {
      const migrated = await eventspine(['migrate', '--app', file, '--json'], {
        environment: { DATABASE_URL: url.href },
      })
      expect([migrated.errors, migrated.code]).toEqual(['', 0])
    }
    await migrates()
    await migrates()
    expect(await database.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'greeting'")).toEqual([
      { schemaname: 'hello' },
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
