// A tick commits asynchronously: a crash can lose it, and its number is given to another one with a larger snapshot.
// Whoever read the lost one must not go on from it, or what only the new one holds is skipped (I8).
import { expect, it } from 'vitest'
import { Feed } from '../src/deliver/feed.js'
import { endOfTick, type NewEvent } from '../src/event/stored.js'
import { systemClock } from '../src/kernel/index.js'
import { silentLogger } from '../src/observe/log.js'
import { createPostgresStore } from '../src/store/postgres/postgres-store.js'
import { afterTest, databaseUrl, freshSchema, sql } from './support.js'

const event = (id: string): NewEvent => ({
  id,
  type: 'test.written',
  version: 1,
  tenant: 'default',
  source: '/test',
  subject: null,
  key: null,
  timeMs: 0,
  data: '{}',
  claim: null,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  correlationId: id,
  causationId: null,
  extensions: null,
  fingerprint: null,
})

async function store(schema: string) {
  const opened = createPostgresStore(
    { url: databaseUrl, schema, idempotencyWindowMs: 60_000 },
    systemClock,
    silentLogger,
  )
  afterTest(() => opened.close())
  await opened.migrate()
  await opened.open()
  return opened
}

it.each(['kept in memory', 'read from the store'])(
  'stops a reader whose last tick was lost and made anew, the next one %s',
  async (where) => {
    const schema = freshSchema()
    const log = await store(schema)
    const feed = new Feed(log)
    await feed.start()
    await log.append([event('a')])
    await feed.advance()
    const read = await feed.next({ tick: 0, seq: endOfTick }, 100)
    if (read === undefined || read === 'renumbered') throw new Error('nothing to read')
    expect(read.events.map(({ id }) => id)).toEqual(['a'])
    const lost = read.upto.tick

    await sql(`DELETE FROM ${schema}.tick WHERE number = $1`, [lost])
    await log.append([event('b')])
    const [renumbered] = (await log.tick(lost - 1, 10)).ticks
    expect(renumbered?.number).toBe(lost)
    await log.append([event('c')])
    if (where === 'kept in memory') await feed.advance()
    else await log.tick(lost, 10).then(() => feed.advance())

    const before = read.ticks.get(lost)
    expect(await feed.next(read.upto, 100, before)).toBe('renumbered')
    feed.forget()
    await feed.advance()
    const again = await feed.next({ tick: lost - 1, seq: endOfTick }, 100)
    expect(again).toMatchObject({ events: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] })
  },
)
