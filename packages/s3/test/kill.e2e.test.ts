// Workers that are killed when they have listed an object and not taken it, when its event is stored and not noted, and on the way through
// its records: every object becomes one event, and every record, too.
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { databaseUrl, freshSchema, sql, until, WorkerProcess } from '../../../test/spine.js'
import { type TestBucket, TestS3 } from './bucket.js'

vi.setConfig({ testTimeout: 240_000 })
const files = ['a.csv', 'b.ndjson', 'c.csv']
const recordsPerFile = 12_000
const records = files.length * recordsPerFile
const note = 'x'.repeat(500)

function contentOf(file: string): string {
  const first = files.indexOf(file) * recordsPerFile
  const numbers = Array.from({ length: recordsPerFile }, (_, n) => first + n)
  return file.endsWith('.csv')
    ? `n,note\n${numbers.map((n) => `${n},"${n % 100 === 0 ? 'two\nlines' : note}"\n`).join('')}`
    : numbers.map((n) => `{"n":${n},"note":"${note}"}\n`).join('')
}

const workerOf = (schema: string, { s3, name }: TestBucket) =>
  new WorkerProcess(new URL('./killed-worker.ts', import.meta.url), {
    ...{ DATABASE_URL: databaseUrl, KILL_SCHEMA: schema, S3_ENDPOINT: s3.settings.endpoint, S3_BUCKET: name },
  })

/** When the objects' events are stored, and the ledger does not say so yet. */
async function killedBeforeNoting(worker: WorkerProcess, schema: string): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query(`BEGIN; LOCK TABLE ${schema}.source_item IN SHARE ROW EXCLUSIVE MODE`)
    const waiting = `SELECT l.pid FROM pg_locks l WHERE l.relation = '${schema}.source_item'::regclass AND NOT l.granted`
    const [asked] = await until(async () => {
      const found = await sql<{ pid: number }>(waiting)
      return found.length > 0 ? found : null
    }, 60_000)
    await worker.kill()
    // Else what the dead one has asked for is done behind its death.
    await client.query('SELECT pg_terminate_backend($1)', [asked?.pid])
    await client.query('COMMIT')
    await until(async () => (await sql(waiting)).length === 0)
  } finally {
    await client.end()
  }
}

const countOf = async (schema: string, type: string) =>
  (
    await sql<{ events: number; distinct: number }>(
      `SELECT count(*)::int AS events, count(DISTINCT coalesce(data ->> 'n', data ->> 'key'))::int AS distinct
       FROM ${schema}.event WHERE type = '${type}'`,
    )
  )[0]

test('every object becomes one event, and every record of it, however often the worker is killed', async () => {
  const schema = freshSchema()
  const s3 = await TestS3.open()
  const bucket = s3.bucket()
  const first = workerOf(schema, bucket)
  await first.says('ready')
  const listed = s3.hold('head')
  for (const file of files) await bucket.put(file, contentOf(file))
  await listed
  await first.kill()
  s3.door = () => 'made'
  await killedBeforeNoting(workerOf(schema, bucket), schema)
  expect(await sql(`SELECT FROM ${schema}.source_item`)).toEqual([])
  for (let kill = 0; kill < 4; kill++) {
    // In turns: while it waits for the next range of an object, and behind a batch that it has stored.
    const reading = kill % 2 === 0 ? s3.hold('get', 2) : undefined
    const victim = workerOf(schema, bucket)
    await (reading ?? victim.says(': '))
    await victim.kill()
    s3.door = () => 'made'
  }
  const half = await sql<{ records: number }>(`SELECT records::int FROM ${schema}.file_import`)
  const sum = half.reduce((all, each) => all + each.records, 0)
  expect(sum).toBeGreaterThan(0)
  expect(sum).toBeLessThan(records)
  const last = workerOf(schema, bucket)
  await until(
    async () =>
      (await sql(`SELECT FROM ${schema}.file_import WHERE state = 'completed'`)).length === files.length,
    120_000,
  )
  // It ends by itself, too: no connection to S3 holds it.
  expect(await last.stop()).toBe(0)
  expect(await countOf(schema, 'uploads.arrived')).toEqual({ events: files.length, distinct: files.length })
  expect(await countOf(schema, 'wards.measured')).toEqual({ events: records, distinct: records })
  expect(
    await sql(
      `SELECT file, records::int, published::int, kept::int FROM ${schema}.file_import ORDER BY file`,
    ),
  ).toEqual(files.map((file) => ({ file, records: recordsPerFile, published: recordsPerFile, kept: 0 })))
})
