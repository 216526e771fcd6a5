// What is read of a connection on which requests come in a row, and none is answered.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Pipelines } from './pipelines.js'
import { isTimeout } from './wire.js'

const bodyBytes = 4_000
const request = requestOf(bodyBytes)

function requestOf(bytes: number): string {
  return `POST / HTTP/1.1\r\nHost: here\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`
}

class World {
  /** Of requests that run, and are not answered. */
  readonly responses: ServerResponse[] = []
  readonly refused: string[] = []
  received = 0
  bodies = 0
  answers = 0
  socket!: Socket

  async start(requestMsMax: number): Promise<this> {
    const server = createServer(
      { requestTimeout: requestMsMax, headersTimeout: requestMsMax, connectionsCheckingInterval: 20 },
      (incoming, response) => {
        this.responses.push(response)
        incoming.on('end', () => this.bodies++).resume()
      },
    )
    const pipelines = new Pipelines({ requestMsMax })
    pipelines.limit(server)
    server.on('request', () => this.received++)
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const refuse = () => {
        this.refused.push(error.code ?? '')
        socket.destroy()
      }
      if (!isTimeout(error) || !pipelines.excuses(socket, refuse)) refuse()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    this.socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => {
      this.socket.destroy()
      server.close()
      server.closeAllConnections()
    })
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.answers += text.split('HTTP/1.1 200').length - 1
    })
    return this
  }

  async answerUntil(done: () => boolean): Promise<void> {
    for (; !done() && this.refused.length === 0; await delay(1))
      for (const response of this.responses.splice(0)) response.end()
  }
}

test('reads no further while too many requests are open, though their bodies are read', async () => {
  const asked = 20_000
  const world = await new World().start(30_000)
  for (let n = 0; n < asked; n++) world.socket.write(request)
  for (let [before, same] = [-1, 0]; same < 20; await delay(20)) {
    same = world.received === before && before > 0 ? same + 1 : 0
    before = world.received
  }
  // Sixteen run. What one read brings is parsed to its end: 64 KiB hold sixteen of these.
  expect([world.responses.length, world.bodies]).toEqual([16, 16])
  expect(world.received).toBeLessThan(16 + 32 + 16)

  // And none of them is forgotten.
  await world.answerUntil(() => world.answers === asked)
  expect([world.received, world.refused]).toEqual([asked, []])
}, 60_000)

test('what could not arrive because nothing was read is not late, and has its time when reading goes on', async () => {
  const requestMsMax = 300
  const world = await new World().start(requestMsMax)
  // The last one is larger than what one read brings.
  world.socket.write(requestOf(10).repeat(39) + requestOf(1_000_000))
  await delay(requestMsMax * 3)
  expect([world.received, world.answers, world.refused]).toEqual([40, 0, []])
  await world.answerUntil(() => world.answers === 40)

  world.socket.write(requestOf(10).repeat(39) + request.slice(0, -1))
  await delay(requestMsMax * 3)
  expect(world.refused).toEqual([])
  await world.answerUntil(() => false)
  expect(world.refused).toEqual(['ERR_HTTP_REQUEST_TIMEOUT'])
}, 20_000)
