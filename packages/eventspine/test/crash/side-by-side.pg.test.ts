// Transactional handlers that run side by side in one transaction: each sees what it would see alone behind those
// before it, and one that fails takes no attempt from the others.
import { defineApp, defineEvent, defineSubscription, retries, type TransactionContext } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, freshSchema, quiet, running, sql } from '../support.js'

const told = defineEvent({ type: 'tests.told', schema: z.object({ n: z.number() }) })
const events = 150
const bad = [7, 31]

type Handler = (tx: TransactionContext['tx'], n: number, table: string) => Promise<unknown>

async function ran(handler: Handler, concurrency?: number | { max: number; perKey: number }) {
  const schema = freshSchema()
  const table = `${schema}_effect`
  await sql(`CREATE TABLE ${table} (n int NOT NULL CHECK (n NOT IN (${bad.join(', ')})), who text)`)
  afterTest(() => sql(`DROP TABLE ${table}`))
  let runs = 0
  const ledger = defineSubscription({
    ...{ name: 'ledger', on: told, retry: retries.standard({ attemptsMax: 1 }) },
    ...(concurrency === undefined ? {} : { concurrency }),
    async transact({ data }, { tx }) {
      runs++
      await handler(tx, data.n, table)
    },
  })
  const spine = await running(defineApp({ name: 'tests', events: [told], subscriptions: [ledger] }), schema)
  await spine.publishMany(Array.from({ length: events }, (_, n) => ({ event: told, data: { n } })))
  await quiet(spine)
  const rows = await sql<{ n: number; who: string }>(`SELECT n, who FROM ${table} ORDER BY n`)
  const letters = (await spine.operator().deadLetters()).items
  return { rows, runs, dead: letters.map(({ event }) => event.data as { n: number }), letters }
}

const good = Array.from({ length: events }, (_, n) => n).filter((n) => !bad.includes(n))

it.each([
  [
    'one statement each',
    (tx, n, table) => tx.query(`INSERT INTO ${table} (n, who) VALUES ($1::int, $1::int::text)`, [n]),
  ],
  [
    // As row-level security has its tenant: said first, and then relied on.
    'two statements each, of which the second relies on the first',
    async (tx, n, table) => {
      await tx.query(`SELECT set_config('tests.who', $1, true)`, [String(n)])
      await tx.query(`INSERT INTO ${table} (n, who) VALUES ($1, current_setting('tests.who'))`, [n])
    },
  ],
  [
    'one statement, two, or none',
    async (tx, n, table) => {
      if (n % 3 === 0) await tx.query(`SELECT set_config('tests.who', $1, true)`, [String(n)])
      if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      const who = n % 3 === 0 ? `current_setting('tests.who')` : `'${n}'`
      await tx.query(`INSERT INTO ${table} (n, who) VALUES ($1, ${who})`, [n])
    },
  ],
  [
    'refused statements that a handler swallows',
    async (tx, n, table) => {
      if (n % 50 === 3) {
        await tx.query('SAVEPOINT before')
        await tx.query(`INSERT INTO ${table} (n) VALUES (7)`).catch(() => {})
        await tx.query('ROLLBACK TO SAVEPOINT before')
      }
      await tx.query(`INSERT INTO ${table} (n, who) VALUES ($1::int, $1::int::text)`, [n])
    },
  ],
  [
    'failures that a handler swallows, and neighbours that wrap theirs',
    async (tx, n, table) => {
      // Refused before it reaches the database, so nothing there is undone by it.
      if (n % 10 === 4) await tx.query('COMMIT').catch(() => {})
      await tx.query(`INSERT INTO ${table} (n, who) VALUES ($1::int, $1::int::text)`, [n]).catch((cause) => {
        throw new Error(`wrapped: ${cause.message}`, { cause })
      })
    },
  ],
] satisfies [string, Handler][])('is exact with %s', async (_, handler) => {
  const { rows, dead, letters } = await ran(handler)
  expect(rows).toEqual(good.map((n) => ({ n, who: String(n) })))
  expect(dead.map(({ n }) => n).sort((a, b) => a - b)).toEqual(bad)
  for (const letter of letters) {
    expect(letter.attempts).toBe(1)
    expect(letter.failure.message).toContain('violates check constraint')
  }
})

it.each([
  [{ max: 10, perKey: 1 }, 1],
  [1, 1],
  [4, 4],
  [undefined, 10],
])('keeps to its concurrency: %j', async (concurrency, most) => {
  let now = 0
  let peak = 0
  await ran(async (tx, n, table) => {
    peak = Math.max(peak, ++now)
    await tx.query(`INSERT INTO ${table} (n) VALUES ($1)`, [n]).finally(() => now--)
  }, concurrency)
  expect(peak).toBe(most)
})
