// A reader far behind the end has the next chunk looked for while this one is handled: each event comes once and in
// order all the same, whatever sizes are asked for and whichever questions fail.
import { expect, it } from 'vitest'
import { Feed } from '../../src/deliver/feed.js'
import type { Lease, LogPort } from '../../src/deliver/port.js'
import { Reader } from '../../src/deliver/reader.js'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { logPort } from '../../src/store/memory/log.js'
import { MemoryTables } from '../../src/store/memory/tables.js'

const events = 60
const lease = {
  ...{ subscription: 'handle', replay: '', shard: 0, token: 1, revision: 0, shards: 1, tick: 0 },
  ...{ seq: Number.MAX_SAFE_INTEGER, untilTick: null, fromTimeMs: null, deaths: 0 },
} as Lease

/** A log of `events`, some to a tick, of which nothing is kept in memory. */
async function lagging(port: (log: LogPort) => LogPort) {
  const clock = new VirtualClock()
  const tables = new MemoryTables({ clock, random: seededRandom(1), idempotencyWindowMs: 1_000 })
  const feed = new Feed(port(logPort(tables)), { cacheBytesMax: 0, ticksMax: 7 })
  await feed.start()
  for (let number = 0; number < events; number++) {
    const transaction = tables.begin()
    const event = { id: `event-${number}`, type: 'tests.numbered', version: 1, tenant: 'one', data: null }
    tables.write(transaction, event as Parameters<typeof tables.write>[1])
    transaction.commit()
    if (number % 4 === 3) tables.makeTick()
  }
  while (await feed.advance());
  return { clock, reader: new Reader(feed, lease, () => true, clock) }
}

/** Reads to the end, as many at once as `sizeOf` says, over failures. Answers the ids and how many reads failed. */
async function readAll(clock: VirtualClock, reader: Reader, sizeOf: (read: number) => number) {
  const ids: string[] = []
  let failed = 0
  for (let read = 0; !reader.atEnd; read++) {
    let over = false
    const reading = reader
      .read(sizeOf(read), (_chunk, wanted) => ids.push(...wanted.map(({ id }) => id)))
      .catch(() => failed++)
      .finally(() => {
        over = true
      })
    await clock.runUntil(() => over, 1_000)
    await reading
  }
  return { ids, failed }
}

const all = Array.from({ length: events }, (_, number) => `event-${number}`)

it.each([
  ['the same size', () => 5],
  ['another size each time', (read: number) => 1 + (read % 7)],
])('reads each event once, in order, asking for %s', async (_, sizeOf) => {
  const { clock, reader } = await lagging((log) => log)
  expect(await readAll(clock, reader, sizeOf)).toEqual({ ids: all, failed: 0 })
})

it('asks for the next chunk before anybody reads it', async () => {
  let asked = 0
  const { clock, reader } = await lagging((log) => ({
    ...log,
    read: (...request) => {
      asked++
      return log.read(...request)
    },
  }))
  let over = false
  void reader
    .read(5, () => {})
    .finally(() => {
      over = true
    })
  await clock.runUntil(() => over, 1_000)
  expect(asked).toBe(2)
})

it('loses nothing to a question that fails ahead of its time', async () => {
  let asked = 0
  const { clock, reader } = await lagging((log) => ({
    ...log,
    read: (...request) => (asked++ % 3 === 1 ? Promise.reject(new Error('away')) : log.read(...request)),
  }))
  const { ids, failed } = await readAll(clock, reader, () => 5)
  expect(ids).toEqual(all)
  expect(failed).toBeGreaterThan(0)
})
