// An emulated S3 behind a door that the test holds: calls may wait there, be refused, or be answered by the test. The emulator keeps no
// versions, and sorts keys by a language: take keys of small letters and digits, which have the same order everywhere.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterTest } from '../../../test/spine.js'

const settings = {
  ...{ region: 'us-east-1', forcePathStyle: true },
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
}

type Operation = 'list' | 'head' | 'get' | 'other'

export interface Call {
  readonly operation: Operation
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

/** What becomes of a call at the door: it is made; or it is not made, or the test answered it. */
type Verdict = 'made' | 'not made'

export class TestS3 {
  readonly #emulator: FauxqsServer
  readonly #server: Server
  /** Speaks to the emulator beside the door. */
  readonly #aside: S3Client
  /** Through the door. */
  readonly client: S3Client
  /** Calls that were made through the door, in order. */
  readonly calls: Call[] = []
  /** So many keys are a page, whatever is asked for. */
  pageMax = 1_000
  door: (call: Call, response: ServerResponse) => Verdict | Promise<Verdict> = () => 'made'

  private constructor(emulator: FauxqsServer, server: Server) {
    this.#emulator = emulator
    this.#server = server
    server.on('request', (incoming, response) => void this.#pass(incoming, response))
    this.#aside = new S3Client({ ...settings, endpoint: emulator.address })
    this.client = new S3Client({ ...this.settings, maxAttempts: 1 })
  }

  static async open(): Promise<TestS3> {
    const emulator = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' })
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const s3 = new TestS3(emulator, server)
    afterTest(async () => {
      s3.#aside.destroy()
      s3.client.destroy()
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
      await emulator.stop()
    })
    return s3
  }

  /** What a source is given to come through the door. */
  get settings() {
    return { ...settings, endpoint: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }
  }

  bucket(name = 'uploads'): TestBucket {
    this.#emulator.createBucket(name)
    return new TestBucket(this, name, this.#aside)
  }

  made(operation: Operation): readonly Call[] {
    return this.calls.filter((call) => call.operation === operation)
  }

  /** Calls of this operation come to an end at the door from now on. Resolves when one has come. */
  hold(operation: Operation, behind = 0): Promise<void> {
    let passed = 0
    return new Promise((come) => {
      this.door = (call) => {
        if (call.operation !== operation || passed++ < behind) return 'made'
        come()
        return 'not made'
      }
    })
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const call = callOf(incoming)
    if ((await this.door(call, response)) === 'not made') return
    this.calls.push(call)
    const { port } = new URL(this.#emulator.address)
    const path = incoming.url?.replace(/max-keys=\d+/, `max-keys=${this.pageMax}`)
    const options = { method: incoming.method, path, headers: incoming.headers }
    const passed = request({ host: '127.0.0.1', port, ...options }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    // Whoever was killed meanwhile takes no more of it: nobody would ever read the rest.
    response.on('close', () => passed.destroy())
    passed.end(Buffer.concat(chunks))
  }
}

function callOf({ method, url = '', headers }: IncomingMessage): Call {
  const { pathname, searchParams } = new URL(url, 'http://s3')
  const key = decodeURIComponent(pathname.split('/').slice(2).join('/'))
  const operation = method === 'HEAD' ? 'head' : method !== 'GET' ? 'other' : key === '' ? 'list' : 'get'
  return { operation, key, query: searchParams, headers }
}

export class TestBucket {
  readonly s3: TestS3
  readonly name: string
  readonly #client: S3Client

  constructor(s3: TestS3, name: string, client: S3Client) {
    this.s3 = s3
    this.name = name
    this.#client = client
  }

  /** Answers its etag. */
  async put(key: string, body: string | Buffer, contentType = 'text/plain'): Promise<string> {
    const { ETag = '' } = await this.#client.send(
      new PutObjectCommand({
        ...{ Bucket: this.name, Key: key, ContentType: contentType },
        ...{ Body: body, ContentLength: Buffer.byteLength(body) },
      }),
    )
    return ETag.replaceAll('"', '')
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.name, Key: key }))
  }
}

/** Answers a call as S3 refuses one. */
export function refuse(response: ServerResponse, status: number, code: string): Verdict {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<Error><Code>${code}</Code><Message>said by the test</Message></Error>`)
  return 'not made'
}
