// An event as an entry of a batch of SQS, within the limits of SQS.
import { createHash } from 'node:crypto'
import type { MessageAttributeValue, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import { type Event, ValidationError } from 'eventspine'

/** A message without the id that it has in its batch. */
export type Outgoing = Omit<SendMessageBatchRequestEntry, 'Id'> & { readonly bytes: number }

export interface Wrapping {
  readonly body: string
  readonly fifo: boolean
  readonly groupId: string | undefined
  /** The id of the replay, when this is one: what is replayed is meant to come again. */
  readonly replay: string | undefined
}

/** Of a message and of a call, attributes included. */
export const callBytesMax = 1024 * 1024
const attributesMax = 10

/** Throws a ValidationError for what SQS would not take. */
export function entryOf(event: Event, { body, fifo, groupId, replay }: Wrapping): Outgoing {
  const MessageBody = storable(body)
  const attributes = attributesOf(event)
  const bytes = attributes.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(`${name}String${value}`),
    Buffer.byteLength(MessageBody),
  )
  if (bytes > callBytesMax)
    throw new ValidationError(
      `A message of SQS may have ${callBytesMax / 1024} KiB, and this one has ${Math.ceil(bytes / 1024)}. Write body: (event) => …, and leave the large part out.`,
    )
  const MessageAttributes = Object.fromEntries(
    attributes.map(([name, StringValue]): [string, MessageAttributeValue] => [
      name,
      { DataType: 'String', StringValue },
    ]),
  )
  const identity = hashOf([event.tenant, event.source, event.id, ...(replay === undefined ? [] : [replay])])
  const order = fifo && {
    MessageDeduplicationId: identity,
    MessageGroupId: groupId ?? groupOf(event.key ?? identity),
  }
  return { MessageBody, MessageAttributes, ...order, bytes }
}

/** In the order in which they matter to whoever receives them. */
function attributesOf(event: Event): readonly (readonly [string, string])[] {
  const all: Readonly<Record<string, string | undefined>> = {
    'ce-specversion': '1.0',
    'ce-id': event.id,
    'ce-source': event.source,
    'ce-type': event.type,
    'ce-time': event.time,
    traceparent: event.traceparent,
    'ce-version': String(event.version),
    'ce-partitionkey': event.key,
    'ce-subject': event.subject,
    'ce-tenant': event.tenant,
    'ce-correlationid': event.correlationId,
    'ce-causationid': event.causationId,
  }
  return Object.entries(all)
    .flatMap(([name, value]): [string, string][] => (value ? [[name, storable(value)]] : []))
    .slice(0, attributesMax)
}

const groupForm = /^[!-~]{1,128}$/

const groupOf = (key: string) => (groupForm.test(key) ? key : hashOf([key]))

/** Two publishers may give the same id, each under its own source. */
const hashOf = (parts: readonly string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

// SQS takes the characters of XML 1.0. JSON writes control characters and halves of surrogates as escapes, these two not.
const storable = (text: string) =>
  text.replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
