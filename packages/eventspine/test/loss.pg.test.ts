// The reader loses nothing (I8): twelve writers with open transactions and rollbacks, read by ticks and, beside it,
// by the reader that everybody writes first. That one must lose here, or the test shows nothing.
import pg from 'pg'
import { expect, it } from 'vitest'
import type { NewEvent } from '../src/event/stored.js'
import { seededRandom, systemClock } from '../src/kernel/index.js'
import { silentLogger } from '../src/observe/log.js'
import { createPostgresStore } from '../src/store/postgres/postgres-store.js'
import { afterTest, databaseUrl, freshSchema } from './support.js'

const writers = 12
/** So long, and until so many are committed: a busy machine takes longer. */
const writeMs = 5_000
const committedMin = 1_000

function event(id: string): NewEvent {
  return {
    id,
    type: 'test.written',
    version: 1,
    tenant: 'default',
    source: '/test',
    subject: null,
    key: id.split('-')[0] ?? null,
    timeMs: Date.now(),
    data: '{}',
    claim: null,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    correlationId: id,
    causationId: null,
    extensions: null,
    fingerprint: null,
  }
}

/** Commits events in transactions of 0 to 300 ms, a twentieth of them rolled back; adds to `committed` what was. */
async function write(
  number: number,
  store: Awaited<ReturnType<typeof createPostgresStore>>,
  goesOn: () => boolean,
  committed: string[],
): Promise<void> {
  const random = seededRandom(number + 1)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  for (let round = 0; goesOn(); round++) {
    const ids: string[] = []
    await client.query('BEGIN')
    const parts = 1 + Math.floor(random.next() * 3)
    for (let part = 0; part < parts; part++) {
      const id = `${number}-${round}-${part}`
      await store.appendWithin(
        async (text, values) => (await client.query(text, [...values])).rows,
        [event(id)],
      )
      ids.push(id)
      if (random.next() < 0.1) await new Promise((resolve) => setTimeout(resolve, random.next() * 300))
    }
    if (random.next() < 0.05) await client.query('ROLLBACK')
    else {
      await client.query('COMMIT')
      committed.push(...ids)
    }
  }
  await client.end()
}

it('delivers every committed event to the two-snapshot reader, while `seq > cursor` loses some', async () => {
  const schema = freshSchema()
  const store = createPostgresStore(
    { url: databaseUrl, schema, idempotencyWindowMs: 60_000 },
    systemClock,
    silentLogger,
  )
  afterTest(() => store.close())
  await store.migrate()
  await store.open()
  const ours: string[] = []
  const naive = new Set<string>()
  let known = (await store.lastTick()).number
  let cursor = 0
  let lastSeqOfKey = new Map<string, number>()
  let disorder = 0

  const readTicks = async () => {
    // Both ways to the events of a tick: with the statement that makes it, and behind it.
    const { ticks, events } = await store.tick(known, 100, known % 2 === 0 ? 10_000 : 0)
    if (ticks.length === 0) return
    for (const read of events ?? (await store.read(ticks, 0, 1_000_000))) {
      ours.push(read.id)
      if ((lastSeqOfKey.get(read.key ?? '') ?? 0) > read.seq) disorder++
      lastSeqOfKey.set(read.key ?? '', read.seq)
    }
    known = ticks.at(-1)?.number ?? known
  }
  const readNaively = async () => {
    const rows = await store.database.query<{ id: string; seq: number }>(
      'read',
      'test.naive',
      'SELECT id, seq FROM eventspine.event WHERE seq > $1 ORDER BY seq',
      [cursor],
    )
    for (const row of rows) {
      naive.add(row.id)
      cursor = row.seq
    }
  }

  const until = Date.now() + writeMs
  const committed: string[] = []
  const goesOn = () => Date.now() < until || committed.length <= committedMin
  let writing = true
  const work = Promise.all(
    Array.from({ length: writers }, (_, number) => write(number, store, goesOn, committed)),
  ).finally(() => {
    writing = false
  })
  while (writing) {
    await readTicks()
    await readNaively()
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await work
  await readTicks()
  await readNaively()

  expect(committed.length).toBeGreaterThan(committedMin)
  expect([...ours].sort()).toEqual([...committed].sort())
  expect(disorder).toBe(0)
  const lost = committed.filter((id) => !naive.has(id))
  expect(lost.length, 'the naive reader must lose events in this load').toBeGreaterThan(0)
})
