// An emulated SQS behind a door that the test holds: calls may wait there, be refused, or lose their answer.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterTest, until } from '../../../test/spine.js'

const settings = {
  // The one that the emulator looks in by itself.
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
}

/** What becomes of a call at the door: it is made; it is made and its answer lost; it is not made, or the test answered it. */
type Verdict = 'made' | 'unheard' | 'not made'

export class TestSqs {
  readonly #emulator: FauxqsServer
  readonly #server: Server
  /** Speaks to the emulator beside the door. */
  readonly client: SQSClient
  /** Calls that were made through the door, in order. */
  readonly calls: { readonly operation: string; readonly body: string }[] = []
  door: (operation: string, body: string, response: ServerResponse) => Verdict | Promise<Verdict> = () =>
    'made'

  private constructor(emulator: FauxqsServer) {
    this.#emulator = emulator
    this.#server = createServer((incoming, response) => void this.#pass(incoming, response))
    this.client = new SQSClient({ ...settings, endpoint: emulator.address })
  }

  static async open(): Promise<TestSqs> {
    const emulator = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' })
    const sqs = new TestSqs(emulator)
    await new Promise<void>((resolve) => sqs.#server.listen(0, '127.0.0.1', resolve))
    afterTest(async () => {
      sqs.client.destroy()
      sqs.#server.closeAllConnections()
      await new Promise((closed) => sqs.#server.close(closed))
      await emulator.stop()
    })
    return sqs
  }

  /** What a source or a target is given to come through the door. */
  get settings() {
    return { ...settings, endpoint: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }
  }

  queue(name = 'orders', attributes: Record<string, string> = {}): TestQueue {
    const { queueUrl } = this.#emulator.createQueue(name, { region: settings.region, attributes })
    return new TestQueue(this, this.#emulator, name, queueUrl)
  }

  made(operation: string): number {
    return this.calls.filter((call) => call.operation === operation).length
  }

  /** Calls of this operation come to an end at the door from now on. Resolves when one has come. */
  hold(operation: string, verdict: Verdict): Promise<void> {
    return new Promise((come) => {
      this.door = (asked) => {
        if (asked !== operation) return 'made'
        come()
        return verdict
      }
    })
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const operation = String(incoming.headers['x-amz-target']).replace('AmazonSQS.', '')
    const verdict = await this.door(operation, body.toString(), response)
    if (verdict === 'not made') return
    this.calls.push({ operation, body: body.toString() })
    const { port } = new URL(this.#emulator.address)
    const options = { method: incoming.method, path: incoming.url, headers: incoming.headers }
    const passed = request({ host: '127.0.0.1', port, ...options }, (answer) => {
      if (verdict === 'unheard') return void answer.resume()
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    passed.end(body)
  }
}

export class TestQueue {
  readonly sqs: TestSqs
  readonly url: string
  readonly #emulator: FauxqsServer
  readonly #name: string

  constructor(sqs: TestSqs, emulator: FauxqsServer, name: string, url: string) {
    this.sqs = sqs
    this.#emulator = emulator
    this.#name = name
    this.url = url
  }

  async send(entries: readonly Omit<SendMessageBatchRequestEntry, 'Id'>[]): Promise<void> {
    for (let from = 0; from < entries.length; from += 10) {
      const Entries = entries.slice(from, from + 10).map((entry, index) => ({ Id: String(index), ...entry }))
      const command = new SendMessageBatchCommand({ QueueUrl: this.url, Entries })
      const { Failed } = await this.sqs.client.send(command)
      if (Failed?.length) throw new Error(JSON.stringify(Failed))
    }
  }

  /** Messages that are not deleted: waiting, and in somebody's hands. */
  get left() {
    const found = this.#emulator.inspectQueue(this.#name)
    if (found === undefined) throw new Error(`There is no queue ${this.#name}`)
    const { ready, delayed, inflight } = found.messages
    return { waiting: ready.length + delayed.length, inHand: inflight.length }
  }

  empty(): Promise<unknown> {
    return until(() => this.left.waiting + this.left.inHand === 0, 60_000)
  }

  /** So many of them, as a consumer gets and deletes them. */
  async take(count: number): Promise<readonly Message[]> {
    const messages: Message[] = []
    await until(async () => {
      const answer = await this.sqs.client.send(
        new ReceiveMessageCommand({
          ...{ QueueUrl: this.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 },
          ...{ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
        }),
      )
      for (const { ReceiptHandle } of answer.Messages ?? [])
        await this.sqs.client.send(new DeleteMessageCommand({ QueueUrl: this.url, ReceiptHandle }))
      messages.push(...(answer.Messages ?? []))
      return messages.length >= count
    }, 60_000)
    return messages
  }
}

/** Answers a call as SQS refuses one. */
export function refuse(response: ServerResponse, status: number, code: string): Verdict {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
  response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: 'said by the test' }))
  return 'not made'
}
