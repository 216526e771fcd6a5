// A customer's server: it takes webhooks at 127.0.0.1, verifies them as the specification says, and answers what a test wants.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { standardWebhooks } from 'eventspine/source'
import { afterTest } from '../support.js'

export interface Received {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
  readonly text: string
}

type Answer = (received: Received, response: ServerResponse) => unknown

export interface Receiver {
  readonly url: string
  /** What was verified, in the order in which it came. */
  readonly received: readonly Received[]
  /** What was not signed as it should be. */
  readonly refused: readonly unknown[]
  answer: Answer
  /** What it verifies with. */
  secrets: readonly string[]
}

export const ok: Answer = (_, response) => response.writeHead(204).end()
export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end(body)

export async function receiver(secrets: readonly string[], answer: Answer = ok): Promise<Receiver> {
  const received: Received[] = []
  const refused: unknown[] = []
  const own = { url: '', received, refused, answer, secrets }
  const server = createServer(async (request, response) => {
    const text = await textOf(request)
    try {
      const headers = request.headers as Record<string, string | undefined>
      const verify = standardWebhooks({ secrets: own.secrets })
      const { id = '' } = verify({ headers, body: Buffer.from(text), atMs: Date.now() })
      const timestamp = String(headers['webhook-timestamp'])
      const one = { id, timestamp, headers: request.headers, body: JSON.parse(text), text }
      received.push(one)
      own.answer(one, response)
    } catch (error) {
      refused.push(error)
      response.writeHead(401).end()
    }
  })
  afterTest(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  own.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return own
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

export const secretOf = (n: number) => `whsec_${Buffer.alloc(32, n).toString('base64')}`
export const local = { allowHttp: true, allowPrivate: true, ports: 'any' } as const
