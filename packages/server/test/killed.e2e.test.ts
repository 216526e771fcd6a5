// A server that is killed under those who publish, call its route and send webhooks: who was answered finds its event in the log, once,
// who was not sends again, and nobody else's is there. Its schedule leaves out no tick and gives none twice.

import { signStandardWebhook } from 'eventspine/source'
import { expect, test, vi } from 'vitest'
import { databaseUrl, freshSchema, sql, until, WorkerProcess } from '../../../test/spine.js'

vi.setConfig({ testTimeout: 120_000 })
const kills = 4
/** Of each way: so many are under way at any moment. */
const lanes = 8
const secret = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`

interface Way {
  readonly type: string
  readonly path: string
  headers(n: number, body: string): Record<string, string>
}

const ways: readonly Way[] = [
  {
    type: 'ways.published',
    path: '/v1/events',
    headers: (n) => ({
      ...{ 'ce-specversion': '1.0', 'ce-id': `published-${n}`, 'ce-source': '/tests' },
      'ce-type': 'ways.published',
    }),
  },
  {
    type: 'ways.hooked',
    path: '/sources/bank',
    headers: (n, body) => ({
      ...signStandardWebhook([secret], { id: `hooked-${n}`, atMs: Date.now(), body }),
    }),
  },
  { type: 'ways.routed', path: '/counts', headers: (n) => ({ 'idempotency-key': `routed-${n}` }) },
]

/** Sends one after another, each until it is answered, and tells what was. */
class Senders {
  readonly acknowledged = new Map<string, number[]>(ways.map(({ type }) => [type, []]))
  url = ''
  again = 0
  #next = 0
  #stopped = false
  readonly #running: Promise<unknown>

  constructor() {
    const all = ways.flatMap((way) => Array.from({ length: lanes }, () => this.#lane(way)))
    this.#running = Promise.all(all)
  }

  get count(): number {
    return [...this.acknowledged.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** Each has its last answer. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #lane(way: Way): Promise<void> {
    while (!this.#stopped) {
      const n = this.#next++
      while (!(await this.#sent(way, n))) this.again++
      this.acknowledged.get(way.type)?.push(n)
    }
  }

  async #sent({ path, headers }: Way, n: number): Promise<boolean> {
    const body = JSON.stringify({ n })
    const given = { 'content-type': 'application/json', ...headers(n, body) }
    try {
      const response = await fetch(`${this.url}${path}`, { method: 'POST', headers: given, body })
      const text = await response.text()
      // Nobody could take it at that moment, as somebody who starts or stops says.
      if (response.status === 503 || response.status === 429) return false
      if (response.status !== 202 && response.status !== 200 && response.status !== 204)
        throw new Error(`${path} answered ${response.status}: ${text}`, { cause: 'answer' })
      return true
    } catch (error) {
      if ((error as Error).cause === 'answer') throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
      return false
    }
  }
}

async function served(schema: string): Promise<{ readonly server: WorkerProcess; readonly url: string }> {
  const server = new WorkerProcess(new URL('./killed-server.ts', import.meta.url), {
    ...{ DATABASE_URL: databaseUrl, KILL_SCHEMA: schema, SECRET: secret },
  })
  await server.says('serves ')
  const [, url = ''] = /serves (\S+)/.exec(server.output) ?? []
  return { server, url }
}

test('each that was answered is in the log once, however often the server is killed', async () => {
  const schema = freshSchema()
  let { server, url } = await served(schema)
  const senders = new Senders()
  for (let kill = 0; kill < kills; kill++) {
    senders.url = url
    const before = senders.count
    await until(() => senders.count > before + 200, 60_000)
    await server.kill()
    ;({ server, url } = await served(schema))
  }
  senders.url = url
  const before = senders.count
  await until(() => senders.count > before + 200, 60_000)
  await senders.stop()
  // Requests were cut off, and sent again.
  expect(senders.again).toBeGreaterThan(kills)
  for (const { type } of ways) {
    const rows = await sql<{ n: number }>(
      `SELECT (data ->> 'n')::int AS n FROM ${schema}.event WHERE type = '${type}'`,
    )
    const own = senders.acknowledged.get(type) ?? []
    expect(own.length).toBeGreaterThan(0)
    expect(rows.map(({ n }) => n).sort((a, b) => a - b)).toEqual(own.sort((a, b) => a - b))
  }
  await ticksAreWhole(schema)
  expect(await server.stop()).toBe(0)
})

async function ticksAreWhole(schema: string): Promise<void> {
  const ticks = await sql<{ at: string }>(
    `SELECT data ->> 'at' AS at FROM ${schema}.event WHERE type = 'ways.ticked' ORDER BY 1`,
  )
  const seconds = ticks.map(({ at }) => Date.parse(at) / 1_000)
  const first = seconds[0] as number
  expect(seconds.length).toBeGreaterThan(kills)
  expect(seconds).toEqual(seconds.map((_, index) => first + index))
}
