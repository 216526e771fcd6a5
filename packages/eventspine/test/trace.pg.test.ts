// A trace: one order through a failing subscription, what it published, and the workflow that it began.
import { defineApp, defineEvent, defineSubscription, retries, TransientError } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, until } from './support.js'

const schema = z.object({ order: z.string() })
const placed = defineEvent({ type: 'orders.placed', schema, key: ({ order }) => order })
const paid = defineEvent({ type: 'orders.paid', schema })
const noted = defineEvent({ type: 'orders.noted', schema })
const shipped = defineEvent({ type: 'orders.shipped', schema })

const app = defineApp({
  name: 'orders',
  events: [placed, paid, noted, shipped],
  subscriptions: [
    defineSubscription({
      name: 'pay',
      on: placed,
      retry: retries.standard({ attemptsMax: 5, timeScale: 0.001 }),
      async handle({ data }, context) {
        if (context.attempt < 3) throw new TransientError(`the bank is away, ${context.attempt}`)
        await context.publish(paid, data)
      },
    }),
    defineSubscription({
      name: 'note',
      on: paid,
      handle: ({ data }, context) => context.publish(noted, data),
    }),
  ],
  workflows: [
    workflow({
      name: 'ship',
      on: { event: paid, id: ({ data }) => data.order },
      async run(ctx, data: { order: string }) {
        await ctx.step('pack', async () => 1)
        await ctx.publish(shipped, data)
      },
    }),
  ],
})

it('shows all attempts, what was published, and the workflow with its entries', async () => {
  const spine = await running(app, freshSchema())
  const { id } = await spine.publish(placed, { order: 'o-1' }, { tenant: 'acme' })
  await until(async () => (await spine.operator().events({ type: shipped.type })).items.length === 1)
  await quiet(spine)
  const trace = await spine.operator().trace(id)
  expect(trace).toMatchObject({ correlationId: id, truncated: false })
  const events = trace?.events ?? []
  const of = (type: string) => events.find((each) => each.type === type)
  expect(events.map(({ type }) => type)[0]).toBe('orders.placed')

  const [pay] = of('orders.placed')?.deliveries ?? []
  expect(pay).toMatchObject({ subscription: 'pay', state: 'completed' })
  const attempts = pay?.attempts ?? []
  expect(
    attempts.map(({ attempt, outcome, category, message }) => [attempt, outcome, category, message]),
  ).toEqual([
    [1, 'retry', 'transient', 'the bank is away, 1'],
    [2, 'retry', 'transient', 'the bank is away, 2'],
    [3, 'done', null, null],
  ])
  for (const [at, { startedAtMs, endedAtMs, waitedMs }] of attempts.entries()) {
    expect(endedAtMs).toBeGreaterThanOrEqual(startedAtMs)
    if (at > 0) expect(waitedMs).toBeCloseTo(startedAtMs - (attempts[at - 1]?.endedAtMs ?? 0), 3)
  }

  expect(of('orders.paid')).toMatchObject({ causationId: id, publisher: 'pay' })
  expect(of('orders.noted')).toMatchObject({ causationId: of('orders.paid')?.id, publisher: null })
  const started = of('eventspine.workflow.ship.started')
  expect(started?.workflows).toMatchObject([{ workflow: 'ship', id: 'o-1', state: 'completed' }])
  const kinds = started?.workflows[0]?.entries.map(({ kind }) => kind)
  expect(kinds).toEqual(['started', 'step-done', 'published', 'ended'])
  expect(of('orders.shipped')).toMatchObject({ causationId: started?.id, publisher: 'workflow-ship' })
  // From whichever event one comes.
  expect(await spine.operator().trace(of('orders.shipped')?.id ?? '')).toEqual(trace)
})

it('stays within the tenant (I58), and within its bound', async () => {
  const spine = await running(app, freshSchema(), { work: false })
  const correlated = { correlationId: 'shared' }
  const many = (tenant: string, count: number) =>
    [...Array(count).keys()].map((n) => ({
      event: noted,
      data: { order: `${n}` },
      options: { tenant, id: `${tenant}-${n}`, ...correlated },
    }))
  for (let first = 0; first < 3; first++)
    await spine.publishMany(many('acme', 300).slice(first * 100, first * 100 + 100))
  await spine.publishMany(many('globex', 3))
  const operator = spine.operator()
  const other = await operator.trace('globex-1')
  expect(other?.events.map(({ id }) => id)).toEqual(['globex-0', 'globex-1', 'globex-2'])
  expect(other).toMatchObject({ truncated: false, spans: 3 })
  expect(await operator.trace('globex-1', 'acme')).toBeNull()
  const large = await operator.trace('acme-299')
  expect(large).toMatchObject({ truncated: true, spans: 250 })
  expect(large?.events.at(-1)?.id).toBe('acme-299')
  expect(large?.events[0]?.id).toBe('acme-0')
})
