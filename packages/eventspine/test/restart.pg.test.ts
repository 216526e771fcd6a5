// A restart of the database while handlers run: what they did is recorded or done again, and a delivery that is to have
// one attempt is no dead letter because of it. An event that fells its own session each time still comes to an end.
import { defineApp, defineEvent, defineSubscription, retries } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { OwnServer } from './crash/server.js'
import { afterTest, freshSchema, quiet, running, until } from './support.js'

const placed = defineEvent({ type: 'orders.order-placed', schema: z.object({ n: z.int() }) })
const noted = defineEvent({ type: 'orders.note-added', schema: z.string() })

/** A handler stops here until it is let go. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const seen = new Set<string>()
  return { seen, open: () => open(), pass: (name: string) => (seen.add(name), opened) }
}

const effects = 'CREATE TABLE effect (n int)'

/** Subscriptions of one attempt each, which stop while the database is away or until it is back. */
function restarted(during: ReturnType<typeof gate>, after: ReturnType<typeof gate>) {
  const runs = { plain: 0, within: 0, large: 0, body: 0 }
  const once = { retry: retries.none() }
  const app = defineApp({
    name: 'restarted',
    subscriptions: [
      defineSubscription({
        ...once,
        name: 'plain',
        on: placed,
        handle: async () => {
          runs.plain++
          await after.pass('plain')
        },
      }),
      defineSubscription({
        ...once,
        name: 'within',
        on: placed,
        transact: async ({ data }, { tx }) => {
          runs.within++
          await tx.query('INSERT INTO effect VALUES ($1)', [data.n])
          await after.pass('within')
          await tx.query('SELECT 1')
        },
      }),
      defineSubscription({
        ...once,
        name: 'large',
        on: placed,
        handle: async (_, { publish }) => {
          runs.large++
          await during.pass('large')
          await publish(noted, 'x'.repeat(100_000))
        },
      }),
      defineSubscription({
        ...once,
        name: 'body',
        on: noted,
        handle: ({ data }) => void (runs.body += data.length),
      }),
    ],
  })
  return { app, runs }
}

it('spends no last attempt on a restart of the database', { timeout: 60_000 }, async () => {
  const server = new OwnServer()
  await server.start()
  await server.sql(effects)
  const [during, after] = [gate(), gate()]
  afterTest(async () => [during, after].forEach(({ open }) => open()))
  const { app, runs } = restarted(during, after)
  const spine = await running(app, 'eventspine', { databaseUrl: server.url })
  await spine.publish(placed, { n: 1 })
  await until(() => after.seen.size + during.seen.size === 3)
  await server.stop()
  during.open()
  await server.start()
  await until(() =>
    spine
      .operator()
      .ping()
      .then(
        () => true,
        () => false,
      ),
  )
  after.open()
  await until(() => runs.body > 0)
  await quiet(spine)
  for (const each of (await spine.operator().doctor()).subscriptions)
    expect(each).toMatchObject({ completed: 1, dead: 0, balanced: true })
  expect(await server.sql('SELECT n FROM effect')).toEqual([{ n: 1 }])
  expect(runs).toEqual({ plain: 1, within: 2, large: 1, body: 100_000 })
  const within = await spine.operator().events({ type: placed.type })
  const details = await spine.operator().event(within.items[0]?.id ?? '')
  const states = details?.deliveries.map(({ subscription, runs: done }) => [
    subscription,
    done.map(({ outcome }) => outcome),
  ])
  expect(Object.fromEntries(states ?? [])).toMatchObject({ plain: ['done'], within: ['retry', 'done'] })
})

it('puts aside an event whose handler ends its own session each time', async () => {
  const attempts: number[] = []
  const fell = defineSubscription({
    name: 'fell',
    on: placed,
    retry: retries.none(),
    transact: async (_, { tx, attempt }) => {
      attempts.push(attempt)
      await tx.query('SELECT pg_terminate_backend(pg_backend_pid())')
    },
  })
  const spine = await running(defineApp({ name: 'orders', subscriptions: [fell] }), freshSchema())
  await spine.publish(placed, { n: 1 })
  await until(async () => (await spine.operator().subscriptions())[0]?.dead === 1)
  expect(attempts).toEqual([1, 2, 3, 4])
  const { items } = await spine.operator().deadLetters()
  expect(items[0]?.failure).toMatchObject({ category: 'transient' })
})
