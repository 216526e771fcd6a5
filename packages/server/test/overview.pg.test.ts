// The overview: one glance at a cell, its last hour, and the stream of it, read once however many look.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { z } from 'zod'
import { createApiKey } from '../src/index.js'
import { Board } from '../src/overview/board.js'
import { figuresView, overviewView } from '../src/schema/overview.js'
import { Fixture, mend, order } from './fixture.js'

const acme = createApiKey({ scopes: ['read'], tenant: 'acme' })
const limits = {
  overviewEveryMs: 25,
  overviewHistoryEveryMs: 60,
  tailsPerCredentialMax: 3,
  drainMsMax: 120_000,
}
const fixture = new Fixture({ apiKeys: [acme.record], limits })
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

type Shown = z.output<typeof overviewView>
type Figures = z.output<typeof figuresView>

async function shown(): Promise<Shown> {
  const reply = await fixture.send('/v1/overview')
  expect(reply.status).toBe(200)
  return overviewView.parse(reply.json)
}

const publish = async (json: object) => expect((await fixture.send('/v1/events', { json })).status).toBe(202)

/** Reads a stream as a browser does. */
class Live {
  readonly figures: Figures[] = []
  /** What it was told in the place of figures. */
  readonly unreadable: unknown[] = []
  readonly #left = new AbortController()
  #ended: Promise<void> = Promise.resolve()

  async open(): Promise<this> {
    const response = await fetch(`${fixture.url}/v1/overview/live`, { signal: this.#left.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    this.#ended = this.#read(response).catch(() => undefined)
    return this
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response.body ?? []) {
      const blocks = (text + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) this.#take(block)
    }
  }

  #take(block: string): void {
    const [, type, data = ''] = /^(?:event: (.*)\n)?data: (.*)$/.exec(block) ?? []
    if (type === 'unreadable') this.unreadable.push(JSON.parse(data))
    else if (data !== '') this.figures.push(figuresView.parse(JSON.parse(data)))
  }

  /** Resolves when the server has ended the stream. */
  ended(): Promise<void> {
    return this.#ended
  }

  async close(): Promise<void> {
    this.#left.abort()
    await this.#ended
  }
}

test('shows rates, lag, the dead, workers and what doctor finds', async () => {
  mend(false)
  const before = await shown()
  expect(before).toMatchObject({ workers: 1, deadLetters: { total: 0, byCategory: [] } })
  expect(before.subscriptions.map(({ name }) => name)).toEqual(['confirm', 'fail', 'remember'])
  await publish([...Array(40).keys()].map((n) => order(`seen-${n}`)))
  await publish([1, 2].map((n) => ({ type: 'tests.failing', data: { reason: `${n}` } })))
  // The letters and what doctor finds are read beside each other: one may know of what the other does not yet.
  const failed = ({ subscriptions }: Shown) => subscriptions.find(({ name }) => name === 'fail')?.dead
  const after = await fixture.until(shown, (seen) => seen.deadLetters.total === 2 && failed(seen) === 2)
  expect(after).toMatchObject({
    deadLetters: { byCategory: [{ category: 'permanent', count: 2 }] },
    breakers: { open: 0, halfOpen: 0 },
  })
  expect(after.subscriptions.find(({ name }) => name === 'fail')).toMatchObject({ state: 'active' })
  expect(after.findings.map(({ subject }) => subject)).toContain('subscription fail')
  const moved = await fixture.until(shown, ({ in: into, out }) => (into ?? 0) > 0 && (out ?? 0) > 0)
  expect(moved.subscriptions.reduce((sum, { perSecond }) => sum + (perSecond ?? 0), 0)).toBeCloseTo(
    moved.out ?? 0,
  )
})

test('an open breaker is counted', async () => {
  await fixture.operate('/v1/breakers/payments', { state: 'open' })
  await fixture.until(shown, ({ breakers }) => breakers.open === 1)
  await fixture.operate('/v1/breakers/payments', { state: 'closed' })
  await fixture.until(shown, ({ breakers }) => breakers.open === 0)
})

test('a history grows by itself, from a moment that is said', async () => {
  const first = await fixture.until(shown, ({ history }) => history.length >= 2)
  expect(Date.parse(first.since ?? '')).toBeLessThan(Date.parse(first.history[0]?.at ?? ''))
  await publish([...Array(30).keys()].map((n) => order(`history-${n}`)))
  const busy = ({ history }: Shown) => history.some(({ in: into }) => into > 0)
  const { history, since } = await fixture.until(shown, busy)
  expect(since).toBe(first.since)
  expect(history.slice(0, first.history.length)).toEqual(first.history)
  expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).toSorted())
})

test('many who look cost as much as one, and see the same', async () => {
  const read = vi.spyOn(fixture.spine.operator(), 'overview')
  const all = await Promise.all([1, 2, 3].map(() => new Live().open()))
  const from = read.mock.calls.length
  const before = all.reduce((sum, { figures }) => sum + figures.length, 0)
  await fixture.until(
    async () => all.map(({ figures }) => figures.length),
    (counts) => counts.every((count) => count >= 15),
  )
  const sent = all.reduce((sum, { figures }) => sum + figures.length, 0) - before
  expect(read.mock.calls.length - from).toBeLessThan(sent * 0.6)
  for (const { figures } of all) expect(new Set(figures.map(({ at }) => at)).size).toBe(figures.length)
  const [one, ...others] = all.map(({ figures }) => figures.slice(2, 8).map(({ at }) => at))
  for (const other of others) expect(other.filter((at) => one?.includes(at)).length).toBeGreaterThan(0)
  const more = await fixture.send('/v1/overview/live')
  expect([more.status, more.json.code]).toEqual([429, 'IN_FLIGHT_MAX'])
  await Promise.all(all.map((each) => each.close()))
  read.mockRestore()
})

test('who is slow is sent what is newest, and nothing is kept for them', async () => {
  const { spine } = fixture
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const board = new Board({
    operator: () => spine.operator(),
    limits: { ...limits, overviewEveryMs: 5 },
    logger,
  })
  const left = new AbortController()
  const slow = board.following(left.signal)
  const quick = board.following(left.signal)
  const begun = await slow.next()
  const seen: (string | undefined)[] = []
  for (let at = 0; at < 10; at++) seen.push((await quick.next()).value?.at)
  const newest = (await slow.next()).value?.at ?? ''
  expect(seen[0]).toBe(begun.value?.at)
  expect(newest >= (seen.at(-1) ?? '')).toBe(true)
  left.abort()
  expect(await slow.next()).toEqual({ done: true, value: undefined })
})

test('who follows is told what cannot be read and since when, and goes on', async () => {
  const live = await new Live().open()
  await fixture.until(async () => live.figures.length, Boolean)
  const away = vi.spyOn(fixture.spine.operator(), 'overview').mockRejectedValue(new Error('away'))
  const told = await fixture.until(
    async () => live.unreadable,
    ({ length }) => length > 1,
  )
  const last = live.figures.at(-1)?.at
  expect(told[0]).toEqual({ since: last })
  expect(told[1]).toEqual({ since: last })
  away.mockRestore()
  await fixture.until(
    async () => live.figures.at(-1)?.at ?? '',
    (at) => at > (last ?? ''),
  )
  await live.close()
})

test('a board tells what cannot be read by nothing, and reads it again', async () => {
  const { spine } = fixture
  const told: unknown[] = []
  const logger = { debug: (text: string) => void told.push(text), info() {}, warn() {}, error() {} }
  let away = true
  const operator = () => {
    if (away) throw new Error('the database is away')
    return spine.operator()
  }
  const board = new Board({ operator, limits: { ...limits, overviewEveryMs: 5 }, logger })
  await expect(board.current()).rejects.toThrow('away')
  const left = new AbortController()
  const following = board.following(left.signal)
  expect(await following.next()).toEqual({ done: false, value: undefined })
  away = false
  expect((await following.next()).value?.at).toBeTypeOf('string')
  left.abort()
  expect(told).toEqual(['the overview cannot be read'])
})

test('figures of all tenants are not for a key of one, and a cell must be there', async () => {
  const headers = { authorization: `Bearer ${acme.key}` }
  for (const path of ['/v1/overview', '/v1/overview/live']) {
    const limited = await fixture.send(path, { headers })
    expect([limited.status, limited.json.code]).toEqual([403, 'TENANT_FORBIDDEN'])
    const unknown = await fixture.send(`${path}?cell=nowhere`)
    expect([unknown.status, unknown.json.code]).toEqual([400, 'CELL_UNKNOWN'])
  }
})

test('HEAD answers at once, and streams end when the server stops', async () => {
  const head = await fixture.send('/v1/overview/live', { method: 'HEAD' })
  expect([head.status, head.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const live = await new Live().open()
  await fixture.until(async () => live.figures.length, Boolean)
  await fixture.server.stop()
  await live.ended()
})
