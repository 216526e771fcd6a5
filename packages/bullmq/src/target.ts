// From the log to a queue of BullMQ: a subscription whose handler adds a job, and is done when Redis has it.
import type { ConnectionOptions, JobsOptions } from 'bullmq'
import {
  defineSubscription,
  type Event,
  type EventOf,
  EventspineError,
  type Interest,
  type Subscription,
  type SubscriptionPolicies,
} from 'eventspine'
import { addressOf } from './address.js'
import { jobOptionsOf } from './job.js'
import { JobQueue } from './job-queue.js'

export type BullmqTargetOptions<On> = SubscriptionPolicies & {
  /** Lower case, digits and dashes, at most 100 characters. Its cursor is kept under this name. */
  readonly name: string
  readonly on: On
  /** Name of the queue. */
  readonly queue: string
  /** As a Queue of BullMQ takes it. */
  readonly connection: ConnectionOptions
  /** Of the queue's keys in Redis. Default: that of BullMQ, `bull`. */
  readonly prefix?: string
  /** Name of the job. Default: the type of the event. */
  readonly jobName?: (event: EventOf<On>) => string
  /** Data of the job. Default: those of the event. */
  readonly data?: (event: EventOf<On>) => unknown
  /** Of the job, by their names in BullMQ: attempts, backoff, priority, delay … Who gives a `jobId` answers for it: what is
   *  added twice under one is one job. */
  readonly options?: (event: EventOf<On>) => JobsOptions
}

const concurrencyDefault = 50

/**
 * Adds a job per event. The id of the job is made of that of the event, so that a repeat is one job for as long as BullMQ keeps
 * that; a replay adds jobs of its own. The trace of the event is the job's. The connection is opened by the first event, and
 * closed 2 s behind the last. By default 50 events are underway at once. Throws APP_INVALID.
 */
export function toBullmq<const On extends Interest | readonly Interest[]>(
  options: BullmqTargetOptions<On>,
): Subscription {
  const { name, on, queue, connection, prefix, jobName, data, options: optionsOf, ...policies } = options
  if (typeof queue !== 'string' || queue === '')
    throw new EventspineError(
      'APP_INVALID',
      `"${name}": queue is ${JSON.stringify(queue)}; write the name of the queue, such as "emails".`,
    )
  const jobs = new JobQueue(queue, { connection, ...(prefix !== undefined && { prefix }) })
  const address = addressOf(queue, connection, prefix)
  return defineSubscription<On>({
    ...{ concurrency: concurrencyDefault },
    ...(address !== undefined && { queue: address }),
    ...(policies as SubscriptionPolicies),
    ...{ name, on },
    async handle(given, { replay }) {
      const event = given as Event
      await jobs.add({
        name: jobName?.(given) ?? event.type,
        data: data === undefined ? event.data : data(given),
        opts: { ...jobOptionsOf(event, replay), ...optionsOf?.(given) },
      })
    },
  })
}
