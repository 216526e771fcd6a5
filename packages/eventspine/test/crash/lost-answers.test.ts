// Answers of the store that never arrive, and a log that loses its last ticks: what is due goes on under the same lease.
import { defineApp, defineEvent, defineSubscription, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Feed } from '../../src/deliver/feed.js'
import { Reader } from '../../src/deliver/reader.js'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { logPort } from '../../src/store/memory/log.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'
import { MemoryTables } from '../../src/store/memory/tables.js'

const numbered = defineEvent({ type: 'tests.numbered', schema: z.object({ n: z.number() }) })
const dayMs = 86_400_000
const events = 5

it('runs rows again whose claim was carried out and never answered (I12)', async () => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: dayMs })
  let lost = 0
  const claimDue: typeof store.claimDue = async (...request) => {
    const rows = await store.claimDue(...request)
    if (rows.length > 0 && lost++ === 0) throw new Error('the connection broke')
    return rows
  }
  const attempts: number[] = []
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'handle',
        on: numbered,
        handle: (_event, { attempt }) => {
          attempts.push(attempt)
          if (attempt === 1) throw new TransientError('not yet')
        },
      }),
    ],
  })
  const spine = new Eventspine(
    app,
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    { clock, random, storeOf: () => ({ store: { ...store, claimDue }, claim: createMemoryClaims(clock) }) },
  )
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await clock.runUntil(() => over, dayMs)).toBe(true)
  }
  await ended(spine.start())
  await ended(spine.publishMany(Array.from({ length: events }, (_, n) => ({ event: numbered, data: { n } }))))
  const completed = async () => (await store.subscriptions())[0]?.completed
  expect(await clock.runUntil(async () => (await completed()) === events, 60_000)).toBe(true)
  expect(lost).toBeGreaterThan(1)
  // No attempt was spent on the answer that was lost.
  expect(attempts.sort()).toEqual([...Array(events).fill(1), ...Array(events).fill(2)])
  await ended(spine.stop())
})

const log = () => {
  const clock = new VirtualClock()
  const tables = new MemoryTables({ clock, random: seededRandom(1), idempotencyWindowMs: dayMs })
  const write = (number: number) => {
    const transaction = tables.begin()
    const event = { id: `event-${number}`, type: 'tests.numbered', version: 1, tenant: 'one', data: null }
    tables.write(transaction, event as Parameters<typeof tables.write>[1])
    transaction.commit()
  }
  return { clock, tables, write, feed: new Feed(logPort(tables)) }
}

const lease = {
  ...{ subscription: 'handle', replay: '', shard: 0, token: 1, revision: 0, shards: 1, tick: 0 },
  ...{ seq: Number.MAX_SAFE_INTEGER, untilTick: 1, fromTimeMs: null, deaths: 0 },
}

it('knows where the log ends after the store lost its last ticks', async () => {
  const { clock, tables, write, feed } = log()
  await feed.start()
  for (const number of [1, 2, 3]) {
    write(number)
    await feed.advance()
  }
  // Both are made anew as one.
  tables.ticks.splice(-2)
  tables.makeTick()
  const reader = new Reader(feed, lease, () => true, clock)
  for (let read = 0; read < 3; read++) {
    let over = false
    void reader
      .read(10, () => {})
      .finally(() => {
        over = true
      })
    await clock.runUntil(() => over, dayMs)
  }
  expect(reader.position.tick).toBe(2)
  await feed.advance()
  expect(reader.atEnd).toBe(true)
})

it('hands over what was read before it says that the end is reached (I12)', async () => {
  const { clock, write, feed } = log()
  await feed.start()
  const reader = new Reader(feed, lease, () => true, clock)
  write(1)
  await feed.advance()
  let taken = 0
  let sawEndWithout = false
  const look = () => {
    sawEndWithout ||= reader.pastEnd && taken === 0
  }
  const reading = reader.read(10, (_chunk, wanted) => {
    look()
    taken += wanted.length
  })
  for (let turn = 0; turn < 20; turn++) await Promise.resolve().then(look)
  await reading
  expect([taken, reader.pastEnd, sawEndWithout]).toEqual([1, true, false])
})
