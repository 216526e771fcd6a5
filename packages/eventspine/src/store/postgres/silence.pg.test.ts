// A server that forgets its connections without a word: nothing waits for it for ever, and new connections take over.
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SilentLink } from '../../../test/silent-link.js'
import { VirtualClock } from '../../kernel/virtual-clock.js'
import { Database } from './database.js'
import { settleStatements } from './settle.js'
import { wakeStatements } from './wake.js'

const deadlineMs = 60_000
const hourMs = 3_600_000
const unavailable = { code: 'UNAVAILABLE' }
/** A pooler answers for a server that is silent, and nothing can listen through one. */
const pooled = /[?&]pgbouncer=true/.test(process.env.EVENTSPINE_TEST_DATABASE_URL ?? '')
let link: SilentLink
let clock: VirtualClock
let database: Database

beforeEach(async () => {
  link = new SilentLink()
  clock = new VirtualClock()
  const url = await link.start(process.env.EVENTSPINE_TEST_DATABASE_URL ?? '')
  database = new Database({ url }, clock)
})
afterEach(async () => {
  await database.close()
  await link.stop()
})

const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error)
const begin = () => settleStatements(database, hourMs).begin(deadlineMs)

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5)
}

test('a statement of a handler fails, and the next transaction has another connection', async () => {
  const transaction = await begin()
  link.fallSilent()
  const failure = failureOf(transaction.query('SELECT 1'))
  await clock.advance(deadlineMs * 2)
  expect(String(await failure)).toContain('Connection terminated')
  await expect(transaction.rollback()).rejects.toMatchObject(unavailable)
  const next = await begin()
  expect((await next.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await next.rollback()
})

test.skipIf(pooled)(
  'a connection that is not even set up is given up, and the next one is another (needs a direct connection)',
  async () => {
    link.fallSilentAt('plan_cache_mode')
    const failure = failureOf(database.query('settle', 'test.one', 'SELECT 1 AS one'))
    await until(() => !link.waits)
    await clock.advance(deadlineMs * 2)
    expect(await failure).toMatchObject(unavailable)
    expect(await database.query('settle', 'test.one', 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  },
)

test('a transaction can neither end nor begin, and both say so', async () => {
  const transaction = await begin()
  await (await begin()).rollback()
  link.fallSilent()
  const failures = Promise.all([transaction.rollback(), begin()].map(failureOf))
  await clock.advance(deadlineMs * 2)
  expect(await failures).toMatchObject([unavailable, unavailable])
})

test.skipIf(pooled)(
  'what listens finds out by itself, and listens again (needs a direct connection)',
  async () => {
    let heard = 0
    const stop = await wakeStatements(database, clock).listen((by) => {
      // Once for each connection.
      if (by === '') heard++
    })
    await until(() => heard === 1)
    link.fallSilent()
    while (heard < 2) {
      await clock.advance(250)
      await delay(5)
    }
    await stop?.()
  },
)

test.skipIf(pooled)(
  'what listens can be stopped although nobody answers (needs a direct connection)',
  async () => {
    let heard = false
    const stop = await wakeStatements(database, clock).listen(() => {
      heard = true
    })
    await until(() => heard)
    link.fallSilent()
    const stopped = stop?.()
    await clock.advance(hourMs)
    await stopped
  },
)
