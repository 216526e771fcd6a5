import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newEvent, openTestStore, type TestStore } from './inspect.fixture.js'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())

const ids = (page: { readonly items: readonly { readonly id: string }[] }) =>
  page.items.map((event) => event.id)

async function appended(prefix: string, count: number, given: Parameters<typeof newEvent>[0] = {}) {
  const events = Array.from({ length: count }, (_, index) => newEvent({ ...given, id: `${prefix}-${index}` }))
  await store.append(events)
  return events.map((event) => event.id)
}

/** Pages behind `cursor` until one is empty. */
async function tailed(query: Parameters<TestStore['events']>[0]) {
  const found: string[] = []
  let cursor = query.cursor
  for (let page = 0; page < 50; page++) {
    const answer = await store.events({ ...query, order: 'oldest', ...(cursor !== undefined && { cursor }) })
    found.push(...ids(answer))
    const stands = cursor === answer.cursor
    cursor = answer.cursor ?? undefined
    if (answer.items.length === 0 && stands) return { found, cursor }
  }
  throw new Error('The tail does not end')
}

describe('newest first', () => {
  test('pages stay right while new rows arrive', async () => {
    const all = await appended('page', 7, { tenant: 'pages' })
    const first = await store.events({ tenant: 'pages', limit: 3 })
    await appended('page-late', 5, { tenant: 'pages' })
    const second = await store.events({ tenant: 'pages', limit: 3, cursor: first.cursor as string })
    const third = await store.events({ tenant: 'pages', limit: 3, cursor: second.cursor as string })
    expect([...ids(first), ...ids(second), ...ids(third)]).toEqual(all.reverse())
    expect(third.cursor).toBeNull()
  })

  test('a page that ends exactly at the end has no next one', async () => {
    await appended('exact', 4, { tenant: 'exact' })
    expect((await store.events({ tenant: 'exact', limit: 4 })).cursor).toBeNull()
  })

  test('filters by type, pattern, key, tenant and correlation, alone and together', async () => {
    await appended('plain', 2, { tenant: 'filters', type: 'orders.order_placed' })
    await appended('dashed', 1, { tenant: 'filters', type: 'orders.order-placed' })
    await appended('other', 2, {
      tenant: 'filters',
      type: 'ordersXorder-placed',
      key: 'k1',
      correlationId: 'chain-1',
    })
    const found = async (query: Parameters<TestStore['events']>[0]) =>
      ids(await store.events({ tenant: 'filters', ...query }))
    expect(await found({ type: 'orders.order_placed' })).toEqual(['plain-1', 'plain-0'])
    // Neither `.` nor `_` of a pattern stands for anything but itself.
    expect(await found({ type: 'orders.*' })).toEqual(['dashed-0', 'plain-1', 'plain-0'])
    expect(await found({ type: 'orders.order_*' })).toEqual(['plain-1', 'plain-0'])
    expect(await found({ type: '*order*placed' })).toHaveLength(5)
    expect(await found({ key: 'k1' })).toEqual(['other-1', 'other-0'])
    expect(await found({ correlationId: 'chain-1' })).toEqual(['other-1', 'other-0'])
    expect(await found({ correlationId: 'chain-1', limit: 1 })).toEqual(['other-1'])
    expect(await found({ correlationId: 'chain-1', type: 'orders.*' })).toEqual([])
    expect(await found({ tenant: 'nobody' })).toEqual([])
  })

  test('filters by the time of recording, whatever ticks lie between', async () => {
    const [early] = await appended('early', 1, { tenant: 'times' })
    await store.tick(0, 1_000)
    await store.sql(`UPDATE eventspine.event SET recorded_at = '2020-01-01T00:00:00Z' WHERE id = $1`, [early])
    await appended('now', 1, { tenant: 'times' })
    await store.sql(`UPDATE eventspine.tick SET made_at = '2020-01-01T00:00:01Z'`)
    await store.tick(0, 1_000)
    const at = (text: string) => new Date(text)
    const found = async (query: Parameters<TestStore['events']>[0]) =>
      ids(await store.events({ tenant: 'times', ...query }))
    expect(await found({ after: at('2020-01-01T00:00:00Z') })).toEqual(['now-0', 'early-0'])
    expect(await found({ after: at('2020-06-01T00:00:00Z') })).toEqual(['now-0'])
    expect(await found({ before: at('2020-06-01T00:00:00Z') })).toEqual(['early-0'])
    expect(await found({ before: at('2020-01-01T00:00:00Z') })).toEqual([])
  })

  test.each([
    ['text', 'x'],
    ['JSON of another shape', Buffer.from('{"a":1}').toString('base64url')],
    ['a cursor of another list', Buffer.from('["audit",5]').toString('base64url')],
    ['a negative place', Buffer.from('["events",-1]').toString('base64url')],
    ['a place beyond numbers', Buffer.from('["events",1e300]').toString('base64url')],
    ['a statement', Buffer.from('["events","1; DROP TABLE event"]').toString('base64url')],
    ['a very long one', 'A'.repeat(100_000)],
  ])('refuses %s as a cursor', async (_, cursor) => {
    for (const order of ['newest', 'oldest'] as const) {
      await expect(store.events({ cursor, order })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
        field: '/cursor',
      })
    }
  })

  test('refuses limits, dates and texts that cannot be', async () => {
    for (const limit of [0, -1, 501, 1.5, Number.NaN]) {
      await expect(store.events({ limit })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
        field: '/limit',
      })
    }
    await expect(store.events({ after: new Date(Number.NaN) })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
    await expect(store.events({ type: 'a\u0000b' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await expect(store.event('\u0000')).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  })

  test('is bounded by a statement timeout of 10 s that stays in its transaction', async () => {
    const { bounded } = await import('./inspect-page.js')
    const shown = (rows: Record<string, unknown>[]) => rows[0]?.['value']
    const text = `SELECT current_setting('statement_timeout') AS value`
    expect(await bounded(store.database, async ({ query }) => shown(await query('test.timeout', text)))).toBe(
      '10s',
    )
    expect(shown(await store.sql(text))).toBe('0')
    const slow = bounded(store.database, async ({ query }) => {
      await query('test.hurry', `SELECT set_config('statement_timeout', '20', true)`)
      await query('test.slow', 'SELECT pg_sleep(30)')
    })
    await expect(slow).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('Narrow'),
    })
  })
})

describe('one event', () => {
  test('is found by id and tenant, the newest when ids repeat', async () => {
    await store.append([newEvent({ id: 'twice', tenant: 'a', data: '1' })])
    await store.append([newEvent({ id: 'twice', tenant: 'b', data: '2' })])
    expect((await store.event('twice'))?.data).toBe('2')
    expect((await store.event('twice', 'a'))?.data).toBe('1')
    expect(await store.event('twice', 'c')).toBeNull()
    expect(await store.event('none')).toBeNull()
  })

  test('correlated events come oldest first, at most 1,000', async () => {
    await appended('chained', 1_001, { correlationId: 'long' })
    const events = await store.correlated('long')
    expect(events).toHaveLength(1_000)
    expect(events[0]?.id).toBe('chained-0')
  })
})

describe('oldest first', () => {
  test('does not miss what commits late, although its seq is lower', async () => {
    const start = (await tailed({ tenant: 'late' })).cursor as string
    const client = await store.database.connect('transaction')
    await client.query('BEGIN')
    const executor = async (text: string, values: readonly unknown[]) =>
      (await client.query(text, [...values])).rows
    await store.appendWithin(executor, [newEvent({ id: 'late', tenant: 'late' })])
    await appended('prompt', 3, { tenant: 'late' })
    await store.tick(0, 1_000)
    const before = await tailed({ tenant: 'late', cursor: start })
    expect(before.found).toEqual(['prompt-0', 'prompt-1', 'prompt-2'])
    await client.query('COMMIT')
    client.release()
    expect((await tailed({ tenant: 'late', cursor: before.cursor as string })).found).toEqual([])
    await store.tick(0, 1_000)
    const after = await tailed({ tenant: 'late', cursor: before.cursor as string })
    expect(after.found).toEqual(['late'])
    const [late] = (await store.events({ tenant: 'late', order: 'oldest', cursor: before.cursor as string }))
      .items
    const [prompt] = (await store.events({ tenant: 'late', order: 'oldest', cursor: start })).items
    expect(late?.seq).toBeLessThan(prompt?.seq as number)
    // Also when a page began inside the tick before it.
    expect((await tailed({ tenant: 'late', cursor: start, limit: 1 })).found).toEqual([
      ...before.found,
      'late',
    ])
    const inside = await store.events({ tenant: 'late', order: 'oldest', cursor: start, limit: 1 })
    expect((await tailed({ tenant: 'late', cursor: inside.cursor as string })).found).toEqual([
      'prompt-1',
      'prompt-2',
      'late',
    ])
  })

  test('pages inside a tick and over many, each event once', async () => {
    const start = (await tailed({ tenant: 'many' })).cursor as string
    const expected: string[] = []
    for (let batch = 0; batch < 80; batch++) {
      expected.push(...(await appended(`many-${batch}`, batch === 40 ? 25 : 2, { tenant: 'many' })))
      await store.tick(0, 1_000)
    }
    expect((await tailed({ tenant: 'many', cursor: start, limit: 7 })).found).toEqual(expected)
    expect((await tailed({ tenant: 'many', cursor: start, limit: 500 })).found).toEqual(expected)
    expect((await tailed({ tenant: 'many', cursor: start, limit: 10, type: 'none.*' })).found).toEqual([])
  })

  test('begins at a moment', async () => {
    await appended('old', 1, { tenant: 'begin' })
    await store.tick(0, 1_000)
    const [now] = await store.sql<{ now: Date }>('SELECT clock_timestamp() AS now')
    await store.sql(
      `UPDATE eventspine.event SET recorded_at = clock_timestamp() - interval '1 hour' WHERE id = 'old-0'`,
    )
    await appended('new', 1, { tenant: 'begin' })
    await store.tick(0, 1_000)
    expect((await tailed({ tenant: 'begin', after: now?.now as Date })).found).toEqual(['new-0'])
    expect((await tailed({ tenant: 'begin' })).found).toEqual(['old-0', 'new-0'])
  })

  test('estimates what is too much to be counted', async () => {
    const { cursor } = await tailed({ tenant: 'far' })
    await appended('far', 3, { tenant: 'far' })
    await store.tick(0, 1_000)
    await appended('farther', 2, { tenant: 'far' })
    await store.tick(0, 1_000)
    const place = { tenant: 'far', cursor: cursor as string }
    const { cursor: end, ...counted } = await store.remaining(place)
    expect(counted).toEqual({ events: 5, exact: true })
    await store.sql(`UPDATE eventspine.tick SET seq_estimate = seq_estimate + 250000
      WHERE number = (SELECT max(number) FROM eventspine.tick)`)
    expect(await store.remaining(place)).toEqual({
      events: expect.toSatisfy((events: number) => events >= 250_000 && events < 250_010),
      exact: false,
      cursor: end,
    })
  })

  test('reads again from a tick that a crash lost and that was made anew', async () => {
    await appended('kept', 1, { tenant: 'crash' })
    await store.tick(0, 1_000)
    await appended('read', 1, { tenant: 'crash' })
    await store.tick(0, 1_000)
    const before = await tailed({ tenant: 'crash' })
    expect(before.found).toEqual(['kept-0', 'read-0'])
    // What a crash does to ticks, which commit asynchronously; the new one holds more.
    await store.sql('DELETE FROM eventspine.tick WHERE number = (SELECT max(number) FROM eventspine.tick)')
    await appended('more', 1, { tenant: 'crash' })
    await store.tick(0, 1_000)
    expect((await tailed({ tenant: 'crash', cursor: before.cursor as string })).found).toEqual([
      'read-0',
      'more-0',
    ])
  })
})
