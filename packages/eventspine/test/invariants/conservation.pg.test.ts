// The whole ledger of events times subscriptions: every delivery ends, once (I12), and at every moment on the way
// matched = completed + retrying + dead + skipped, where matched is what the log holds behind the cursor (I18).
import { setTimeout as delay } from 'node:timers/promises'
import {
  defineApp,
  defineSubscription,
  type Eventspine,
  type RetryPolicy,
  TransientError,
  ValidationError,
} from 'eventspine'
import { expect, it } from 'vitest'
import { effectTable, happened } from '../crash/apps.js'
import { wrongEffects } from '../crash/ledger.js'
import { afterTest, freshSchema, quiet, running, sql, until } from '../support.js'
import { type Books, booksOf, unbalanced, wrongEnds } from './conservation.js'

const count = 400
const pauseMs = 20
const retry: RetryPolicy = { attemptsMax: 3, processingAttemptsMax: 3, delayMs: (attempt) => attempt * 20 }
const wanted = `(c.subscription <> 'filtered' OR e.data ->> 'key' = 'k0')`
const ownOf = (subscription: string) => (subscription === 'filtered' ? count / 5 : count)
/** Dead at once, or after all attempts. */
const doomed = (n: number) => n % 10 < 2

interface World {
  readonly ran: Map<string, number[]>
  healed: boolean
}

function appOf(schema: string, world: World) {
  const note = (subscription: string, n: number) =>
    void world.ran.set(subscription, [...(world.ran.get(subscription) ?? []), n])
  const handle = (
    { data }: { readonly data: { readonly n: number } },
    { subscription }: { subscription: string },
  ) => note(subscription, data.n)
  return defineApp({
    name: 'ledger',
    subscriptions: [
      defineSubscription({ name: 'active', on: happened, handle }),
      defineSubscription({ name: 'paused', on: happened, handle }),
      defineSubscription({ name: 'filtered', on: happened, filter: { data: { key: ['k0'] } }, handle }),
      defineSubscription({
        name: 'failing',
        on: happened,
        retry,
        handle: ({ data: { n } }) => {
          if (!world.healed && n % 10 === 0) throw new ValidationError('never')
          if (!world.healed && n % 10 === 1) throw new TransientError('not three times')
          note('failing', n)
        },
      }),
      defineSubscription({
        name: 'ordered',
        on: happened,
        retry,
        ordered: { afterDead: 'skip' },
        transact: async ({ data: { n, key } }, { attempt, tx, subscription }) => {
          const insert = `INSERT INTO ${schema}.effect (subscription, n, key, attempt) VALUES ($1, $2, $3, $4)`
          await tx.query(insert, [subscription, n, key, attempt])
          if (n % 20 === 7 && attempt === 1) throw new TransientError('at first')
        },
      }),
    ],
  })
}

async function publishEvery(spine: Eventspine, parity: number) {
  for (let n = parity; n < count; n += 2) await spine.publish(happened, { n, key: `k${n % 5}` })
}

it('ends every delivery once, and balances at every moment (I12, I15, I18)', {
  timeout: 60_000,
}, async () => {
  const schema = freshSchema()
  const world: World = { ran: new Map(), healed: false }
  const app = appOf(schema, world)
  const spine = await running(app, schema)
  const second = await running(app, schema)
  const operator = spine.operator()
  await sql(effectTable(schema))
  await operator.pause('paused', 'ada')

  const samples: Books[][] = []
  const sample = async () => {
    const books = await booksOf(schema, wanted)
    samples.push(books)
    return books
  }
  const watching = new AbortController()
  const watched = (async () => {
    for (; !watching.signal.aborted; await delay(pauseMs)) await sample()
  })()
  const unwatch = async () => {
    watching.abort()
    await watched
  }
  afterTest(unwatch)
  await Promise.all([publishEvery(spine, 0), publishEvery(second, 1)])
  await until(
    async () => (await sample()).find((each) => each.subscription === 'failing')?.dead === count / 5,
  )
  expect(world.ran.get('paused')).toBeUndefined()
  await operator.resume('paused', 'ada')
  await quiet(spine, 60_000)

  expect(await wrongEnds(schema, wanted)).toEqual([])
  for (const [subscription, numbers] of world.ran) {
    expect(new Set(numbers).size, subscription).toBe(numbers.length)
    const failed = subscription === 'failing' ? count / 5 : 0
    expect(numbers.length, subscription).toBe(ownOf(subscription) - failed)
  }
  const ask = <Row extends object>(text: string, values?: unknown[]) => sql(text, values) as Promise<Row[]>
  expect(await wrongEffects(ask, schema, 'ordered', count)).toEqual({ lost: [], doubled: [] })
  expect((await sample()).map(({ subscription, matched, dead }) => [subscription, matched, dead])).toEqual(
    ['active', 'failing', 'filtered', 'ordered', 'paused'].map((name) => [
      name,
      ownOf(name),
      name === 'failing' ? count / 5 : 0,
    ]),
  )

  // Given up for good, or sent again as a round of its own: nothing leaves the books.
  expect(await operator.discard({ category: 'validation' }, 'ada', 'they never will')).toBe(count / 10)
  world.healed = true
  await operator.redrive({ filter: {}, actor: 'ada', rate: 500, canary: 0 })
  await until(
    async () => (await sample()).find((each) => each.subscription === 'failing')?.dead === count / 10,
  )
  await quiet(spine, 60_000)
  await unwatch()

  expect(await wrongEnds(schema, wanted)).toEqual([])
  expect(
    await wrongEnds(schema, `(c.subscription = 'failing' AND (e.data ->> 'n')::int % 10 = 1)`, 1),
  ).toEqual([])
  expect(world.ran.get('failing')?.filter(doomed).length).toBe(count / 10)
  expect(samples.length).toBeGreaterThan(20)
  expect(samples.flat().some(({ retrying }) => retrying > 0)).toBe(true)
  expect(samples.flat().some(({ behind }) => behind > 0 && behind < count)).toBe(true)
  expect(unbalanced(samples.flat())).toEqual([])
})
