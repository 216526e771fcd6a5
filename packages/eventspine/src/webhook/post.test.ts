// One post against real servers: it goes where it was judged to go, and nothing that comes back is followed or endless.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTls } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../kernel/index.js'
import { certificate, certificateKey } from './certificate.fixture.js'
import { type Answer, type Posting, poster } from './post.js'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server.closeAllConnections as () => void)()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** The port of a server at 127.0.0.1. */
async function listening(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const serving = (answer: RequestListener) => listening(createServer(answer))

const open = { allowHttp: true, allowPrivate: true, ports: 'any' } as const
const body = Buffer.from('{"n":1}')

/** `customer.example`, which no name server knows, stands for 127.0.0.1. */
async function posted(
  url: string,
  parts: Partial<Posting> = {},
  clock: Clock = systemClock,
): Promise<Answer> {
  const post = poster(clock, async () => ['127.0.0.1'])
  const { signal } = new AbortController()
  return await post({
    ...{ url: new URL(url), network: open, headers: {}, body, answerMsMax: 60_000, signal },
    ...parts,
  })
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** Time stands still until a test lets the timer of so many milliseconds run out. */
class StoppedClock implements Clock {
  readonly now = systemClock.now
  readonly monotonic = systemClock.monotonic
  readonly sleep = systemClock.sleep
  readonly #timers = new Map<number, () => void>()

  after(ms: number, action: () => void): () => void {
    this.#timers.set(ms, action)
    return () => this.#timers.delete(ms)
  }

  runOut(ms: number): void {
    const action = this.#timers.get(ms)
    if (action === undefined) throw new Error(`No timer of ${ms} ms runs`)
    action()
  }
}

describe('where it goes', () => {
  it('is the address that was judged, under the name of the URL', async () => {
    const seen: unknown[] = []
    const port = await serving(async (request, response) => {
      seen.push([request.method, request.url, request.headers.host, request.headers.connection])
      response.end(await textOf(request))
    })
    expect(await posted(`http://customer.example:${port}/hook?a=b`)).toMatchObject({
      status: 200,
      body: '{"n":1}',
    })
    expect(seen).toEqual([['POST', '/hook?a=b', `customer.example:${port}`, 'close']])
  })

  it('is no other place that it is sent on to', async () => {
    let followed = 0
    const other = await serving((_, response) => void (followed++, response.end()))
    for (const status of [301, 302, 303, 307, 308]) {
      const port = await serving((_, response) =>
        response.writeHead(status, { location: `http://127.0.0.1:${other}/` }).end(),
      )
      const answer = await posted(`http://customer.example:${port}/`)
      expect(answer).toMatchObject({ status, location: `http://127.0.0.1:${other}/` })
    }
    expect(followed).toBe(0)
  })
})

describe('TLS', () => {
  const secure = () =>
    listening(createTls({ cert: certificate, key: certificateKey }, (_, response) => response.end('secure')))

  it('takes a certificate of an authority that is trusted, for the name of the URL', async () => {
    const port = await secure()
    expect(
      (await posted(`https://customer.example:${port}/`, { network: { ...open, ca: certificate } })).body,
    ).toBe('secure')
    await expect(
      posted(`https://other.example:${port}/`, { network: { ...open, ca: certificate } }),
    ).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  it('takes no other, whatever the environment says', async () => {
    const port = await secure()
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      await expect(posted(`https://customer.example:${port}/`)).rejects.toMatchObject({
        code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      })
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
  })
})

describe('what comes back', () => {
  it('is read up to 64 KiB', async () => {
    const port = await serving((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    const answer = await posted(`http://customer.example:${port}/`)
    expect(answer).toMatchObject({ status: 200, body: 'x'.repeat(64 * 1024) })
  })

  it('is read for ten seconds; the status counts', async () => {
    const clock = new StoppedClock()
    let [arrived, closed] = [false, false]
    const port = await serving((request, response) => {
      arrived = true
      request.socket.once('close', () => {
        closed = true
      })
      response.writeHead(202).write('first')
    })
    const answer = posted(`http://customer.example:${port}/`, {}, clock)
    await expect.poll(() => arrived).toBe(true)
    await expect.poll(() => run(clock, 10_000)).toBe(true)
    expect(await answer).toMatchObject({ status: 202, body: expect.stringMatching(/^(first)?$/) })
    await expect.poll(() => closed).toBe(true)
  })

  it('must begin in time', async () => {
    const clock = new StoppedClock()
    let arrived = false
    const port = await serving(() => void (arrived = true))
    const answer = posted(`http://customer.example:${port}/`, { answerMsMax: 15_000 }, clock)
    answer.catch(() => {})
    await expect.poll(() => arrived).toBe(true)
    clock.runOut(15_000)
    await expect(answer).rejects.toThrow('no answer came within 15000 ms')
  })

  it('has headers of at most 16 KiB', async () => {
    const port = await serving((_, response) => response.writeHead(200, { long: 'x'.repeat(17_000) }).end())
    await expect(posted(`http://customer.example:${port}/`)).rejects.toMatchObject({
      code: 'HPE_HEADER_OVERFLOW',
    })
  })

  it('counts by its status where the connection breaks behind it', async () => {
    const port = await serving((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      response.flushHeaders()
      setImmediate(() => response.socket?.resetAndDestroy())
    })
    expect(await posted(`http://customer.example:${port}/`)).toMatchObject({ status: 200 })
  })

  it('may be nothing, or another protocol: that is a failure', async () => {
    const silent = await serving((request) => request.socket.destroy())
    await expect(posted(`http://customer.example:${silent}/`)).rejects.toThrow(/socket hang up|closed/)
    const switching = await serving((request) => {
      request.socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      )
    })
    await expect(posted(`http://customer.example:${switching}/`)).rejects.toThrow(/socket hang up|closed/)
    await expect(posted(`http://customer.example:${await freePort()}/`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })

  it('is waited for until whoever asked gives up', async () => {
    const stop = new AbortController()
    const port = await serving(() => stop.abort())
    await expect(posted(`http://customer.example:${port}/`, { signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})

const run = (clock: StoppedClock, ms: number) => {
  try {
    clock.runOut(ms)
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
