// Large bodies in a directory: invisible to whoever publishes, handles or looks, and never somebody else's.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineApp, defineEvent, defineSubscription, retries } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, databaseUrl, freshSchema, quiet, running, sql, until } from './support.js'

const scanned = defineEvent({
  type: 'documents.scanned',
  schema: z.object({ text: z.string(), n: z.int() }),
})
const filed = defineEvent({ type: 'documents.filed', schema: z.object({ text: z.string() }) })
const large = 'é'.repeat(60_000)

async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'claims-'))
  afterTest(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

it('keeps them from publish to a handler’s own publish, a filter, a redrive and a replay', async () => {
  const directory = await freshDirectory()
  const seen: string[] = []
  let broken = true
  const app = defineApp({
    name: 'documents',
    subscriptions: [
      defineSubscription({
        name: 'file',
        on: scanned,
        filter: { data: { n: [{ numeric: ['>', 0] }] } },
        external: false,
        retry: retries.none(),
        handle: async (event, { publish }) => {
          if (broken && event.data.n === 2) throw new Error('disk full')
          seen.push(`file ${event.data.n} ${event.data.text === large}`)
          await publish(filed, { text: event.data.text })
        },
      }),
      defineSubscription({
        name: 'index',
        on: filed,
        handle: (event) => void seen.push(`index ${event.data.text === large}`),
      }),
    ],
  })
  const schema = freshSchema()
  const spine = await running(app, schema, { claim: { directory } })
  for (const n of [0, 1, 2]) await spine.publish(scanned, { n, text: large }, { id: `scan-${n}` })
  await spine.publish(scanned, { n: 1, text: large }, { id: 'scan-1' })
  await quiet(spine)
  expect(seen).toEqual(['file 1 true', 'index true'])
  const rows = await sql<{ data: unknown; claim: string }>(`SELECT data, claim FROM ${schema}.event`)
  expect(rows).toHaveLength(4)
  for (const row of rows)
    expect(row).toMatchObject({ data: null, claim: expect.stringMatching(/^[0-9a-f/]{97}$/) })
  expect(await sql(`SELECT 1 FROM ${schema}.claim`)).toEqual([])
  expect(await filesOf(directory)).toHaveLength(4)

  const operator = spine.operator()
  expect((await operator.event('scan-1'))?.event.data).toEqual({ n: 1, text: large })
  const [letter] = (await operator.deadLetters()).items
  expect(letter?.event.data ?? (await operator.event('scan-2'))?.event.data).toBeTruthy()
  broken = false
  await operator.redrive({ filter: {}, actor: 'ada' })
  await until(() => seen.length >= 4)
  expect(seen.slice(2)).toEqual(['file 2 true', 'index true'])
  const replay = await operator.replay({ subscription: 'file', from: 'beginning', actor: 'ada' })
  await until(async () => (await operator.replayStatus(replay.id))?.state === 'completed')
  // An unordered subscription handles both at once; whose body is read first goes first.
  expect(seen.slice(4).sort()).toEqual(['file 1 true', 'file 2 true'])
})

it('refuses the same id with another large body, and does not share files between tenants', async () => {
  const directory = await freshDirectory()
  const spine = await running(defineApp({ name: 'documents', events: [scanned] }), freshSchema(), {
    claim: { directory },
  })
  await spine.publish(scanned, { n: 1, text: large }, { id: 'scan' })
  const other = spine.publish(scanned, { n: 1, text: `${large}!` }, { id: 'scan' })
  await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
  for (const tenant of ['a', 'b', '../../a']) await spine.publish(scanned, { n: 1, text: large }, { tenant })
  const files = await filesOf(directory)
  expect(files.every((file) => file.startsWith(directory))).toBe(true)
  expect(new Set(files.map((file) => file.slice(directory.length).split('/')[1])).size).toBe(4)
  for (const file of files) expect(await readFile(file, 'utf8')).toContain('é')
})

it('does not hand a damaged or missing body to a handler', async () => {
  const directory = await freshDirectory()
  const seen: number[] = []
  const read = defineSubscription({
    name: 'read',
    on: scanned,
    retry: retries.standard({ attemptsMax: 2, timeScale: 0.001 }),
    handle: (event) => void seen.push(event.data.n),
  })
  const spine = await running(defineApp({ name: 'documents', subscriptions: [read] }), freshSchema(), {
    claim: { directory },
  })
  const operator = spine.operator()
  await operator.pause('read', 'ada')
  await spine.publish(scanned, { n: 1, text: large })
  const [damaged = ''] = await filesOf(directory)
  await writeFile(damaged, JSON.stringify({ n: 666, text: large }))
  await spine.publish(scanned, { n: 2, text: large })
  const missing = (await filesOf(directory)).find((file) => file !== damaged) ?? ''
  await rm(missing)
  await spine.publish(scanned, { n: 3, text: 'small' })
  await operator.resume('read', 'ada')
  await quiet(spine)
  expect(seen).toEqual([3])
  const { items } = await operator.deadLetters()
  expect(items.map(({ failure }) => failure.message).sort()).toEqual([
    expect.stringMatching(/is gone from the object store/),
    expect.stringMatching(/was changed or damaged/),
  ])
})

it('takes an object store of the user’s own', async () => {
  const bodies = new Map<string, string>()
  const store = {
    async put(tenant: string, body: string) {
      bodies.set(`${tenant}/${body.length}`, body)
      return `${tenant}/${body.length}`
    },
    get: async (reference: string) => bodies.get(reference) ?? '',
    expire: async () => 0,
  }
  const schemas = { old: freshSchema(), young: freshSchema() }
  const cells = {
    old: { url: databaseUrl, schema: schemas.old },
    young: { url: databaseUrl, schema: schemas.young },
  }
  const options = { cells, placement: (tenant: string) => tenant, claim: { store } }
  const spine = await running(defineApp({ name: 'documents', events: [scanned] }), schemas.old, options)
  const data = { n: 1, text: large }
  await spine.publishMany([{ event: scanned, data, options: { tenant: 'young', id: 'scan' } }])
  await spine.publish(scanned, data, { tenant: 'old' })
  expect((await spine.operator('young').event('scan'))?.event.data).toEqual(data)
  const length = JSON.stringify(data).length
  expect([...bodies.keys()]).toEqual([`young/${length}`, `old/${length}`])
})

it('measures the soft limit in bytes', async () => {
  const directory = await freshDirectory()
  const options = { claim: { directory }, softLimitBytes: 1_000 }
  const spine = await running(defineApp({ name: 'documents', events: [scanned] }), freshSchema(), options)
  const around = JSON.stringify({ n: 1, text: '' }).length
  await spine.publish(scanned, { n: 1, text: 'x'.repeat(1_000 - around) })
  await spine.publish(scanned, { n: 1, text: 'é'.repeat((1_000 - around) / 2) })
  expect(await filesOf(directory)).toEqual([])
  await spine.publish(scanned, { n: 1, text: 'x'.repeat(1_001 - around) })
  await spine.publishMany([{ event: scanned, data: { n: 1, text: `é${'x'.repeat(999 - around)}` } }])
  expect(await filesOf(directory)).toHaveLength(2)
})
