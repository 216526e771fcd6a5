// A worker that is stopped beyond its lease and wakes up again records nothing (I32, I34); one that is asked to end
// leaves no lease and no half state (I40).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Eventspine } from 'eventspine'
import { expect, it } from 'vitest'
import { afterTest, databaseUrl, freshSchema, sql, until } from '../support.js'
import { apps, effectTable, happened } from './apps.js'
import { drained, expectLedger, plainRuns, wrongEffects } from './ledger.js'
import { Program } from './processes.js'

async function scene() {
  const schema = freshSchema()
  const directory = mkdtempSync(join(tmpdir(), 'eventspine-zombie-'))
  afterTest(async () => rmSync(directory, { recursive: true, force: true }))
  const sink = join(directory, 'plain.log')
  writeFileSync(sink, '')
  const observer = new Eventspine(apps.alarms({ schema, sink }), { databaseUrl, schema, work: false })
  afterTest(() => observer.stop())
  await observer.start()
  await sql(effectTable(schema))
  const surroundings = { databaseUrl, schema, sink, app: 'alarms' } as const
  const publish = (from: number, to: number) =>
    observer.publishMany(
      Array.from({ length: to - from }, (_, index) => ({
        event: happened,
        data: { n: from + index, key: 'k' },
      })),
    )
  return { schema, sink, observer, surroundings, publish }
}

const effects = async (schema: string) =>
  (await sql<{ count: number }>(`SELECT count(*)::int AS count FROM ${schema}.effect`))[0]?.count ?? 0

it('records nothing of a worker that wakes up after its lease', { timeout: 60_000 }, async () => {
  const { schema, sink, observer, surroundings, publish } = await scene()
  const zombie = new Program('worker', surroundings)
  await zombie.says('ready')
  await publish(0, 300)
  await until(async () => (await effects(schema)) > 0)
  zombie.signal('SIGSTOP')
  const heir = new Program('worker', surroundings)
  await drained(observer, 300, 30_000)
  const recorded = () =>
    sql(`SELECT subscription, tick, seq, matched, completed FROM ${schema}.consumer ORDER BY 1`)
  const before = await recorded()
  const [awake] = await sql(`SELECT clock_timestamp() AS at`)
  zombie.signal('SIGCONT')
  // It tries to record what it had, learns of its loss from the database, and goes on as a worker without those leases.
  await until(async () => {
    const beats = `SELECT FROM ${schema}.worker WHERE process_id = $1 AND heartbeat_at > $2`
    return (await sql(beats, [zombie.pid, awake?.['at']])).length > 0
  })
  expect(await recorded()).toEqual(before)
  await publish(300, 400)
  await drained(observer, 400, 30_000)

  expect(await wrongEffects(sql, schema, 'any', 400)).toEqual({ lost: [], doubled: [] })
  await expectLedger(observer, 400)
  expect(plainRuns(sink, 400).missing).toEqual([])
  const places = await sql<{ pid: number }>(`SELECT pid FROM ${schema}.effect WHERE n < 300 ORDER BY n`)
  const taken = places.findIndex(({ pid }) => pid === heir.pid)
  expect(taken).toBeGreaterThan(0)
  expect(new Set(places.slice(taken).map(({ pid }) => pid))).toEqual(new Set([heir.pid]))
})

it('gives everything back at SIGTERM: no lease, no worker, no row that runs, nothing repeated', {
  timeout: 60_000,
}, async () => {
  const { schema, sink, observer, surroundings, publish } = await scene()
  const first = new Program('worker', surroundings)
  await first.says('ready')
  await publish(0, 300)
  await until(async () => (await effects(schema)) > 0)
  first.signal('SIGTERM')
  await first.end()
  expect(first.code).toBe(0)
  expect(() => process.kill(first.pid, 0)).toThrow(/ESRCH/)
  expect(await sql(`SELECT subscription FROM ${schema}.consumer WHERE owner IS NOT NULL`)).toEqual([])
  expect(await sql(`SELECT id FROM ${schema}.worker`)).toEqual([])
  expect(await sql(`SELECT seq FROM ${schema}.delivery WHERE state = 'running'`)).toEqual([])
  expect(await effects(schema)).toBeLessThan(300)

  await new Program('worker', surroundings).says('ready')
  await drained(observer, 300, 30_000)
  expect(await wrongEffects(sql, schema, 'any', 300)).toEqual({ lost: [], doubled: [] })
  expect(plainRuns(sink, 300)).toEqual({ missing: [], repeated: 0 })
  expect(await sql(`SELECT deaths FROM ${schema}.consumer WHERE deaths > 0`)).toEqual([])
  await expectLedger(observer, 300)
})
