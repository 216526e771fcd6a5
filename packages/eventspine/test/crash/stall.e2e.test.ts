// A process that was stopped as a whole (SIGSTOP, a laptop's sleep) goes on as if nothing had been; one whose event
// loop a handler blocks for the same time is killed, and says why (I19).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Eventspine } from 'eventspine'
import { expect, it } from 'vitest'
import { afterTest, databaseUrl, freshSchema, sql, until } from '../support.js'
import { apps, effectTable, happened, heldEvent } from './apps.js'
import { plainRuns } from './ledger.js'
import { Program } from './processes.js'

/** Longer than the time after which a worker of this app is taken for blocked. */
const stoppedMs = 3_000
/** Until the watch has looked for the first time. */
const watchingMs = 1_000
/** Of two looks of the watch at least, and less than that time. */
const looksMs = 500

async function surroundings() {
  const schema = freshSchema()
  const directory = mkdtempSync(join(tmpdir(), 'eventspine-stall-'))
  afterTest(async () => rmSync(directory, { recursive: true, force: true }))
  const sink = join(directory, 'plain.log')
  writeFileSync(sink, '')
  const publisher = new Eventspine(apps.blocking({ schema, sink }), { databaseUrl, schema, work: false })
  afterTest(() => publisher.stop())
  await publisher.start()
  await sql(effectTable(schema))
  return { schema, sink, publisher }
}

it('tells a process that was stopped from one that is blocked', { timeout: 60_000 }, async () => {
  const { schema, sink, publisher } = await surroundings()
  const worker = new Program('worker', { databaseUrl, schema, sink, app: 'blocking' })
  await worker.says('ready')
  await delay(watchingMs)

  // Stopped inside a handler that is not through with its turn of the event loop: no beat can come before the first look.
  await publisher.publish(happened, { n: heldEvent, key: 'k' })
  await until(() => readFileSync(sink, 'utf8') !== '')
  worker.signal('SIGSTOP')
  await delay(stoppedMs)
  worker.signal('SIGCONT')
  await delay(looksMs)
  writeFileSync(`${sink}.release`, '')
  await publisher.publish(happened, { n: 1, key: 'k' })
  await until(async () => worker.ended || plainRuns(sink, 2).missing.length === 1)
  expect(worker.ended, worker.output).toBe(false)
  expect(worker.output).not.toContain('stood still')

  await publisher.publish(happened, { n: 7, key: 'k' })
  await worker.end()
  expect(worker.code).toBeNull()
  expect(worker.output).toContain('a handler blocks it')
})

it('kills a blocked process also while it still starts: the cells that run deliver already', {
  timeout: 60_000,
}, async () => {
  const { schema, sink, publisher } = await surroundings()
  const worker = new Program('half-started', { databaseUrl, schema, sink, app: 'blocking' })
  afterTest(() => sql(`DROP SCHEMA IF EXISTS ${schema}_never CASCADE`))
  await until(async () => (await publisher.operator().subscriptions()).length > 0, 30_000)
  await publisher.publish(happened, { n: 7, key: 'k' })
  await worker.end()
  expect(worker.code).toBeNull()
  expect(worker.output).toContain('a handler blocks it')
})
