// What an app exports as `prepare` has run before any of its work, by one process at a time.
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
