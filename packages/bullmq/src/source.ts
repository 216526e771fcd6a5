// From a queue of BullMQ into the log: a worker whose jobs are complete when what they became is stored.
import type { ConnectionOptions, WorkerOptions } from 'bullmq'
import { EventspineError } from 'eventspine'
import {
  type CustomSource,
  checkOptions,
  customSource,
  type Message,
  type Translation,
} from 'eventspine/source'
import { addressOf } from './address.js'
import { Reception } from './reception.js'

export interface BullmqSourceOptions {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** Name of the queue. */
  readonly queue: string
  /** As a Worker of BullMQ takes it. */
  readonly connection: ConnectionOptions
  /**
   * What a job becomes; null for one that is of no interest. `message.json()` is the job's data; headers are `bullmq-job-name`,
   * `bullmq-job-id`, `bullmq-queue` and `bullmq-timestamp` (milliseconds since 1970). The trace that a producer with BullMQ's
   * telemetry was in is continued. What it throws makes the message a dead letter of `source-NAME`, and the job is complete.
   */
  readonly to: (message: Message) => Translation | Promise<Translation>
  /** Of the Worker, by their names in BullMQ. Here `concurrency` is 100 unless it says otherwise, at most 1,000, and
   *  `maxStalledCount` 1,000: a job of a worker that was killed did nothing wrong. */
  readonly options?: Omit<WorkerOptions, 'connection' | 'autorun'>
  readonly description?: string
}

const concurrencyDefault = 100
const concurrencyMost = 1_000
const maxStalledCount = 1_000

const optionNames: Readonly<Record<keyof BullmqSourceOptions, true>> = {
  name: true,
  queue: true,
  connection: true,
  to: true,
  options: true,
  description: true,
}

/**
 * The jobs of a queue, taken by every worker. A job that is run twice is one event: its id is that of the job and the time at
 * which it was added, since a job that is gone leaves its id to another. Throws APP_INVALID.
 */
export function bullmqSource(given: BullmqSourceOptions): CustomSource {
  checkOptions('bullmqSource', given, optionNames)
  const { name, queue, connection, to, options = {}, description } = given
  const { concurrency = concurrencyDefault } = options
  if (typeof queue !== 'string' || queue === '')
    throw invalid(name, `queue is ${JSON.stringify(queue)}; write the name of the queue, such as "emails"`)
  if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= concurrencyMost))
    throw invalid(
      name,
      `concurrency is ${concurrency}; write a whole number from 1 to ${concurrencyMost.toLocaleString('en')}`,
    )
  const address = addressOf(queue, connection, options.prefix)
  return customSource({
    ...{ name, to, inFlightMax: concurrency },
    ...(address !== undefined && { queue: address }),
    ...(description !== undefined && { description }),
    run: (run) =>
      new Reception(
        queue,
        { maxStalledCount, ...options, concurrency, connection, autorun: false },
        run,
      ).run(),
  })
}

const invalid = (name: string, message: string) =>
  new EventspineError('APP_INVALID', `"${name}": ${message}.`)
