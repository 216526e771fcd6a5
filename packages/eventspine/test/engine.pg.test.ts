// The running engine against Postgres, as a user holds it.

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
import { freshSchema, quiet, running, sql, until } from './support.js'

const fast = retries.standard({ timeScale: 0.005 })
const placed = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ n: z.number().int() }),
  key: ({ n }) => `k${n % 5}`,
})
const shipped = defineEvent({ type: 'orders.order-shipped', schema: z.object({ n: z.number().int() }) })

it('gives every event to every subscription on its own, and what handlers publish goes on', async () => {
  const seen: number[] = []
  const after: number[] = []
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ship',
        on: placed,
        handle: async (event, context) => void (await context.publish(shipped, { n: event.data.n })),
      }),
      defineSubscription({ name: 'count', on: placed, handle: (event) => void seen.push(event.data.n) }),
      defineSubscription({ name: 'tell', on: shipped, handle: (event) => void after.push(event.data.n) }),
    ],
  })
  const spine = await running(app, freshSchema())
  const numbers = Array.from({ length: 300 }, (_, n) => n)
  await Promise.all(numbers.map((n) => spine.publish(placed, { n })))
  await until(() => after.length >= 300 && seen.length >= 300)
  await quiet(spine)
  expect([...seen].sort((a, b) => a - b)).toEqual(numbers)
  expect([...after].sort((a, b) => a - b)).toEqual(numbers)
  const report = await spine.operator().doctor()
  expect(
    report.subscriptions.map(({ name, matched, completed, balanced }) => ({
      name,
      matched,
      completed,
      balanced,
    })),
  ).toEqual(['count', 'ship', 'tell'].map((name) => ({ name, matched: 300, completed: 300, balanced: true })))
})

it('retries by category, keeps what is given up with its own copy, and redrives it to success', async () => {
  let broken = true
  const attempts = new Map<number, number>()
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: placed,
        retry: fast,
        handle: (event, context) => {
          const { n } = event.data
          attempts.set(n, (attempts.get(n) ?? 0) + 1)
          if (n === 1 && context.attempt < 3) throw new TransientError('busy')
          if (n === 2) throw new ValidationError('negative stock')
          if (n === 3 && broken) throw new PermanentError('gateway key revoked')
          if (n === 4) throw new TypeError('undefined is not a function')
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  for (let n = 0; n < 6; n++) await spine.publish(placed, { n })
  await quiet(spine)
  const operator = spine.operator()
  expect(Object.fromEntries(attempts)).toEqual({ 0: 1, 1: 3, 2: 1, 3: 1, 4: 3, 5: 1 })
  const { items } = await operator.deadLetters()
  expect(
    items
      .map((letter) => [(letter.event.data as { n: number }).n, letter.failure.category, letter.attempts])
      .sort(),
  ).toEqual([
    [2, 'validation', 1],
    [3, 'permanent', 1],
    [4, 'processing', 3],
  ])

  broken = false
  const filter = { category: 'permanent' } as const
  expect((await operator.previewRedrive(filter)).selected).toBe(1)
  const request = { filter, actor: 'ada', idempotencyKey: 'double-click' }
  const [first, second] = await Promise.all([operator.redrive(request), operator.redrive(request)])
  expect(second.id).toBe(first.id)
  const ended = await until(async () => {
    const redrive = await operator.redriveStatus(first.id)
    return redrive?.state === 'completed' ? redrive : null
  })
  expect(ended).toMatchObject({ selected: 1, sent: 1, succeeded: 1, failed: 0 })
  expect(attempts.get(3)).toBe(2)
  const report = await operator.doctor()
  expect(report.subscriptions[0]).toMatchObject({
    matched: 6,
    completed: 4,
    dead: 2,
    retrying: 0,
    balanced: true,
  })
  expect((await operator.audit()).items.some((row) => row.actor === 'ada')).toBe(true)
})

it('runs one delivery of a key at a time, in log order, through retries (I21), and lets other keys go on (I22)', async () => {
  const runs: string[] = []
  const busy = new Set<string>()
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: placed,
        ordered: true,
        concurrency: 20,
        retry: fast,
        handle: async (event, context) => {
          const key = event.key ?? ''
          expect(busy.has(key)).toBe(false)
          busy.add(key)
          await new Promise((resolve) => setTimeout(resolve, 1))
          busy.delete(key)
          if (event.data.n % 7 === 3 && context.attempt < 3) throw new TransientError('later')
          runs.push(`${key} ${event.data.n}`)
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  for (let n = 0; n < 100; n++) await spine.publish(placed, { n })
  await quiet(spine)
  for (let key = 0; key < 5; key++) {
    const numbers = runs.filter((run) => run.startsWith(`k${key} `)).map((run) => Number(run.split(' ')[1]))
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index * 5 + key))
  }
})

it('halts the key of a dead letter until an operator acts (I23), and only that key', async () => {
  const runs: number[] = []
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: placed,
        ordered: true,
        handle: (event) => {
          if (event.data.n === 0) throw new ValidationError('bad')
          runs.push(event.data.n)
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  for (let n = 0; n < 20; n++) await spine.publish(placed, { n })
  const others = Array.from({ length: 20 }, (_, n) => n).filter((n) => n % 5 !== 0)
  await until(() => runs.length >= others.length)
  expect([...runs].sort((a, b) => a - b)).toEqual(others)
  const operator = spine.operator()
  const held = await until(async () =>
    // The last handler has run, and its end may not be recorded yet.
    (await operator.doctor()).subscriptions.find((each) => each.retrying === 3 && each.matched === 20),
  )
  expect(held).toMatchObject({ matched: 20, completed: 16, dead: 1, balanced: true })
  expect(await operator.discard({ subscription: 'ledger' }, 'ada', 'test order')).toBe(1)
  await quiet(spine)
  expect(runs.slice(16)).toEqual([5, 10, 15])
})

it('lets a halted key go on behind a redrive, the redriven one first and marked as a later round', async () => {
  let broken = true
  const runs: string[] = []
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: placed,
        ordered: true,
        handle: (event, context) => {
          if (event.data.n === 0 && broken) throw new ValidationError('bad')
          runs.push(`${event.data.n} in round ${context.round}`)
        },
      }),
    ],
  })
  const spine = await running(app, freshSchema())
  for (const n of [0, 5, 10, 15]) await spine.publish(placed, { n })
  const operator = spine.operator()
  await until(async () =>
    (await operator.subscriptions()).every((each) => each.dead === 1 && each.retrying === 3),
  )
  broken = false
  await operator.redrive({ filter: {}, actor: 'ada' })
  await quiet(spine)
  expect(runs).toEqual(['0 in round 1', '5 in round 0', '10 in round 0', '15 in round 0'])
  await spine.publish(placed, { n: 20 })
  await quiet(spine)
  expect(runs.at(-1)).toBe('20 in round 0')
  expect((await operator.doctor()).subscriptions[0]).toMatchObject({
    matched: 5,
    completed: 5,
    dead: 0,
    balanced: true,
  })
})

it('applies the effects of transactional handlers once, also when members of a batch fail (I14, I31)', async () => {
  const schema = freshSchema()
  const app = defineApp({
    name: 'orders',
    events: [shipped],
    subscriptions: [
      defineSubscription({
        name: 'project',
        on: placed,
        retry: fast,
        transact: async (event, context) => {
          await context.tx.query(`INSERT INTO ${schema}.effect (n) VALUES ($1)`, [event.data.n])
          if (event.data.n % 50 === 7 && context.attempt < 2) throw new TransientError('after the insert')
          if (event.data.n === 99) await context.tx.query('SELECT 1 / 0').catch(() => {})
          if (event.data.n % 10 === 0) await context.publish(shipped, { n: event.data.n })
        },
      }),
    ],
  })
  const spine = await running(app, schema)
  await sql(`CREATE TABLE ${schema}.effect (n int)`)
  await Promise.all(Array.from({ length: 200 }, (_, n) => spine.publish(placed, { n })))
  await quiet(spine)
  const rows = await sql<{ n: number; count: string }>(
    `SELECT n, count(*) FROM ${schema}.effect GROUP BY n ORDER BY n`,
  )
  expect(rows.filter((row) => row.count !== '1')).toEqual([])
  expect(rows.map((row) => row.n)).toEqual(Array.from({ length: 200 }, (_, n) => n).filter((n) => n !== 99))
  const { items } = await spine.operator().deadLetters()
  expect(items).toHaveLength(1)
  expect(items[0]?.failure.message).toContain('the handler went on')
  expect((await spine.operator().events({ type: 'orders.order-shipped' })).items).toHaveLength(20)
})

it('takes the same id as one event, also at once, and refuses it for another body (I4)', async () => {
  const spine = await running(defineApp({ name: 'orders', events: [placed] }), freshSchema())
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => spine.publish(placed, { n: 1 }, { id: 'order-1' })),
  )
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  await expect(spine.publish(placed, { n: 2 }, { id: 'order-1' })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
    field: '/id',
  })
  await spine.publish(placed, { n: 2 }, { id: 'order-1', tenant: 'other' })
  await spine.publish(placed, { n: 2 }, { id: 'order-1', source: '/elsewhere' })
  expect((await spine.operator().events()).items).toHaveLength(3)
  await expect(
    spine.publishMany([
      { event: placed, data: { n: 9 } },
      { event: placed, data: { n: 9 }, options: { id: 'order-1' } },
    ]),
  ).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: '/1/id' })
  expect((await spine.operator().events()).items).toHaveLength(3)
})

it('starts a later subscription at the beginning while events flow: no hole, no repeat (I13)', async () => {
  const schema = freshSchema()
  const publisher = await running(defineApp({ name: 'orders', events: [placed] }), schema)
  let n = 0
  while (n < 500) await Promise.all(Array.from({ length: 50 }, () => publisher.publish(placed, { n: n++ })))
  const seen: number[] = []
  const late = defineSubscription({
    name: 'late',
    on: placed,
    start: 'beginning',
    handle: (event) => void seen.push(event.data.n),
  })
  const flowing = (async () => {
    while (n < 1_000) await publisher.publish(placed, { n: n++ })
  })()
  const spine = await running(defineApp({ name: 'orders', subscriptions: [late] }), schema)
  await flowing
  await quiet(spine)
  expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, index) => index))
})

it('lets no handler end its own transaction, however it writes it', async () => {
  const schema = freshSchema()
  const endings = [
    'COMMIT',
    '/* app */ commit',
    '-- app\nEND',
    '; COMMIT',
    'INSERT INTO effect (n) VALUES (1); COMMIT',
  ]
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'project',
        on: placed,
        retry: retries.none(),
        transact: async (event, context) => {
          await context.tx.query(`INSERT INTO ${schema}.effect (n) VALUES ($1)`, [event.data.n])
          await context.tx.query((endings[event.data.n] ?? '').replace('effect', `${schema}.effect`))
        },
      }),
    ],
  })
  const spine = await running(app, schema)
  await sql(`CREATE TABLE ${schema}.effect (n int)`)
  for (let n = 0; n < endings.length; n++) await spine.publish(placed, { n })
  await quiet(spine)
  expect(await sql(`SELECT * FROM ${schema}.effect`)).toEqual([])
  expect((await spine.operator().deadLetters()).items).toHaveLength(endings.length)
})
