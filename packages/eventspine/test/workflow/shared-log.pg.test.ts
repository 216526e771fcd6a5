// Two apps on one log: what one does with an instance of the other reaches its worker at once, and waits behind nothing that it
// publishes itself.
import { defineApp, defineEvent, type Eventspine } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import pg from 'pg'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { afterTest, databaseUrl, directUrl, freshSchema, running, until } from '../support.js'

const escalation = workflow({
  name: 'escalation',
  priority: 'alarm',
  run: async (ctx) => {
    await ctx.approval('call', { to: 'doctor', text: 'Call the doctor?' })
    await ctx.signal('note')
    await ctx.signal('never')
  },
})
const sold = defineEvent({ type: 'shop.sold', schema: z.object({ n: z.number() }) })
const ward = defineApp({ name: 'ward', workflows: [escalation] })
const shop = defineApp({ name: 'shop', events: [sold] })

async function client(url: string): Promise<pg.Client> {
  const opened = new pg.Client({ connectionString: url })
  await opened.connect()
  afterTest(() => opened.end())
  return opened
}

async function asking(theirs: Eventspine, id: string): Promise<void> {
  await theirs.workflows.start(escalation, undefined, { id })
  await until(async () => (await theirs.workflows.show(escalation, id))?.questions.length)
}

const acts = [
  [
    'approve',
    (own: Eventspine) => own.workflows.approve('escalation', 'e', 'call', { approved: true, by: 'ada' }),
  ],
  ['signal', (own: Eventspine) => own.workflows.signal('escalation', 'e', 'note', 'at night')],
  [
    'signal by a person',
    (own: Eventspine) => own.workflows.signal('escalation', 'e', 'note', 1, { by: 'ada' }),
  ],
  ['cancel', (own: Eventspine) => own.workflows.cancel('escalation', 'e', 'ada')],
] as const

test.each(acts)('to %s what another app runs hints its worker', async (_name, act) => {
  const schema = freshSchema()
  const theirs = await running(ward, schema)
  const own = await running(shop, schema, { work: false })
  await asking(theirs, 'e')
  const heard: string[] = []
  const listener = await client(directUrl)
  listener.on('notification', ({ payload = '' }) => heard.push(payload))
  await listener.query(`LISTEN "${schema}_appended"`)
  await act(own)
  // Who does not work itself signs so: the worker of the other app hints under its own name.
  await until(() => heard.includes('publisher'))
})

test('what is meant for another app is not refused because this one has published too much', async () => {
  const schema = freshSchema()
  const theirs = await running(ward, schema)
  const own = await running(shop, schema, { work: false, limits: { pendingEventsMax: 3 } })
  await asking(theirs, 'e')
  const lock = await client(databaseUrl)
  await lock.query('BEGIN')
  await lock.query(`LOCK TABLE ${schema}.event IN SHARE MODE`)
  const published = [1, 2, 3].map((n) => own.publish(sold, { n }))
  await expect(own.publish(sold, { n: 4 })).rejects.toMatchObject({ code: 'OVERLOADED' })
  const signalled = own.workflows.signal('escalation', 'e', 'note', 'at night', { by: 'ada' })
  // It waits for the lock, as they do, and for nothing else.
  await until(async () => {
    const waiting = await lock.query(
      `SELECT FROM pg_locks WHERE NOT granted AND relation = '${schema}.event'::regclass`,
    )
    return (waiting.rowCount ?? 0) > 1
  })
  await lock.query('COMMIT')
  await Promise.all([...published, signalled])
})
