// Ordered subscriptions, attacked: no delivery of a key is left behind, and none overtakes another of its key (I21),
// whatever becomes of the one before it.
import { setTimeout as delay } from 'node:timers/promises'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  retries,
  TransientError,
  ValidationError,
} from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, until } from '../support.js'

const fast = retries.standard({ timeScale: 0.005 })
const moved = defineEvent({
  type: 'tests.moved',
  schema: z.object({ key: z.string(), n: z.number() }),
  key: ({ key }) => key,
})

it('runs what waits for its key although it is put down only after the key is free again', async () => {
  const runs: string[] = []
  let slow = () => {}
  const blocked = new Promise<void>((resolve) => {
    slow = resolve
  })
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: moved,
        ordered: true,
        retry: fast,
        handle: async (event, context) => {
          const { key, n } = event.data
          if (key === 'a' && n === 1 && context.attempt === 1) throw new TransientError('once')
          // Between the failed one and the next of its key: it holds back the cursor, and with it the row of that one.
          if (key === 'b') await blocked.then(() => delay(150))
          runs.push(`${key}${n}`)
          if (key === 'a' && n === 1) slow()
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  await spine.publishMany(
    [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['a', 4],
    ].map(([key, n]) => ({ event: moved, data: { key: key as string, n: n as number } })),
  )
  await quiet(spine)
  expect(runs.filter((run) => run.startsWith('a'))).toEqual(['a1', 'a3', 'a4'])
})

it('goes on with a halted key after its dead letter is redriven, in order, to the last one', async () => {
  const runs: number[] = []
  let broken = true
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: moved,
        ordered: true,
        retry: fast,
        handle: async (event, context) => {
          const { n } = event.data
          if (n === 0 && broken) throw new ValidationError('bad')
          if (n === 0 && context.attempt < 3) throw new TransientError('not yet')
          await delay(1)
          runs.push(n)
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  const operator = spine.operator()
  const publish = (from: number, to: number) =>
    spine.publishMany(
      Array.from({ length: to - from }, (_, index) => ({
        event: moved,
        data: { key: 'a', n: from + index },
      })),
    )
  await publish(0, 5)
  await until(async () => (await operator.subscriptions())[0]?.retrying === 4)
  broken = false
  await operator.redrive({ filter: { subscription: 'ledger' }, actor: 'ada' })
  await publish(5, 10)
  await quiet(spine)
  await publish(10, 12)
  await quiet(spine)
  expect(runs).toEqual(Array.from({ length: 12 }, (_, n) => n))
})

it('keeps order through a transactional batch in which one of a key fails', async () => {
  const runs: string[] = []
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: moved,
        ordered: true,
        retry: fast,
        transact: async (event, context) => {
          const { key, n } = event.data
          if (n % 10 === 3 && context.attempt < 3) throw new TransientError('later')
          await context.tx.query('SELECT 1')
          runs.push(`${key}${n}`)
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  await spine.publishMany(
    Array.from({ length: 60 }, (_, n) => ({ event: moved, data: { key: n % 4 < 2 ? 'a' : 'b', n } })),
  )
  await quiet(spine)
  for (const key of ['a', 'b']) {
    // A batch that is undone runs again: what counts is the last run of each.
    const numbers = [...new Set(runs.filter((run) => run.startsWith(key)).reverse())].reverse()
    expect(numbers).toEqual(numbers.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))))
    expect(numbers).toHaveLength(30)
  }
})
