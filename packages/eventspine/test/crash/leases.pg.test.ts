// Leases and ticks, attacked: the database goes away, forgets its last ticks, or does not answer, and the worker that
// lives through it neither loses, doubles nor waits longer than it must.
import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, defineEvent, defineSubscription, retries, TransientError } from 'eventspine'
import pg from 'pg'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { databaseUrl, freshSchema, quiet, running, sql, until } from '../support.js'

const placed = defineEvent({ type: 'orders.order-placed', schema: z.object({ n: z.number().int() }) })

const cut = (app: string, lanes: string) =>
  sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ $1`, [
    `eventspine ${app} (${lanes})$`,
  ])

async function transaction(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}

it('reads a tick anew that the database forgot in a crash and made again with more in it', async () => {
  const schema = freshSchema()
  const seen: number[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'count',
        on: placed,
        handle: async (event) => {
          seen.push(event.data.n)
          if (seen.length === 1) await held
        },
      }),
    ],
  })
  const spine = await running(app, schema)
  await spine.publish(placed, { n: 1 })
  await until(() => seen.length === 1)
  // As after kill -9 of the server: the last tick committed asynchronously and is gone, the next one takes its number.
  const ticks = () => sql<{ snapshot: string }>(`SELECT snapshot::text FROM ${schema}.tick ORDER BY number`)
  const before = await ticks()
  // At once with what is to be in it: a worker that ticks between the two would make it again with the same in it.
  await transaction(async (client) => {
    await client.query(`DELETE FROM ${schema}.tick WHERE number = (SELECT max(number) FROM ${schema}.tick)`)
    await spine.publish(client, placed, { n: 2 })
  })
  await until(async () => (await ticks()).length === before.length)
  expect(await ticks()).not.toEqual(before)
  release()
  await quiet(spine)
  expect(new Set(seen)).toEqual(new Set([1, 2]))
  expect((await spine.operator().doctor()).subscriptions[0]).toMatchObject({
    matched: 2,
    completed: 2,
    balanced: true,
  })
})

it('takes its own leases back at once when connections break, and counts no death for it (I35, I19)', async () => {
  const schema = freshSchema()
  let breaks = 0
  const app = defineApp({
    name: 'cut',
    subscriptions: [
      defineSubscription({
        name: 'project',
        on: placed,
        retry: retries.standard({ timeScale: 0.005 }),
        transact: async (_event, context) => {
          if (breaks++ < 8) await cut('cut', 'transaction|heartbeat')
          await context.tx.query('SELECT 1')
        },
      }),
    ],
  })
  const spine = await running(app, schema)
  await spine.publish(placed, { n: 1 })
  await quiet(spine)
  expect(breaks).toBe(9)
  const [consumer] = await sql(`SELECT deaths FROM ${schema}.consumer`)
  expect(consumer).toEqual({ deaths: 0 })
})

it('takes over everything of workers that died on this machine, whatever its own share (I35)', async () => {
  const schema = freshSchema()
  const seen = new Set<string>()
  const names = ['a', 'b', 'c', 'd']
  const app = defineApp({
    name: 'orders',
    subscriptions: names.map((name) =>
      defineSubscription({ name, on: placed, handle: () => void seen.add(name) }),
    ),
  })
  const first = await running(app, schema)
  const [worker] = await sql<{ identity: string }>(`SELECT identity FROM ${schema}.worker`)
  await first.stop()
  // Two that are gone and held two each: process numbers of this machine that nobody has.
  for (const [index, ghost] of ['ghost-1', 'ghost-2'].entries()) {
    const identity = worker?.identity.replace(/\|\d+\|\d+$/, `|99999${index}|1`)
    await sql(
      `INSERT INTO ${schema}.worker (id, identity, host, process_id, version, consumers) VALUES ($1, $2, 'here', $3, '1', 2)`,
      [ghost, identity, 999_990 + index],
    )
    await sql(
      `UPDATE ${schema}.consumer SET owner = $1, token = token + 1, lease_until = now() + interval '1 hour' WHERE subscription = ANY($2)`,
      [ghost, names.slice(index * 2, index * 2 + 2)],
    )
  }
  const spine = await running(app, schema)
  await spine.publish(placed, { n: 1 })
  await until(() => seen.size === names.length)
  expect(await sql(`SELECT FROM ${schema}.worker`)).toHaveLength(1)
})

it('does not take a lease that it gave up for a death of the row that ran', async () => {
  const schema = freshSchema()
  let runs = 0
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'slow',
        on: placed,
        handle: async (_event, context) => {
          if (++runs === 1) throw new TransientError('becomes a row', { retryAfterMs: 1 })
          if (runs > 6) return
          // Moving the token is what another holder would do.
          await sql(`UPDATE ${schema}.consumer SET owner = NULL, lease_until = '-infinity'`)
          await new Promise((_, reject) =>
            context.signal.addEventListener('abort', () => reject(context.signal.reason)),
          )
        },
      }),
    ],
  })
  const spine = await running(app, schema)
  await spine.publish(placed, { n: 1 })
  await quiet(spine, 25_000)
  expect((await spine.operator().deadLetters()).items).toEqual([])
  expect((await spine.operator().doctor()).subscriptions[0]).toMatchObject({ completed: 1, balanced: true })
})

it('aborts what runs before its lease ends although the database does not even answer (I36)', async () => {
  const schema = freshSchema()
  let aborted: unknown
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'alarm',
        on: placed,
        priority: 'alarm',
        handle: async (_event, context) => {
          await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()))
          aborted = context.signal.reason
        },
      }),
    ],
  })
  const spine = await running(app, schema)
  await spine.publish(placed, { n: 1 })
  await delay(0)
  await sql(`BEGIN; LOCK TABLE ${schema}.worker IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(8); COMMIT`)
  expect(aborted).toBeDefined()
})
