// What mutants of publishing showed that no cheap test held: an acknowledgement comes after the commit.
import { defineApp, defineEvent } from 'eventspine'
import pg from 'pg'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, databaseUrl, freshSchema, running, sql, until } from '../support.js'

const happened = defineEvent({ type: 'tests.happened', schema: z.object({ n: z.number() }) })

it('acknowledges nothing before it is committed (I1)', async () => {
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'ack', events: [happened] }), schema, { work: false })
  const blocker = new pg.Client({ connectionString: databaseUrl })
  afterTest(() => blocker.end())
  await blocker.connect()
  await blocker.query(`BEGIN; LOCK TABLE ${schema}.event IN SHARE MODE`)
  let acked = false
  const publishing = spine.publish(happened, { n: 1 }).then(() => {
    acked = true
  })
  await until(() =>
    sql(`SELECT FROM pg_locks WHERE relation = '${schema}.event'::regclass AND NOT granted`).then(
      (rows) => rows.length > 0,
    ),
  )
  expect(acked).toBe(false)
  await blocker.query('ROLLBACK')
  await publishing
  expect(await sql(`SELECT id FROM ${schema}.event`)).toHaveLength(1)
})
