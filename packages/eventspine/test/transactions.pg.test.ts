// `publish(tx, …)` inside the transactions that users really have: the event is there if and only if their own row
// is (I2), and it is delivered soon after the commit, however late that comes and whatever else is open (I9).
import { defineApp, defineEvent, defineSubscription, Eventspine } from 'eventspine'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, databaseUrl, freshSchema, quiet, running, sql, until } from './support.js'
import { kinds, type Writer } from './transactions/kinds.js'

const booked = defineEvent({
  type: 'bookings.room-booked',
  schema: z.object({ n: z.int(), note: z.string().optional() }),
  key: ({ n }) => `room-${n}`,
})
const large = 'x'.repeat(100_000)

/** A running app whose handler collects what it is given, and a table of the caller's own beside the log. */
async function scene(options: Parameters<typeof running>[2] = {}) {
  const schema = freshSchema()
  const seen: { readonly n: number; readonly note?: string | undefined }[] = []
  const collect = defineSubscription({
    name: 'collect',
    on: booked,
    handle: (event) => void seen.push(event.data),
  })
  const spine = await running(defineApp({ name: 'bookings', subscriptions: [collect] }), schema, options)
  await sql(`CREATE TABLE ${schema}.booking (n int PRIMARY KEY)`)
  const numbers = async () => ({
    own: (await sql<{ n: number }>(`SELECT n FROM ${schema}.booking ORDER BY n`)).map(({ n }) => n),
    events: (await sql<{ n: number }>(`SELECT (data ->> 'n')::int AS n FROM ${schema}.event ORDER BY n`)).map(
      ({ n }) => n,
    ),
  })
  return { schema, seen, spine, numbers }
}

describe.each(kinds)('$name', ({ open }) => {
  const opened = async (schema: string) => {
    const kind = await open(databaseUrl, schema)
    afterTest(() => kind.close())
    return kind
  }
  const book =
    (spine: Eventspine, n: number, options = {}) =>
    async (writer: Writer) => {
      await writer.insert(n)
      return spine.publish(writer.transaction, booked, { n }, options)
    }

  it('stores the events beside the caller’s own rows if and only if the transaction commits (I2)', async () => {
    const { schema, seen, spine, numbers } = await scene()
    const { within } = await opened(schema)
    await within(book(spine, 1))
    const abandoned = within(async (writer) => {
      await book(spine, 2)(writer)
      await book(spine, 3)(writer)
      throw new Error('changed my mind')
    })
    await expect(abandoned).rejects.toThrow('changed my mind')
    await within(async (writer) => {
      await book(spine, 4)(writer)
      await book(spine, 5)(writer)
      expect(await numbers()).toEqual({ own: [1], events: [1] })
    })
    expect(await numbers()).toEqual({ own: [1, 4, 5], events: [1, 4, 5] })
    await until(() => seen.length >= 3)
    await quiet(spine)
    expect(seen.map(({ n }) => n).sort()).toEqual([1, 4, 5])
  })

  it('rolls the event back when the caller’s own row fails, and takes nothing when the event is refused', async () => {
    const { schema, spine, numbers } = await scene()
    const { within } = await opened(schema)
    await within(book(spine, 1))
    const clash = within(async ({ insert, transaction }) => {
      await spine.publish(transaction, booked, { n: 9 })
      await insert(1)
    })
    await expect(clash).rejects.toThrow(/booking|already exists|23505/)
    await within(async ({ insert, transaction }) => {
      const refused = spine.publish(transaction, booked, { n: 1.5 })
      await expect(refused).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/data/n' })
      await insert(2)
    })
    expect(await numbers()).toEqual({ own: [1, 2], events: [1] })
  })

  it('takes one id as one event inside and across transactions, and refuses it for another body (I4)', async () => {
    const { schema, spine, numbers } = await scene()
    const { within } = await opened(schema)
    const first = await within(async (writer) => {
      const answer = await book(spine, 1, { id: 'b-1' })(writer)
      expect(await spine.publish(writer.transaction, booked, { n: 1 }, { id: 'b-1' })).toEqual(answer)
      return answer
    })
    expect(
      await within((writer) => spine.publish(writer.transaction, booked, { n: 1 }, { id: 'b-1' })),
    ).toEqual(first)
    await within(async (writer) => {
      const other = spine.publish(writer.transaction, booked, { n: 2 }, { id: 'b-1' })
      await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: '/id' })
      await book(spine, 3)(writer)
    })
    const abandoned = within(async (writer) => {
      await spine.publish(writer.transaction, booked, { n: 4 }, { id: 'b-4' })
      throw new Error('no')
    })
    await expect(abandoned).rejects.toThrow('no')
    expect(await spine.publish(booked, { n: 5 }, { id: 'b-4' })).toMatchObject({ id: 'b-4' })
    expect(await numbers()).toEqual({ own: [1, 3], events: [1, 3, 5] })
  })

  it('keeps every attribute, and sends a large body to the object store and back', async () => {
    const { schema, seen, spine } = await scene()
    const { within } = await opened(schema)
    const options = {
      subject: 'rooms/1',
      tenant: 'acme',
      time: new Date('2026-01-02T03:04:05.678Z'),
      correlationId: 'c-1',
      causationId: 'c-0',
      extensions: { channel: 'web "{,}" \\', retries: 3, vip: true },
    }
    const note = `{"quoted",\\ é 😀 NULL ${large}`
    const { id } = await within(({ transaction }) =>
      spine.publish(transaction, booked, { n: 1, note }, options),
    )
    await until(() => seen.length > 0)
    expect(seen).toEqual([{ n: 1, note }])
    const details = await spine.operator().event(id, 'acme')
    expect(details?.event).toMatchObject({
      ...options,
      time: '2026-01-02T03:04:05.678Z',
      key: 'room-1',
      data: { n: 1, note },
    })
    const [row] = await sql(`SELECT data, claim FROM ${schema}.event`)
    expect(row).toMatchObject({ data: null, claim: expect.stringMatching(/^[0-9a-f]{32}\//) })
  })

  it('delivers after a late commit, also behind the open transaction of another session (I9)', async () => {
    const { schema, seen, spine } = await scene()
    const { within } = await opened(schema)
    const bystander = new pg.Client({ connectionString: databaseUrl })
    await bystander.connect()
    afterTest(() => bystander.end())
    await bystander.query('BEGIN')
    await bystander.query(`INSERT INTO ${schema}.booking VALUES (1000)`)
    await within(async (writer) => {
      await book(spine, 1)(writer)
      await spine.publish(booked, { n: 2 })
      await until(() => seen.length > 0)
      // Longer than anything that the library could guess about the moment of the commit.
      await writer.sleep(2)
      expect(seen.map(({ n }) => n)).toEqual([2])
    })
    await until(() => seen.length > 1, 5_000)
    expect(seen.map(({ n }) => n)).toEqual([2, 1])
    await bystander.query('ROLLBACK')
  })

  it('refuses what is no transaction, before anything is stored', async () => {
    const { schema, spine, numbers } = await scene()
    const { outside } = await opened(schema)
    for (const [handle, advice] of outside) {
      const publishing = spine.publish(handle, booked, { n: 1 })
      await expect(publishing, advice.source).rejects.toMatchObject({
        code: 'TRANSACTION_UNSUPPORTED',
        message: expect.stringMatching(advice),
      })
    }
    expect(outside.length).toBeGreaterThan(0)
    expect(await numbers()).toEqual({ own: [], events: [] })
  })
})

it('refuses anything else, naming what it takes', async () => {
  const { spine, numbers } = await scene()
  for (const handle of [{}, { query: 'SELECT 1' }, [], new Map()]) {
    await expect(spine.publish(handle, booked, { n: 1 })).rejects.toMatchObject({
      code: 'TRANSACTION_UNSUPPORTED',
      message: expect.stringMatching(/pg client, a Kysely, Drizzle or Prisma transaction/),
    })
  }
  expect((await numbers()).events).toEqual([])
})

it('leaves nothing running when it stops right after a publish in an open transaction', async () => {
  const { schema } = await scene()
  const app = defineApp({ name: 'bookings-stopped', events: [booked] })
  const spine = await running(app, schema)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  afterTest(() => client.end())
  await client.query('BEGIN')
  await spine.publish(client, booked, { n: 1 })
  await spine.stop()
  await client.query('COMMIT')
  // Readers look for the commit for some moments; the last of them has gone by then.
  await client.query('SELECT pg_sleep(0.3)')
  // A pooler keeps its sessions, under the name of who had them last: there, none may be at work but the one that it gives this query.
  const left = databaseUrl.includes('pgbouncer=true') ? "AND state <> 'idle' AND pid <> pg_backend_pid()" : ''
  expect(
    await sql(
      `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE '%bookings-stopped%' ${left}`,
    ),
  ).toEqual([])
  await client.query('BEGIN')
  await expect(spine.publish(client, booked, { n: 2 })).rejects.toMatchObject({ code: 'STOPPED' })
  await expect(
    new Eventspine(app, { databaseUrl, schema }).publish(client, booked, { n: 2 }),
  ).rejects.toMatchObject({ code: 'NOT_STARTED' })
})
