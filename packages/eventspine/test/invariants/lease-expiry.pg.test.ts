// When a lease ends is judged by the database's clock alone (I37): a worker whose own clock is wildly wrong neither
// loses nor steals one, and one that the database calls ended is taken although its holder's clock says otherwise.
import { defineApp, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/kernel/index.js'
import { happened } from '../crash/apps.js'
import { freshSchema, sql, until } from '../support.js'
import { clocks, FreezableClock, runningBy } from './clocks.js'

const consumerOf = async (schema: string) => {
  const [row] = await sql<{ owner: string | null; token: number; completed: number; live: boolean }>(
    `SELECT owner, token::int, completed::int, lease_until > clock_timestamp() AS live FROM ${schema}.consumer`,
  )
  return row
}

/** Resolves when each of `workers` has shown itself `times` times more. */
async function beats(schema: string, workers: number, times: number): Promise<void> {
  const seen = new Map<string, Set<number>>()
  await until(async () => {
    const rows = await sql<{ id: string; at: Date }>(`SELECT id, heartbeat_at AS at FROM ${schema}.worker`)
    for (const { id, at } of rows) seen.set(id, (seen.get(id) ?? new Set()).add(at.getTime()))
    return [...seen.values()].filter((moments) => moments.size > times).length >= workers
  })
}

it('leaves a lease with its holder, however wrong the clocks of all workers are (I37)', async () => {
  const schema = freshSchema()
  const warnings: string[] = []
  let runs = 0
  let end = () => {}
  const held = new Promise<void>((resolve) => {
    end = resolve
  })
  let aborted = false
  const handle = async (_event: unknown, { signal }: { readonly signal: AbortSignal }) => {
    runs++
    await held
    aborted ||= signal.aborted
  }
  const app = defineApp({
    name: 'expiry',
    subscriptions: [defineSubscription({ name: 'alarm', on: happened, priority: 'alarm', handle })],
  })
  const holder = await runningBy(clocks.jumping(seededRandom(37)), app, schema, warnings)
  await holder.publish(happened, { n: 1, key: 'k' })
  await until(() => runs === 1)
  const before = await consumerOf(schema)
  await runningBy(clocks.ahead(), app, schema, warnings)
  await runningBy(clocks.behind(), app, schema, warnings)
  await beats(schema, 3, 6)
  expect(await consumerOf(schema)).toMatchObject({ owner: before?.owner, token: before?.token, live: true })
  end()
  await until(async () => (await consumerOf(schema))?.completed === 1)
  expect({ runs, aborted, warnings }).toEqual({ runs: 1, aborted: false, warnings: [] })
})

it('does not let a holder renew what the database calls ended, whatever its own clock says (I37, I39)', async () => {
  const schema = freshSchema()
  const tokens: number[] = []
  const app = defineApp({
    name: 'expiry',
    subscriptions: [
      defineSubscription({
        name: 'slow',
        on: happened,
        handle: async (_event, { signal }) => {
          tokens.push((await consumerOf(schema))?.token ?? 0)
          if (tokens.length < 3) await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
      }),
    ],
  })
  const holder = await runningBy(clocks.behind(), app, schema)
  await holder.publish(happened, { n: 1, key: 'k' })
  for (const runs of [1, 2]) {
    await until(() => tokens.length === runs)
    await sql(
      `UPDATE ${schema}.consumer SET lease_until = clock_timestamp() - interval '1 millisecond' WHERE owner IS NOT NULL`,
    )
  }
  await until(async () => (await consumerOf(schema))?.completed === 1)
  expect(tokens).toHaveLength(3)
  expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b))
})

it('takes a lease that the database calls ended, although the clock of its holder has not moved (I37, I32)', async () => {
  const schema = freshSchema()
  const warnings: string[] = []
  const ran: string[] = []
  let end = () => {}
  const held = new Promise<void>((resolve) => {
    end = resolve
  })
  const appOf = (name: string, work: () => Promise<void> | void) =>
    defineApp({
      name: 'expiry',
      subscriptions: [
        defineSubscription({
          name: 'alarm',
          on: happened,
          priority: 'alarm',
          handle: async () => {
            ran.push(name)
            await work()
          },
        }),
      ],
    })
  const clock = new FreezableClock(clocks.behind())
  const sleeper = await runningBy(
    clock,
    appOf('sleeper', () => held),
    schema,
    warnings,
  )
  await sleeper.publish(happened, { n: 1, key: 'k' })
  await until(() => ran.length === 1)
  clock.freeze()
  try {
    const before = await consumerOf(schema)
    await runningBy(
      clocks.ahead(),
      appOf('heir', () => {}),
      schema,
    )
    await until(async () => (await consumerOf(schema))?.completed === 1)
    expect(ran).toEqual(['sleeper', 'heir'])
    const taken = await consumerOf(schema)
    expect(taken?.token).toBeGreaterThan(before?.token ?? 0)
    expect(taken?.owner).not.toBe(before?.owner)
    end()
    clock.thaw()
    // It offers what it had, and is told that it is not its own any more.
    await until(() => warnings.some((line) => line.includes('lease lost')))
    expect(await consumerOf(schema)).toMatchObject({ completed: 1, owner: taken?.owner, token: taken?.token })
  } finally {
    clock.thaw()
  }
})
