// The database goes away and comes back: publishes are refused with Retry-After meanwhile, and nothing has to be
// started again.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { Fixture, order } from './fixture.js'

/** Passes connections on to the database until it is told not to. */
class Cable {
  readonly #sockets = new Set<Socket>()
  readonly #target: URL
  readonly #server: Server
  #cut = false

  constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((near) => this.#join(near))
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return url.href
  }

  #join(near: Socket): void {
    if (this.#cut) {
      near.destroy()
      return
    }
    const far = connect(Number(this.#target.port || 5432), this.#target.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
      socket.pipe(other)
    }
  }

  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#cut = false
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const cable = new Cable(inject('postgresUrl'))
let fixture: Fixture

beforeAll(async () => {
  fixture = await new Fixture(
    { limits: { tailPollMs: 20, tailHeartbeatMs: 100 } },
    { databaseUrl: await cable.start() },
  ).start()
})
afterAll(async () => {
  cable.mend()
  await fixture.stop()
  await cable.stop()
})

test('publishing, readiness and streams through an outage', async () => {
  const controller = new AbortController()
  const stream = await fetch(`${fixture.url}/v1/events/tail?type=orders.order-placed`, {
    signal: controller.signal,
  })
  let text = ''
  const reading = (async () => {
    for await (const chunk of stream.body ?? []) text += Buffer.from(chunk as Uint8Array).toString()
  })().catch(() => undefined)
  expect((await fixture.send('/v1/events', { json: { ...order('one'), id: 'before-outage' } })).status).toBe(
    202,
  )

  cable.cut()
  const json = { ...order('two'), id: 'through-outage' }
  const refused = await fixture.until(
    () => fixture.send('/v1/events', { json }),
    ({ status }) => status !== 202,
  )
  expect([refused.status, refused.headers['content-type']]).toEqual([503, 'application/problem+json'])
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  const ready = await fixture.send('/readyz')
  expect([ready.status, ready.json.code]).toEqual([503, 'UNAVAILABLE'])
  expect(ready.text).not.toMatch(/postgres:|127\.0\.0\.1:\d/)
  expect((await fixture.send('/healthz')).status).toBe(200)
  const read = await fixture.send('/v1/events')
  expect([read.status, read.headers['retry-after'] !== undefined]).toEqual([503, true])
  for (const path of ['/v1/subscriptions', '/v1/dead-letters', '/v1/doctor', '/v1/workers']) {
    expect([path, (await fixture.send(path)).status]).toEqual([path, 503])
  }

  cable.mend()
  await fixture.until(
    () => fixture.send('/v1/events', { json }),
    ({ status }) => status === 202,
  )
  await fixture.until(
    () => fixture.send('/readyz'),
    ({ status }) => status === 200,
  )
  await fixture.until(
    async () => text,
    (seen) => seen.includes('through-outage'),
  )
  expect(text).toContain('before-outage')
  expect(await fixture.query(`SELECT 1 FROM eventspine.event WHERE id = 'through-outage'`)).toHaveLength(1)
  controller.abort()
  await reading
})
