// Events found by a pattern over their data: page by page, each bounded, none missed, and none of another tenant.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApiKey } from '../src/index.js'
import { Fixture } from './fixture.js'

const acme = createApiKey({ scopes: ['read'], tenant: 'acme' })
const fixture = new Fixture({ apiKeys: [acme.record] })
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const count = 2_300

beforeAll(async () => {
  for (let first = 0; first < count; first += 100) {
    const json = [...Array(100).keys()].map((at) => ({
      type: 'tests.anything',
      id: `n-${first + at}`,
      tenant: at % 2 === 0 ? 'acme' : 'globex',
      data: { n: first + at, rare: first + at === 7 },
    }))
    expect((await fixture.send('/v1/events', { json })).status).toBe(202)
  }
})

interface Found {
  readonly items: readonly { readonly id: string }[]
  readonly cursor: string | null
  readonly scanned: number
  readonly reachedEnd: boolean
}

async function search(pattern: unknown, query = '', headers = {}): Promise<Found> {
  const text = typeof pattern === 'string' ? pattern : JSON.stringify(pattern)
  const reply = await fixture.send(`/v1/events?pattern=${encodeURIComponent(text)}${query}`, { headers })
  expect(reply.status).toBe(200)
  return reply.json as unknown as Found
}

/** Follows cursors to the end. */
async function all(pattern: unknown, query: string): Promise<{ ids: string[]; pages: Found[] }> {
  const pages: Found[] = []
  for (let cursor = ''; pages.length < 1_000; ) {
    const page = await search(pattern, `${query}${cursor}`)
    pages.push(page)
    if (page.reachedEnd) break
    cursor = `&cursor=${page.cursor}`
  }
  return { ids: pages.flatMap(({ items }) => items.map(({ id }) => id)), pages }
}

const numbers = { data: { n: [{ numeric: ['>=', 100, '<', 400] }] } }
const expected = [...Array(300).keys()].map((n) => `n-${n + 100}`)

test('finds all that match, once, newest or oldest first', async () => {
  const { ids, pages } = await all(numbers, '&limit=70&type=tests.anything')
  expect(ids).toEqual(expected.toReversed())
  // Full, or ended by what it looked at, or the last.
  for (const { items, scanned, reachedEnd } of pages) {
    expect(items.length).toBeLessThanOrEqual(70)
    expect(items.length === 70 || scanned >= 2_000 || reachedEnd).toBe(true)
  }
  // Oldest first shows what a worker has seen.
  await fixture.until(
    async () => (await all(numbers, '&order=oldest&limit=70')).ids,
    (found) => {
      return JSON.stringify(found) === JSON.stringify(expected)
    },
  )
})

test('looks at a bounded number of events, says how far it came, and goes on', async () => {
  const first = await search({ data: { rare: [true] } })
  expect(first).toMatchObject({ items: [], scanned: 2_000, reachedEnd: false, cursor: expect.any(String) })
  const second = await search({ data: { rare: [true] } }, `&cursor=${first.cursor}`)
  expect(second).toMatchObject({ items: [{ id: 'n-7' }], scanned: 300, reachedEnd: true, cursor: null })
  const page = await search({ data: { n: [count - 1] } }, '&limit=1')
  expect(page).toMatchObject({ items: [{ id: `n-${count - 1}` }], scanned: 1, reachedEnd: false })
})

test('attributes count too, and a key of one tenant finds its own', async () => {
  const { items } = await search({ tenant: ['globex'], data: { n: [2_299, 2_298] } })
  expect(items.map(({ id }) => id)).toEqual(['n-2299'])
  const headers = { authorization: `Bearer ${acme.key}` }
  const own = await search({ data: { n: [2_299, 2_298] } }, '', headers)
  expect(own.items.map(({ id }) => id)).toEqual(['n-2298'])
  expect(await search({ data: { n: [2_299] } }, '&tenant=globex', headers)).toEqual({
    ...{ items: [], cursor: null, scanned: 0, reachedEnd: true },
  })
})

test.each([
  ['{', /not JSON/],
  ['{"data":{"n":1}}', /list/],
  ['[]', /object/],
  ['{"data":{"n":[{"regex":"x"}]}}', /regex/],
  ['{"n":[1]}', /n is no attribute of an event; write \{ data: \{ "n": … \} \}/],
])('refuses %s', async (pattern, message) => {
  const reply = await fixture.send(`/v1/events?pattern=${encodeURIComponent(pattern)}`)
  expect([reply.status, reply.json.code, reply.json.field]).toEqual([
    400,
    'REQUEST_INVALID',
    '/query/pattern',
  ])
  expect(reply.json.detail).toMatch(message)
})
