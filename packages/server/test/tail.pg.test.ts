// The stream: what comes, from where it was left, without a hole, and nothing of it kept for those who do not read.
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApiKey } from '../src/index.js'
import { Fixture } from './fixture.js'

const acme = createApiKey({ scopes: ['read'], tenant: 'acme' })
const fixture = new Fixture({
  apiKeys: [acme.record],
  limits: { tailPollMs: 20, tailHeartbeatMs: 100, tailStallMsMax: 2_000, drainMsMax: 120_000 },
})
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

interface Message {
  readonly id: string
  readonly data: Record<string, unknown>
}

/** Reads messages of a stream as a browser does. */
class Source {
  readonly messages: Message[] = []
  text = ''
  readonly #controller = new AbortController()
  #ended: Promise<void> = Promise.resolve()

  async open(query: string, headers: Record<string, string> = {}): Promise<this> {
    const response = await fetch(`${fixture.url}/v1/events/tail?${query}`, {
      headers,
      signal: this.#controller.signal,
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
    this.#ended = this.#read(response).catch(() => undefined)
    await this.until(() => this.text.includes(': connected\n\n'))
    return this
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      this.text += decoder.decode(chunk as Uint8Array, { stream: true })
      const blocks = this.text.split('\n\n').slice(0, -1)
      const parsed = blocks
        .map((block) => /^id: (.+)\ndata: (.+)$/.exec(block))
        .filter((match) => match !== null)
      this.messages.splice(0, this.messages.length)
      for (const [, id = '', data = ''] of parsed)
        this.messages.push({ id, data: JSON.parse(data) as Message['data'] })
    }
  }

  get ids(): unknown[] {
    return this.messages.map(({ data }) => data.id)
  }

  until(satisfied: () => boolean): Promise<boolean> {
    return fixture.until(async () => satisfied(), Boolean)
  }

  /** Resolves when the server has ended the stream. */
  ended(): Promise<void> {
    return this.#ended
  }

  async close(): Promise<void> {
    this.#controller.abort()
    await this.#ended
  }
}

const publish = async (ids: readonly string[], more: object = {}) => {
  const json = ids.map((id) => ({ type: 'tests.anything', id, data: `line\n${id}`, ...more }))
  expect((await fixture.send('/v1/events', { json })).status).toBe(202)
}

const names = (prefix: string, count: number) =>
  [...Array(count).keys()].map((number) => `${prefix}-${number}`)

test('shows what comes from now on, in order, and heartbeats in between', async () => {
  await publish(['before'])
  // Once it is delivered it is behind the end of the log for everyone.
  const delivered = () =>
    fixture.query(`SELECT 1 FROM eventspine.consumer WHERE subscription = 'remember' AND matched = 1`)
  await fixture.until(delivered, (rows) => rows.length === 1)
  const source = await new Source().open('type=tests.*')
  await publish(names('now', 50))
  await source.until(() => source.ids.length >= 50)
  expect(source.ids).toEqual(names('now', 50))
  expect(source.messages[0]?.data).toMatchObject({ type: 'tests.anything', data: 'line\nnow-0' })
  await source.until(() => source.text.includes(': heartbeat\n\n'))
  await source.close()
})

test('goes on behind any message without a hole or a repeat', async () => {
  const all = names('resume', 45)
  await publish(all)
  const whole = await new Source().open('from=beginning&type=tests.anything')
  await whole.until(() => whole.ids.includes('resume-44'))
  await whole.close()
  const expected = whole.ids
  for (const at of [0, 1, 20, 31, 32, 60, expected.length - 2]) {
    const rest = await new Source().open('type=tests.anything', {
      'last-event-id': whole.messages[at]?.id ?? '',
    })
    await rest.until(() => rest.ids.at(-1) === expected.at(-1))
    expect(rest.ids).toEqual(expected.slice(at + 1))
    await rest.close()
  }
})

test('the place also goes into the query, and follows what comes later', async () => {
  const source = await new Source().open('from=beginning&type=tests.anything')
  await source.until(() => source.ids.length > 0)
  const place = source.messages.at(-1)?.id ?? ''
  await source.close()
  const again = await new Source().open(`type=tests.anything&lastEventId=${encodeURIComponent(place)}`)
  await publish(['later'])
  await again.until(() => again.ids.includes('later'))
  await again.close()
})

test('a key of one tenant follows that tenant', async () => {
  const source = await new Source().open('', { authorization: `Bearer ${acme.key}` })
  const other = await new Source().open('tenant=globex', { authorization: `Bearer ${acme.key}` })
  await publish(['theirs'], { tenant: 'globex' })
  await publish(['ours'], { tenant: 'acme' })
  await source.until(() => source.ids.includes('ours'))
  await other.until(() => other.text.includes('heartbeat'))
  expect([source.ids, other.ids]).toEqual([['ours'], []])
  await Promise.all([source.close(), other.close()])
})

test('one who takes nothing is let go, and is sent no more than the network holds', async () => {
  // 20 MB: more than all buffers of a loopback connection.
  const data = Array(100).fill('z'.repeat(1_000))
  for (let round = 0; round < 20; round++) {
    const json = names(`bulk${round}`, 10).map((id) => ({ type: 'tests.anything', id, key: 'bulk', data }))
    expect((await fixture.send('/v1/events', { json })).status).toBe(202)
  }
  const { port = 0 } = fixture.server.address ?? {}
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(
      'GET /v1/events/tail?from=beginning&key=bulk HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: stalled\r\n\r\n',
    )
  })
  socket.on('error', () => {}).once('data', () => socket.pause())
  const line = () => fixture.logs.find(({ requestId }) => requestId === 'stalled')
  expect(
    await fixture.until(
      async () => line(),
      (seen) => seen !== undefined,
    ),
  ).toMatchObject({ aborted: true })
  socket.destroy()
})

test('HEAD answers at once', async () => {
  const reply = await fixture.send('/v1/events/tail', { method: 'HEAD' })
  expect([reply.status, reply.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
})

test('streams end when the server stops', async () => {
  const source = await new Source().open('')
  await fixture.server.stop()
  await source.ended()
  expect(source.text).toContain(': connected')
})
