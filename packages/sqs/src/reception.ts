// One run of a source: receivers that poll, store and delete, and a keeper that hides what they have in hand from others. Where
// one of them fails, all put away what they hold, and the run ends.
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs'
import { EventspineError } from 'eventspine'
import { abortedAfter, type SourceRun } from 'eventspine/source'
import { answerMsMax } from './client.js'
import { failureOf, isThrottled } from './failure.js'
import { inGroups, receivedOf } from './message.js'

export interface ReceivedQueue {
  readonly queueUrl: string
  readonly visibilitySeconds: number
  readonly receivers: number
  readonly waitSeconds: number
}

/** Of one call, for all kinds: a limit of SQS. */
const batchMessagesMax = 10
const deletionsMax = 3
const pauseMsMin = 250
const pauseMsMax = 15_000

/** What became of the messages of a poll. */
interface Division {
  readonly stored: SqsMessage[]
  /** For another worker: this one stops. */
  readonly back: SqsMessage[]
}

export class Reception {
  readonly #client: SQSClient
  readonly #queue: ReceivedQueue
  readonly #run: SourceRun
  readonly #failed = new AbortController()
  readonly #signal: AbortSignal
  /** Receipts of messages that are neither deleted nor given up. */
  readonly #held = new Set<string>()

  constructor(client: SQSClient, queue: ReceivedQueue, run: SourceRun) {
    this.#client = client
    this.#queue = queue
    this.#run = run
    this.#signal = AbortSignal.any([run.signal, this.#failed.signal])
  }

  /** Until its signal aborts. Throws what makes it useless to go on. */
  async run(): Promise<void> {
    const receivers = Array.from({ length: this.#queue.receivers }, () => this.#receive())
    const parts = [this.#keep(), ...receivers].map((part) =>
      part.catch((error: unknown) => {
        this.#failed.abort()
        throw error
      }),
    )
    for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason
  }

  async #receive(): Promise<void> {
    let deleting = Promise.resolve()
    try {
      while (!this.#signal.aborted) {
        const messages = await this.#poll()
        for (const { ReceiptHandle = '' } of messages) this.#held.add(ReceiptHandle)
        const { stored, back } = await this.#store(messages)
        // The next messages are fetched while these are deleted.
        await deleting
        deleting = this.#delete(stored)
        deleting.catch(() => {})
        await this.#giveBack(back)
      }
    } finally {
      await deleting
    }
  }

  async #poll(): Promise<readonly SqsMessage[]> {
    const { queueUrl, visibilitySeconds, waitSeconds } = this.#queue
    const command = new ReceiveMessageCommand({
      ...{ QueueUrl: queueUrl, MaxNumberOfMessages: batchMessagesMax, WaitTimeSeconds: waitSeconds },
      ...{ VisibilityTimeout: visibilitySeconds, MessageAttributeNames: ['All'] },
      MessageSystemAttributeNames: ['All'],
    })
    return await this.#calmly(async () => {
      const abortSignal = abortedAfter(waitSeconds * 1_000 + answerMsMax, this.#signal)
      try {
        return (await this.#client.send(command, { abortSignal })).Messages ?? []
      } catch (error) {
        // What SQS was about to hand out stays hidden for its time, and comes again.
        if (this.#signal.aborted) return []
        throw error
      }
    })
  }

  async #store(messages: readonly SqsMessage[]): Promise<Division> {
    const division: Division = { stored: [], back: [] }
    const done = await Promise.allSettled(
      inGroups(messages).map((group) => this.#storeGroup(group, division)),
    )
    for (const one of done) if (one.status === 'rejected') throw one.reason
    return division
  }

  // One after another: the second must not be in the log where the first is not.
  async #storeGroup(group: readonly SqsMessage[], { stored, back }: Division): Promise<void> {
    for (const [index, message] of group.entries()) {
      const outcome = await this.#storeOne(message)
      if (outcome === 'stored') {
        stored.push(message)
        continue
      }
      const rest = group.slice(index)
      if (outcome === 'back') back.push(...rest)
      // Hidden until its time is over, and those behind it with it: it comes again, before them.
      else for (const { ReceiptHandle = '' } of rest) this.#held.delete(ReceiptHandle)
      return
    }
  }

  // While the log is away it stays in hand: given back, it would be received over and over, and end in the queue's own
  // dead-letter queue for nothing.
  async #storeOne(message: SqsMessage): Promise<'stored' | 'back' | 'refused'> {
    for (let failures = 1; ; failures++) {
      try {
        await this.#run.receive(receivedOf(message))
        return 'stored'
      } catch (error) {
        if (!(error instanceof EventspineError)) throw error
        if (error.code === 'EVENT_TOO_LARGE' || error.code === 'REQUEST_INVALID') {
          this.#refuse(message, error)
          return 'refused'
        }
        if (this.#signal.aborted || error.code === 'STOPPED') return 'back'
        await this.#run.pause(error.retryAfterMs ?? pauseMs(failures))
      }
    }
  }

  #refuse({ MessageId }: SqsMessage, error: EventspineError): void {
    this.#run.logger.error(
      'a message cannot be taken, and stays in its queue; give the queue a redrive policy, so that it leaves it',
      { message: MessageId, queue: this.#queue.queueUrl, error },
    )
  }

  async #delete(messages: readonly SqsMessage[]): Promise<void> {
    let left = messages.map(({ ReceiptHandle = '' }) => ReceiptHandle)
    for (let tries = 1; left.length > 0 && tries <= deletionsMax; tries++) {
      const handles = left
      const command = new DeleteMessageBatchCommand({
        QueueUrl: this.#queue.queueUrl,
        Entries: handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
      })
      const { Failed = [] } = await this.#calmly(() => this.#client.send(command, { abortSignal: inTime() }))
      left = Failed.flatMap(({ Id, SenderFault }) => (SenderFault ? [] : (handles[Number(Id)] ?? [])))
      if (Failed.length > 0)
        this.#run.logger.warn('messages could not be deleted; they come again, and are the same events', {
          ...{ queue: this.#queue.queueUrl, messages: Failed.length, reason: Failed[0]?.Code },
        })
      if (left.length > 0) await this.#run.pause(pauseMs(tries))
    }
    for (const { ReceiptHandle = '' } of messages) this.#held.delete(ReceiptHandle)
  }

  async #giveBack(messages: readonly SqsMessage[]): Promise<void> {
    const handles = messages.map(({ ReceiptHandle = '' }) => ReceiptHandle)
    for (const handle of handles) this.#held.delete(handle)
    await this.#hide(handles, 0)
  }

  async #keep(): Promise<void> {
    const { visibilitySeconds } = this.#queue
    while (!this.#signal.aborted) {
      await Promise.race([this.#run.pause((visibilitySeconds * 1_000) / 3), aborted(this.#failed.signal)])
      if (!this.#signal.aborted) await this.#hide([...this.#held], visibilitySeconds)
    }
  }

  // Where it fails, messages come again earlier or later than they need to: no more.
  async #hide(handles: readonly string[], seconds: number): Promise<void> {
    for (let from = 0; from < handles.length; from += batchMessagesMax) {
      const command = new ChangeMessageVisibilityBatchCommand({
        QueueUrl: this.#queue.queueUrl,
        Entries: handles.slice(from, from + batchMessagesMax).map((ReceiptHandle, index) => ({
          ...{ Id: String(index), ReceiptHandle, VisibilityTimeout: seconds },
        })),
      })
      await this.#client.send(command, { abortSignal: inTime() }).catch((error: unknown) =>
        this.#run.logger.warn('the visibility of messages could not be changed', {
          ...{ queue: this.#queue.queueUrl, error },
        }),
      )
    }
  }

  /** Again, later, for as long as SQS asks for fewer calls. */
  async #calmly<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    for (let failures = 1; ; failures++) {
      try {
        return await call()
      } catch (error) {
        if (this.#signal.aborted || !isThrottled(failureOf(error))) throw error
        await this.#run.pause(pauseMs(failures))
      }
    }
  }
}

const pauseMs = (failures: number) => Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(failures - 1, 10))

const inTime = () => AbortSignal.timeout(answerMsMax)

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
