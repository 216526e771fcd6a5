// From the log to a queue: a subscription whose handler sends the event, and is done when SQS has it.
import {
  defineSubscription,
  type Event,
  type EventOf,
  type Interest,
  type Subscription,
  type SubscriptionPolicies,
} from 'eventspine'
import type { SqsClient } from './client.js'
import { addressOf, checkQueueUrl, isFifo } from './options.js'
import { entryOf } from './outgoing.js'
import { Sender } from './sender.js'

export type SqsTargetOptions<On> = SubscriptionPolicies & {
  /** Lower case, digits and dashes, at most 100 characters. Its cursor is kept under this name. */
  readonly name: string
  readonly on: On
  readonly queueUrl: string
  readonly client?: SqsClient
  /** Body of the message, at most 1 MiB with its attributes. Default: the event's data as JSON. */
  readonly body?: (event: EventOf<On>) => string
  /** Of a FIFO queue: the group in which messages keep their order, 1 to 128 letters, digits and punctuation marks. Default:
   *  the event's key (its hash where SQS would not take it); an event without one is alone. */
  readonly group?: (event: EventOf<On>) => string
}

/**
 * Sends events to a queue of SQS, many in a call. The attributes of CloudEvents are message attributes: `ce-id`, `ce-source`,
 * `ce-type` … and `traceparent`, the first ten that the event has, since SQS takes no more. On a FIFO queue (`….fifo`) a repeat
 * within five minutes is one message, and the subscription is `ordered`; on others a message may come twice. By default 50
 * events are underway at once. Throws APP_INVALID.
 */
export function toSqs<const On extends Interest | readonly Interest[]>(
  options: SqsTargetOptions<On>,
): Subscription {
  const { name, on, queueUrl, client, body = dataOf, group, ...policies } = options
  checkQueueUrl(name, queueUrl)
  const sender = new Sender(queueUrl, client)
  const fifo = isFifo(queueUrl)
  return defineSubscription<On>({
    ...{ concurrency: concurrencyDefault, ordered: fifo },
    ...(policies as SubscriptionPolicies),
    ...{ name, on, queue: addressOf(queueUrl) },
    handle: (event, { signal, replay }) => {
      const groupId = fifo ? group?.(event) : undefined
      return sender.send(entryOf(event as Event, { body: body(event), fifo, groupId, replay }), signal)
    },
  })
}

const concurrencyDefault = 50

const dataOf = ({ data }: Event) => JSON.stringify(data)
