// From a queue into the log. A message is deleted there when what it became is stored here, and not before.
import {
  type CustomSource,
  checkOptions,
  customSource,
  type Message,
  type Translated,
  type Translation,
} from 'eventspine/source'
import { openClient, type SqsClient } from './client.js'
import { groupHeader } from './message.js'
import { addressOf, checkQueueUrl, checkWhole, isFifo } from './options.js'
import { Reception } from './reception.js'

export interface SqsSourceOptions {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  readonly queueUrl: string
  readonly client?: SqsClient
  /**
   * What a message becomes; null for one that is of no interest. Its attributes are headers by lower-case name (a binary one
   * in base64), and so are `sqs-message-group-id`, `sqs-message-deduplication-id`, `sqs-sequence-number`,
   * `sqs-sent-timestamp` (milliseconds since 1970) and `x-amzn-trace-id`. A `traceparent` is continued. What it throws makes
   * the message a dead letter of `source-NAME`, and it leaves the queue.
   */
  readonly to: (message: Message) => Translation | Promise<Translation>
  /** How long a message of a worker that was killed stays hidden, from 2 s to 12 h. While a worker has a message in hand,
   *  it renews that. Default 60. */
  readonly visibilitySeconds?: number
  /** Long polls at once in each worker, for 10 messages each; 1 to 20. Default 2. */
  readonly receivers?: number
  /** For how long a poll waits for messages, 1 to 20 s. Default 20. */
  readonly waitSeconds?: number
  readonly description?: string
}

const optionNames: Readonly<Record<keyof SqsSourceOptions, true>> = {
  name: true,
  queueUrl: true,
  client: true,
  to: true,
  visibilitySeconds: true,
  receivers: true,
  waitSeconds: true,
  description: true,
}

/**
 * A queue of SQS, run by every worker. A message that is received twice is one event. Of a FIFO queue (`….fifo`) messages of a
 * group are stored in their order, and the group is the key of events that have none. Throws APP_INVALID.
 */
export function sqsSource(options: SqsSourceOptions): CustomSource {
  checkOptions('sqsSource', options, optionNames)
  const { name, queueUrl, client, to, description } = options
  const { visibilitySeconds = 60, receivers = 2, waitSeconds = 20 } = options
  checkQueueUrl(name, queueUrl)
  checkWhole(name, 'visibilitySeconds', visibilitySeconds, 2, 43_200)
  checkWhole(name, 'receivers', receivers, 1, 20)
  checkWhole(name, 'waitSeconds', waitSeconds, 1, 20)
  return customSource({
    name,
    to: isFifo(queueUrl) ? keyedByGroup(to) : to,
    queue: addressOf(queueUrl),
    ...(description !== undefined && { description }),
    async run(run) {
      const opened = openClient(client)
      try {
        const queue = { queueUrl, visibilitySeconds, receivers, waitSeconds }
        await new Reception(opened.client, queue, run).run()
      } finally {
        opened.close()
      }
    },
  })
}

/** Order of the queue becomes order of the log, unless the event knows its own key. */
function keyedByGroup(to: SqsSourceOptions['to']): SqsSourceOptions['to'] {
  return (message) => {
    const group = message.headers[groupHeader]
    const answer = to(message)
    if (group === undefined) return answer
    return answer instanceof Promise ? answer.then((all) => keyed(all, group)) : keyed(answer, group)
  }
}

function keyed(answer: Translation, group: string): Translation {
  // Also what a translation without types answers: what is wrong with it is said where it is stored.
  if (answer === null || answer === undefined) return answer
  const one = (each: Translated): Translated =>
    each.event?.key === undefined ? { ...each, options: { key: group, ...each.options } } : each
  return Array.isArray(answer) ? (answer as readonly Translated[]).map(one) : one(answer as Translated)
}
