// What mutants of delivery showed that no other test held: the identity of a delivery, and the members of a batch.
import {
  defineApp,
  defineEvent,
  defineSubscription,
  PermanentError,
  retries,
  TransientError,
  ValidationError,
} from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, sql, until } from '../support.js'

const happened = defineEvent({ type: 'tests.happened', schema: z.object({ n: z.number() }) })
const retry = retries.standard({ timeScale: 0.005 })

it('keeps one id through attempts and redrives (I16)', async () => {
  const ids = new Map<number, string[]>()
  let broken = true
  const app = defineApp({
    name: 'identity',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: happened,
        retry,
        handle: ({ data: { n } }, { deliveryId, attempt }) => {
          ids.set(n, [...(ids.get(n) ?? []), deliveryId])
          if (attempt < 3) throw new TransientError('busy')
          if (broken) throw new PermanentError('gateway key revoked')
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  for (let n = 0; n < 3; n++) await spine.publish(happened, { n })
  await quiet(spine)
  broken = false
  const { id } = await spine.operator().redrive({ filter: {}, actor: 'ada' })
  await until(async () => (await spine.operator().redriveStatus(id))?.state === 'completed')
  expect([...ids.values()].map((each) => each.length)).toEqual([6, 6, 6])
  expect([...ids.values()].map((each) => new Set(each).size)).toEqual([1, 1, 1])
  expect(new Set([...ids.values()].flat()).size).toBe(3)
})

it('fails one member of a batch alone (I31)', async () => {
  const schema = freshSchema()
  const app = defineApp({
    name: 'batch',
    subscriptions: [
      defineSubscription({
        name: 'project',
        on: happened,
        retry,
        transact: async ({ data: { n } }, { tx, attempt }) => {
          await tx.query(`INSERT INTO ${schema}.effect (n, attempt) VALUES ($1, $2)`, [n, attempt])
          if (n === 2) throw new ValidationError('never')
        },
      }),
    ],
  })
  const spine = await running(app, schema)
  await sql(`CREATE TABLE ${schema}.effect (n int, attempt int)`)
  // Published at once: what travels in one batch is handled in one.
  await spine.publishMany(Array.from({ length: 6 }, (_, n) => ({ event: happened, data: { n } })))
  await quiet(spine)
  const effects = await sql(`SELECT n, attempt FROM ${schema}.effect ORDER BY n`)
  expect(effects).toEqual([0, 1, 3, 4, 5].map((n) => ({ n, attempt: 1 })))
  const { items } = await spine.operator().deadLetters()
  expect(items.map(({ event }) => event.data)).toEqual([{ n: 2 }])
})
