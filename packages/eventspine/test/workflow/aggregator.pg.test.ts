// The aggregator of docs/guides/patterns.md: what belongs together is collected by key until there is enough of it, until
// it is complete, or until its time is over. The table is the user's own.
import { defineApp, defineEvent, defineSubscription, type TransactionContext } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, sql, until } from '../support.js'

const parcelScanned = defineEvent({
  type: 'depot.parcel-scanned',
  schema: z.object({ truck: z.string(), parcel: z.string(), last: z.boolean().optional() }),
  key: ({ truck }) => truck,
})
const load = z.object({ truck: z.string(), load: z.string() })
const loadOpened = defineEvent({ type: 'depot.load-opened', schema: load, key: ({ truck }) => truck })
const loadDue = defineEvent({ type: 'depot.load-due', schema: load, key: ({ truck }) => truck })
const closedLoad = load.extend({ parcels: z.array(z.string()), why: z.enum(['full', 'complete', 'time']) })
type Closed = z.infer<typeof closedLoad>
const loadClosed = defineEvent({
  type: 'depot.load-closed',
  schema: closedLoad,
  key: ({ truck }) => truck,
})

/** Whoever has parcels on board for so long drives off with what is there. */
const waitMs = 1_500
const parcelsMax = 3

function depot(schema: string) {
  async function close(
    { tx, publish }: TransactionContext,
    truck: string,
    id: string,
    why: Closed['why'],
  ): Promise<void> {
    const { rows } = await tx.query<{ parcels: string[] }>(
      `DELETE FROM ${schema}.load WHERE truck = $1 AND id = $2 RETURNING parcels`,
      [truck, id],
    )
    for (const { parcels } of rows) await publish(loadClosed, { truck, load: id, parcels, why })
  }

  const collect = defineSubscription({
    name: 'collect-load',
    on: [parcelScanned, loadDue],
    ordered: true,
    async transact(event, context) {
      if (event.type === 'depot.load-due') return close(context, event.data.truck, event.data.load, 'time')
      const { truck, parcel, last } = event.data
      const { rows } = await context.tx.query<{ id: string; count: number }>(
        `INSERT INTO ${schema}.load AS l (truck, id, parcels) VALUES ($1, $2, ARRAY[$3])
          ON CONFLICT (truck) DO UPDATE SET parcels = l.parcels || excluded.parcels
          RETURNING id, cardinality(parcels) AS count`,
        [truck, event.id, parcel],
      )
      const { id, count } = rows[0] as (typeof rows)[number]
      if (last === true) return close(context, truck, id, 'complete')
      if (count >= parcelsMax) return close(context, truck, id, 'full')
      if (count === 1) await context.publish(loadOpened, { truck, load: id })
    },
  })

  const closeInTime = workflow({
    name: 'close-load-in-time',
    on: { event: loadOpened, id: ({ data }) => data.load },
    run: async (ctx, opened: z.infer<typeof load>) => {
      await ctx.sleep(waitMs)
      await ctx.publish(loadDue, opened)
    },
  })
  const closed: Closed[] = []
  const leave = defineSubscription({
    name: 'leave',
    on: loadClosed,
    handle: ({ data }) => void closed.push(data),
  })
  const app = defineApp({ name: 'depot', subscriptions: [collect, leave], workflows: [closeInTime] })
  return { app, closed }
}

async function scene() {
  const schema = freshSchema()
  const { app, closed } = depot(schema)
  const spine = await running(app, schema)
  await sql(`CREATE TABLE ${schema}.load (truck text PRIMARY KEY, id text NOT NULL, parcels text[] NOT NULL)`)
  const scan = (truck: string, parcel: string, last = false) =>
    spine.publish(parcelScanned, { truck, parcel, ...(last && { last }) }, { id: `${truck} ${parcel}` })
  return { spine, closed, scan }
}

it('aggregator: by key, and by size or completion', async () => {
  const { spine, closed, scan } = await scene()
  for (const parcel of ['1', '2', '3', '4']) {
    await scan('red', parcel)
    await scan('blue', parcel, parcel === '2')
    // Once more, as a scanner does that got no answer: one parcel all the same.
    await scan('red', parcel)
  }
  await until(() => closed.length >= 3)
  await quiet(spine)
  const seen = closed
    .filter(({ why }) => why !== 'time')
    .map(({ truck, parcels, why }) => [truck, parcels, why])
  expect(seen.sort()).toEqual([
    ['blue', ['1', '2'], 'complete'],
    ['red', ['1', '2', '3'], 'full'],
  ])
})

it('aggregator: by time, and the time of one that is closed closes no other', async () => {
  const { closed, scan } = await scene()
  for (const parcel of ['1', '2', '3', '4']) await scan('red', parcel)
  await until(() => closed.length >= 2)
  expect(closed.map(({ parcels, why }) => [parcels, why])).toEqual([
    [['1', '2', '3'], 'full'],
    [['4'], 'time'],
  ])
})
