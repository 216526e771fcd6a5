// Which events become suspects when holders of a lease died: those that one of them may have run, and no others (I19).
import { defineApp, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { freshSchema, quiet, running, sql, until } from '../support.js'
import { happened } from './apps.js'

it('suspects what was in the log when holders died, and nothing that came later', async () => {
  const schema = freshSchema()
  const suspected = new Map<number, boolean>()
  const app = defineApp({
    name: 'isolated',
    subscriptions: [
      defineSubscription({
        name: 'quiet',
        on: happened,
        priority: 'alarm',
        handle: async ({ data }) => {
          const rows = `SELECT FROM ${schema}.delivery d JOIN ${schema}.event e USING (epoch, seq) WHERE e.id = $1 AND d.deaths > 0`
          suspected.set(data.n, (await sql(rows, [`e${data.n}`])).length > 0)
        },
      }),
    ],
  })
  const twoDied = () => sql(`UPDATE ${schema}.consumer SET deaths = 2`)
  const publish = async (n: number) => void (await spine.publish(happened, { n, key: 'k' }, { id: `e${n}` }))
  let spine = await running(app, schema)
  await spine.stop()
  await twoDied()
  // Neighbours killed the process while nothing was there to handle.
  spine = await running(app, schema)
  await publish(0)
  await quiet(spine)
  expect(suspected.get(0)).toBe(false)

  await spine.operator().pause('quiet', 'ada')
  await publish(1)
  await until(() => isInTick(schema, 'e1'))
  await spine.stop()
  await twoDied()
  await sql(`UPDATE ${schema}.subscription SET state = 'active'`)
  spine = await running(app, schema)
  await publish(2)
  await quiet(spine)
  expect(suspected).toEqual(
    new Map([
      [0, false],
      [1, true],
      [2, false],
    ]),
  )
})

/** A worker can have read it. */
async function isInTick(schema: string, id: string): Promise<boolean> {
  const ticks = `SELECT FROM ${schema}.event e JOIN ${schema}.tick t ON pg_visible_in_snapshot(e.xid, t.snapshot) WHERE e.id = $1`
  return (await sql(ticks, [id])).length > 0
}
