// A file is imported by a process that is killed again and again at the worst moments: every record becomes one event, or is
// kept, and none twice.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { importApp, isBroken, lines, rowText } from './crash/importer-app.js'
import { databaseUrl, freshSchema, running, sql } from './support.js'

vi.setConfig({ testTimeout: 180_000 })
const folder = mkdtempSync(join(tmpdir(), 'eventspine-import-'))
afterAll(() => rmSync(folder, { recursive: true }))

const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const program = fileURLToPath(new URL('./crash/importer.ts', import.meta.url))

/** Ends with the exit code; null when it was killed, behind so many batches. */
function importer(schema: string, path: string, killBehind: number): Promise<number | null> {
  const parameters = ['--import', loader, '--conditions=source', program, databaseUrl, schema, path]
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
  let batches = 0
  child.stdout.on('data', (chunk: Buffer) => {
    batches += String(chunk).split('\n').length - 1
    if (batches >= killBehind) child.kill('SIGKILL')
  })
  return new Promise((resolve) => child.once('exit', resolve))
}

test('every record of a file becomes one event, however often the importer is killed', async () => {
  const schema = freshSchema()
  const path = join(folder, 'readings.csv')
  writeFileSync(
    path,
    `device;value;note\n${Array.from({ length: lines }, (_, n) => rowText(n)).join('\r\n')}`,
  )
  const spine = await running(importApp, schema)
  for (const batches of [1, 3, 2]) expect(await importer(schema, path, batches)).toBeNull()
  const half = (await spine.sources.imports())[0]
  expect(half).toMatchObject({ state: 'running', file: 'readings.csv' })
  expect(half?.records).toBeGreaterThan(0)
  expect(half?.records).toBeLessThan(lines)
  expect(await importer(schema, path, Number.POSITIVE_INFINITY)).toBe(0)
  const [done] = await spine.sources.imports()
  const good = Array.from({ length: lines }, (_, n) => n).filter((n) => !isBroken(n))
  expect(done).toMatchObject({
    state: 'completed',
    records: lines,
    published: good.length,
    kept: lines - good.length,
  })
  const [ledger] = await sql<{ events: number; numbers: number; sum: number }>(
    `SELECT count(*)::int AS events, count(DISTINCT data ->> 'n')::int AS numbers, sum((data ->> 'n')::int)::float8 AS sum
     FROM ${schema}.event WHERE type = 'devices.reading-taken'`,
  )
  expect(ledger).toEqual({
    events: good.length,
    numbers: good.length,
    sum: good.reduce((sum, n) => sum + n, 0),
  })
  await vi.waitFor(
    async () => {
      const { items } = await spine.operator().deadLetters({ subscription: 'source-readings', limit: 500 })
      expect(items).toHaveLength(lines - good.length)
    },
    { timeout: 60_000, interval: 200 },
  )
  // Once more: it is through.
  expect(await spine.sources.importFile('readings', path)).toEqual(done)
})

test('a record is mended as it stands in the file, and sent again', async () => {
  const path = join(folder, 'few.csv')
  writeFileSync(path, '\ufeffdevice;value;note\nd1;1;"a ""b"""\nd2;2\n')
  const spine = await running(importApp, freshSchema())
  expect(await spine.sources.importFile('readings', path)).toMatchObject({
    records: 2,
    published: 1,
    kept: 1,
  })
  const operator = spine.operator()
  await vi.waitFor(async () => expect((await operator.deadLetters()).items).toHaveLength(1), 20_000)
  const [letter] = (await operator.deadLetters()).items
  expect(letter?.failure).toMatchObject({
    category: 'validation',
    message: expect.stringMatching(/has 2 fields, and the first line names 3/),
  })
  const [kept] = (await operator.events({ type: 'eventspine.message-kept' })).items
  expect(kept?.data).toMatchObject({ body: 'd2;2', headers: { file: 'few.csv', line: '3' } })
  await operator.redrive({
    filter: { ids: [letter?.id as string] },
    data: { ...(kept?.data as object), body: 'd2;2;mended' },
    actor: 'ann',
  })
  await vi.waitFor(async () => {
    const { items } = await operator.events({ type: 'devices.reading-taken', order: 'oldest' })
    expect(items.map(({ data }) => data)).toMatchObject([{ note: 'a "b"' }, { note: 'mended' }])
  }, 20_000)
})

test('a record without an end is kept by its first line, and the import goes on at the next', async () => {
  const path = join(folder, 'endless.csv')
  writeFileSync(path, 'device;value;note\nd1;1;a\nd2;2;"open\nd3;3;c\n')
  const spine = await running(importApp, freshSchema())
  expect(await spine.sources.importFile('readings', path)).toMatchObject({
    ...{ state: 'completed', records: 3, published: 2, kept: 1, lines: 4 },
  })
  const operator = spine.operator()
  await vi.waitFor(async () => expect((await operator.deadLetters()).items).toHaveLength(1), 20_000)
  const [letter] = (await operator.deadLetters()).items
  expect(letter?.failure).toMatchObject({
    category: 'validation',
    message: expect.stringMatching(/a quote that opens in this line is not closed/),
  })
  const [kept] = (await operator.events({ type: 'eventspine.message-kept' })).items
  expect(kept?.data).toMatchObject({ body: 'd2;2;"open', headers: { line: '3' } })
  await operator.redrive({
    filter: { ids: [letter?.id as string] },
    data: { ...(kept?.data as object), body: 'd2;2;"closed"' },
    actor: 'ann',
  })
  await vi.waitFor(async () => {
    const { items } = await operator.events({ type: 'devices.reading-taken', order: 'oldest' })
    expect(items.map(({ data }) => data)).toMatchObject([{ n: 1 }, { n: 3 }, { n: 2, note: 'closed' }])
  }, 20_000)
})

test('a line over 1 MiB is kept by its beginning, which is no record until somebody mends it', async () => {
  const path = join(folder, 'long.ndjson')
  writeFileSync(path, `1\n${'2'.repeat(3_000_000)}\n3\n`)
  const spine = await running(importApp, freshSchema())
  expect(await spine.sources.importFile('lines', path)).toMatchObject({ records: 3, published: 2, kept: 1 })
  const operator = spine.operator()
  await vi.waitFor(async () => expect((await operator.deadLetters()).items).toHaveLength(1), 20_000)
  // Its beginning alone would be a number, too.
  expect((await operator.deadLetters()).items).toMatchObject([
    { failure: { message: expect.stringMatching(/more than 1,024 KiB; its first 64 KiB are kept here/) } },
  ])
  expect((await operator.events({ type: 'devices.reading-taken' })).items).toHaveLength(2)
})

test('an import stops before it keeps more than it may, and goes on when it may keep more', async () => {
  const path = join(folder, 'broken.ndjson')
  const many = Array.from({ length: 4_000 }, (_, n) => (n === 10 || n > 3_997 ? '{' : n))
  writeFileSync(path, many.join('\n'))
  const schema = freshSchema()
  const spine = await running(importApp, schema)
  const stopped = {
    code: 'REQUEST_INVALID',
    message: expect.stringMatching(
      /^More than 2 records of broken\.ndjson cannot become events, .*up to line 2000 is stored\. .*keptMax/,
    ),
  }
  await expect(spine.sources.importFile('lines', path)).rejects.toMatchObject(stopped)
  await expect(spine.sources.importFile('lines', path)).rejects.toMatchObject(stopped)
  expect(await spine.sources.imports()).toMatchObject([{ state: 'running', records: 2_000, kept: 1 }])
  const sources = importApp.sources.map((each) => (each.name === 'lines' ? { ...each, keptMax: 3 } : each))
  const patient = await running({ ...importApp, sources } as typeof importApp, schema)
  expect(await patient.sources.importFile('lines', path)).toMatchObject({
    ...{ state: 'completed', records: 4_000, published: 3_997, kept: 3 },
  })
})

test('a file of another kind is refused before anything is stored', async () => {
  const path = join(folder, 'wrong.csv')
  writeFileSync(path, `a;b\n${'1;2\n'.repeat(3_000)}`)
  const spine = await running(importApp, freshSchema())
  await expect(spine.sources.importFile('readings', path)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringMatching(/Not one of the first 2000 records of wrong.csv becomes an event/),
  })
  expect((await spine.operator().events({ limit: 1 })).items).toEqual([])
  await expect(spine.sources.importFile('none', path)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(spine.sources.importFile('readings', join(folder, 'missing.csv'))).rejects.toThrow(/ENOENT/)
})

test('a small file of another kind is refused as a whole, and can be imported when the source is mended', async () => {
  const path = join(folder, 'small.csv')
  writeFileSync(path, 'a;b\n1;2\n\n\n')
  const spine = await running(importApp, freshSchema())
  await expect(spine.sources.importFile('readings', path)).rejects.toThrow(/Not one of the 1 records/)
  expect((await spine.operator().events({ limit: 1 })).items).toEqual([])
})

test('a file with another delimiter is refused with the one to write', async () => {
  const path = join(folder, 'delimited.csv')
  const spine = await running(importApp, freshSchema())
  for (const [delimiter, shown] of [
    [',', '","'],
    ['\t', '"\\\\t"'],
  ] as const) {
    writeFileSync(path, `device${delimiter}value${delimiter}note\nd1${delimiter}1${delimiter}a\n`)
    await expect(spine.sources.importFile('readings', path)).rejects.toThrow(
      new RegExp(`one field by the delimiter ";", and several by ${shown}: write delimiter: ${shown} in`),
    )
  }
  writeFileSync(path, 'device\nd1\n')
  await expect(spine.sources.importFile('readings', path)).rejects.toThrow(
    /Nothing was stored\. Mend the source/,
  )
})

test('records under ids of their own come once, within a file and over several', async () => {
  const spine = await running(importApp, freshSchema())
  const imported = async (name: string, ...rows: string[]) => {
    const path = join(folder, name)
    writeFileSync(path, `id;n\n${rows.join('\n')}\n`)
    const { published, known, kept } = await spine.sources.importFile('numbered', path)
    const [standing] = await spine.sources.imports()
    expect(standing).toMatchObject({ published, known, kept })
    return [published, known, kept]
  }
  expect(await imported('one.csv', 'A;1', 'A;1', 'B;2')).toEqual([2, 1, 0])
  expect(await imported('two.csv', 'A;1', 'C;3', 'C;4', 'B;5')).toEqual([1, 1, 2])
  await vi.waitFor(async () => {
    const { items } = await spine.operator().events({ type: 'devices.reading-taken', order: 'oldest' })
    expect(items.map(({ id }) => id)).toEqual(['A', 'B', 'C'])
  }, 20_000)
})

test('stops between two batches when it is told to, and goes on', async () => {
  const path = join(folder, 'stopped.csv')
  writeFileSync(
    path,
    `device;value;note\n${Array.from({ length: 10_000 }, (_, n) => `d;${n};`).join('\n')}\n`,
  )
  const spine = await running(importApp, freshSchema())
  const stop = new AbortController()
  const stopped = await spine.sources.importFile('readings', path, {
    ...{ signal: stop.signal, progress: () => stop.abort() },
  })
  expect(stopped.state).toBe('running')
  expect(stopped.records).toBeLessThan(10_000)
  expect(await spine.sources.importFile('readings', path)).toMatchObject({
    state: 'completed',
    published: 10_000,
  })
})
