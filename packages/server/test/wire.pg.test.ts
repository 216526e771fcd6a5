// What only a raw socket can send. Each case gets a 4xx, or the connection is cut, and the server goes on.
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fixture, order } from './fixture.js'

const fixture = new Fixture({
  limits: { headersMsMax: 400, requestMsMax: 900, discardedBytesMax: 2 * 1024 * 1024 },
})
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

/** Sends `parts` and answers all that came back until the server closed, or `quiet` was seen. */
function talk(parts: readonly (string | Buffer)[], quiet?: RegExp): Promise<string> {
  const { port = 0, host } = fixture.server.address ?? { host: '127.0.0.1' }
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, host, () => {
      for (const part of parts) socket.write(part)
    })
    const end = () => {
      socket.destroy()
      resolve(received)
    }
    socket.setTimeout(8_000, () => reject(new Error(`No end after: ${received}`)))
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (quiet?.test(received) === true) end()
    })
    // A reset is a way to be refused.
    socket.on('error', end)
    socket.on('close', end)
  })
}

const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
const host = 'Host: 127.0.0.1\r\n'
const body = JSON.stringify(order('smuggled'))
const post = (headers: string, content = body) =>
  `POST /v1/events HTTP/1.1\r\n${host}Content-Type: application/json\r\n${headers}\r\n${content}`

const refused: readonly (readonly [string, string | Buffer, number])[] = [
  [
    'Content-Length and Transfer-Encoding',
    post(`Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`),
    400,
  ],
  [
    'Transfer-Encoding and Content-Length',
    post(`Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`, '0\r\n\r\n'),
    400,
  ],
  ['two lengths', post(`Content-Length: ${body.length}\r\nContent-Length: 5\r\n`), 400],
  ['a negative length', post('Content-Length: -1\r\n'), 400],
  ['a length with a sign', post(`Content-Length: +${body.length}\r\n`), 400],
  ['a length in hexadecimal', post('Content-Length: 0x10\r\n'), 400],
  ['an endless length', post('Content-Length: 99999999999999999999999\r\n'), 400],
  ['an unknown transfer encoding', post('Transfer-Encoding: xchunked\r\nConnection: close\r\n', ''), 400],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\nConnection: close\r\n', '0\r\n\r\n'), 400],
  ['chunked with a space before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 400],
  ['a chunk size that is none', post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n'), 400],
  [
    'line feeds only',
    `POST /v1/events HTTP/1.1\n${host.trim()}\nContent-Type: application/json\nContent-Length: ${body.length}\n\n${body}`,
    400,
  ],
  ['a folded header', post(`X-Folded: a\r\n b\r\nContent-Length: ${body.length}\r\n`), 400],
  ['a header without a name', post(`: nothing\r\nContent-Length: ${body.length}\r\n`), 400],
  ['a header without a colon', post(`Nothing\r\nContent-Length: ${body.length}\r\n`), 400],
  ['NUL in a header', post(`X-Nul: a\0b\r\nContent-Length: ${body.length}\r\n`), 400],
  ['a carriage return in a header', post(`X-Return: a\rb\r\nContent-Length: ${body.length}\r\n`), 400],
  ['no Host', `GET /healthz HTTP/1.1\r\n\r\n`, 400],
  ['two Hosts', `GET /healthz HTTP/1.1\r\n${host}Host: evil.example\r\n\r\n`, 400],
  ['an empty Host', 'GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 421],
  ['another Host', 'GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 421],
  [
    'a Host that begins like ours',
    'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\nConnection: close\r\n\r\n',
    421,
  ],
  [
    'a Host with credentials',
    'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1@evil.example\r\nConnection: close\r\n\r\n',
    421,
  ],
  ['headers of 20 KiB', `GET /healthz HTTP/1.1\r\n${host}X-Large: ${'x'.repeat(20 * 1024)}\r\n\r\n`, 431],
  // Node keeps 2,000 by itself and drops the others, among them those that matter.
  [
    'a gzip body behind 3,000 headers',
    post(
      `${'a: b\r\n'.repeat(3_000)}Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 2\r\n`,
      '{}',
    ),
    415,
  ],
  ['a URL of 20 KiB', `GET /${'x'.repeat(20 * 1024)} HTTP/1.1\r\n${host}\r\n`, 431],
  ['HTTP/2 as text', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['HTTP/9.9', `GET /healthz HTTP/9.9\r\n${host}\r\n`, 400],
  ['no version, and so no Host', 'GET /healthz\r\n\r\n', 421],
  ['a method in lower case', `get /healthz HTTP/1.1\r\n${host}\r\n`, 400],
  ['an unknown method', `BREW /healthz HTTP/1.1\r\n${host}\r\n`, 400],
  ['a space in the path', `GET /v1/ev ents HTTP/1.1\r\n${host}\r\n`, 400],
  ['NUL in the path', `GET /v1/\0 HTTP/1.1\r\n${host}\r\n`, 400],
  [
    'a broken percent-encoding in the path',
    `GET /v1/events/%zz HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    400,
  ],
  ['a path that climbs', `GET /v1/../../etc/passwd HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, 404],
  [
    'a path that climbs, encoded',
    `GET /v1/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    404,
  ],
  ['TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400],
  ['rubbish', Buffer.from([0, 1, 2, 3, 255, 254, 10, 13, 10, 13]), 400],
  [
    'an unknown expectation',
    post(`Expect: miracles\r\nConnection: close\r\nContent-Length: ${body.length}\r\n`),
    417,
  ],
  ['a method that is not here', `PROPFIND /v1/events HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, 405],
  ['QUERY without a body', `QUERY /v1/events HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, 405],
  ['QUERY of nothing', `QUERY /nothing HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, 404],
  [
    'method override',
    `GET /v1/subscriptions/confirm/pause HTTP/1.1\r\n${host}X-HTTP-Method-Override: POST\r\nConnection: close\r\n\r\n`,
    405,
  ],
]

test.each(refused)('%s', async (_name, bytes, status) => {
  const answer = await talk([bytes])
  expect(statuses(answer)).toEqual([status])
  expect(answer).toContain('content-type: application/problem+json')
  expect(answer.toLowerCase()).toContain('connection: close')
  expect(answer).toContain(`"status":${status}`)
})

const cut: readonly (readonly [string, string])[] = [
  ['CONNECT', `CONNECT 169.254.169.254:80 HTTP/1.1\r\n${host}\r\n`],
  ['HTTP/0.9', 'GET /\r\n'],
]

test.each(cut)('%s is answered with no more than a refusal', async (_name, bytes) => {
  expect(statuses(await talk([bytes])).filter((status) => status < 400)).toEqual([])
})

test('a slow header is refused in time', async () => {
  expect(statuses(await talk(['GET /healthz HTTP/1.1\r\n', 'Host: 127.']))).toEqual([408])
})

test('a slow body is refused in time', async () => {
  const answer = await talk([post('Content-Length: 1000\r\n', '{"type":')])
  // The request is already at its route: it is cut off, not answered twice.
  expect(statuses(answer).filter((status) => status !== 408 && status !== 400)).toEqual([])
})

test('a body shorter than its length, then the end', async () => {
  const { port = 0 } = fixture.server.address ?? {}
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(post('Content-Length: 1000\r\n', '{"type":')))
    socket.on('close', () => resolve()).on('error', () => {})
    socket.resume()
  })
})

test('a refusal behind a good request is never its answer', async () => {
  const good = `GET /healthz HTTP/1.1\r\n${host}\r\n`
  const answer = await talk([`${good}GET / HTTP/1.1\nbroken`])
  const [first] = statuses(answer)
  expect(first === undefined || first === 200).toBe(true)
})

test('requests in a row on one connection are answered in their order', async () => {
  const one = `GET /healthz HTTP/1.1\r\n${host}X-Request-Id: first\r\n\r\n`
  const two = `GET /no-such HTTP/1.1\r\n${host}X-Request-Id: second\r\nConnection: close\r\n\r\n`
  const answer = await talk([one + two])
  expect(statuses(answer)).toEqual([200, 404])
  expect([...answer.matchAll(/x-request-id: (\w+)/g)].map(([, id]) => id)).toEqual(['first', 'second'])
})

test('hundreds in a row on one connection are no overload: they take their turn, a body behind them too', async () => {
  // The last ones are quick: the body behind them must arrive within this server's 0.9 s.
  const ask = (id: number) =>
    `GET ${id < 260 ? '/v1/subscriptions' : '/healthz'} HTTP/1.1\r\n${host}X-Request-Id: ask-${id}\r\n\r\n`
  const asked = Array.from({ length: 300 }, (_, id) => ask(id)).join('')
  const broken = `{"type":"${'x'.repeat(200_000)}"`
  const last = post(
    `X-Request-Id: ask-300\r\nConnection: close\r\nContent-Length: ${broken.length}\r\n`,
    broken,
  )
  const answer = await talk([asked + last])
  expect(statuses(answer)).toEqual([...Array(300).fill(200), 400])
  const ids = [...answer.matchAll(/x-request-id: ask-(\d+)/g)].map(([, id]) => Number(id))
  expect(ids).toEqual(Array.from({ length: 301 }, (_, id) => id))
})

test('connections that are cut with requests in a row leave none of them counted as open', async () => {
  const { port = 0 } = fixture.server.address ?? {}
  const asked = `GET /v1/subscriptions HTTP/1.1\r\n${host}\r\n`.repeat(200)
  const cut = (afterMs: number) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(asked)
        setTimeout(() => socket.destroy(), afterMs)
      })
      socket.on('error', () => {}).on('close', () => resolve())
    })
  for (let round = 0; round < 20; round++) await Promise.all([cut(0), cut(2), cut(5), cut(20)])
  // Nearly as many as one credential may have open.
  const one = `GET /v1/subscriptions HTTP/1.1\r\n${host}Connection: close\r\n\r\n`
  const many = async () => (await Promise.all(Array.from({ length: 90 }, () => talk([one])))).map(statuses)
  await expect.poll(many, { timeout: 10_000 }).toEqual(Array(90).fill([200]))
})

test('a refused body does not become the next request', async () => {
  const inner = `GET /healthz HTTP/1.1\r\n${host}\r\n`
  const outer = `POST /v1/events HTTP/1.1\r\n${host}Content-Type: text/plain\r\nConnection: close\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`
  expect(statuses(await talk([outer]))).toEqual([415])
})

test('a body without end is cut off', async () => {
  const { port = 0 } = fixture.server.address ?? {}
  const sentBytes = await new Promise<number>((resolve) => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const frame = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(post('Transfer-Encoding: chunked\r\n', ''))
      const pump = () => {
        while (!socket.destroyed && socket.write(frame));
      }
      socket.on('drain', pump)
      pump()
    })
    socket.resume()
    socket.on('error', () => {}).on('close', () => resolve(socket.bytesWritten))
  })
  expect(sentBytes).toBeLessThan(32 * 1024 * 1024)
})

test('after all of it the server answers, and nothing was stored', async () => {
  expect((await fixture.send('/healthz')).status).toBe(200)
  expect(await fixture.eventsStored()).toBe(0)
})
