// Sends what several handlers hand in with as few calls as SQS allows. No call is made to wait for more: while all places are
// taken, the next batch grows.
import { SendMessageBatchCommand, type SendMessageBatchCommandOutput } from '@aws-sdk/client-sqs'
import { type OpenedClient, openClient, type SqsClient } from './client.js'
import { errorOf, failureOf, isWrongMessage } from './failure.js'
import { callBytesMax, type Outgoing } from './outgoing.js'

/** Of one call: a limit of SQS. */
const callEntriesMax = 10
const callsMax = 4
const callMsMax = 20_000
/** Of its URL: what people call it. */
const nameOf = (queueUrl: string) => queueUrl.slice(queueUrl.lastIndexOf('/') + 1)

interface Waiting {
  readonly entry: Outgoing
  readonly signal: AbortSignal
  resolve(): void
  reject(error: unknown): void
}

export class Sender {
  readonly #queueUrl: string
  readonly #settings: SqsClient | undefined
  #opened: OpenedClient | undefined
  /** As many as the subscription runs handlers at once. */
  readonly #waiting: Waiting[] = []
  #calls = 0
  #soon = false

  constructor(queueUrl: string, settings: SqsClient | undefined) {
    this.#queueUrl = queueUrl
    this.#settings = settings
  }

  /** Resolves when SQS has it. Rejects with an error that says by its category what is to become of the delivery. */
  send(entry: Outgoing, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, signal, resolve, reject })
      if (this.#soon) return
      this.#soon = true
      // Handlers that start in the same turn share a call.
      setImmediate(() => {
        this.#soon = false
        this.#start()
      })
    })
  }

  #start(): void {
    while (this.#calls < callsMax) {
      const batch = this.#next()
      if (batch.length === 0) return
      this.#calls++
      void this.#settle(batch).finally(() => {
        this.#calls--
        this.#start()
      })
    }
  }

  #next(): readonly Waiting[] {
    const batch: Waiting[] = []
    for (let bytes = 0; batch.length < callEntriesMax; ) {
      const [first] = this.#waiting
      if (first === undefined) break
      // Nobody waits for it any more, and it is tried again.
      if (first.signal.aborted) {
        this.#waiting.shift()?.reject(first.signal.reason)
        continue
      }
      bytes += first.entry.bytes
      if (bytes > callBytesMax) break
      batch.push(first)
      this.#waiting.shift()
    }
    return batch
  }

  /** Never rejects. */
  async #settle(batch: readonly Waiting[]): Promise<void> {
    try {
      answer(batch, await this.#call(batch), nameOf(this.#queueUrl))
    } catch (error) {
      const failure = failureOf(error)
      // One of them spoils the call: each alone shows which.
      if (batch.length > 1 && isWrongMessage(failure)) for (const one of batch) await this.#settle([one])
      else for (const { reject } of batch) reject(errorOf(failure, nameOf(this.#queueUrl)))
    }
  }

  #call(batch: readonly Waiting[]): Promise<SendMessageBatchCommandOutput> {
    // It stays open: a client of its own holds no process back.
    this.#opened ??= openClient(this.#settings)
    const Entries = batch.map(({ entry: { bytes: _bytes, ...entry } }, index) => ({
      Id: String(index),
      ...entry,
    }))
    const command = new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries })
    return this.#opened.client.send(command, { abortSignal: AbortSignal.timeout(callMsMax) })
  }
}

function answer(
  batch: readonly Waiting[],
  { Successful = [], Failed = [] }: SendMessageBatchCommandOutput,
  queue: string,
) {
  const sent = new Set(Successful.map(({ Id }) => Id))
  const failed = new Map(Failed.map((entry) => [entry.Id, entry]))
  for (const [index, { resolve, reject }] of batch.entries()) {
    const id = String(index)
    if (sent.has(id)) {
      resolve()
      continue
    }
    const {
      Code = 'Unknown',
      Message = 'SQS said nothing of this message',
      SenderFault,
    } = failed.get(id) ?? {}
    const status = SenderFault ? 400 : undefined
    const failure = { code: Code, message: Message, status, retryAfter: undefined, cause: undefined }
    reject(errorOf(failure, queue))
  }
}
