// A message of SQS as a source receives it.
import type { Message as SqsMessage } from '@aws-sdk/client-sqs'
import type { ReceivedMessage } from 'eventspine/source'

export const groupHeader = 'sqs-message-group-id'

/** What SQS itself says of a message that is the same each time it is received. */
const attributeHeaders = {
  MessageGroupId: groupHeader,
  MessageDeduplicationId: 'sqs-message-deduplication-id',
  SequenceNumber: 'sqs-sequence-number',
  SentTimestamp: 'sqs-sent-timestamp',
  AWSTraceHeader: 'x-amzn-trace-id',
} as const

/**
 * Its id is the one that SQS gave it. Not its deduplication id: that holds for five minutes, and a sender that says the same
 * again a day later, under the hash of the same body, means another message.
 */
export function receivedOf({ MessageId, Body = '', ...message }: SqsMessage): ReceivedMessage {
  const headers: Record<string, string> = {}
  for (const [name, { StringValue, BinaryValue }] of Object.entries(message.MessageAttributes ?? {}))
    headers[name.toLowerCase()] = StringValue ?? Buffer.from(BinaryValue ?? []).toString('base64')
  for (const [attribute, header] of Object.entries(attributeHeaders)) {
    const value = message.Attributes?.[attribute as keyof typeof attributeHeaders]
    if (value !== undefined) headers[header] = value
  }
  return { ...(MessageId !== undefined && { id: MessageId }), headers, body: Body }
}

/** Those of one group in their order; where there are no groups, each message alone. */
export function inGroups(messages: readonly SqsMessage[]): readonly (readonly SqsMessage[])[] {
  const groups = new Map<unknown, SqsMessage[]>()
  for (const message of messages) {
    const group = message.Attributes?.MessageGroupId ?? message
    const others = groups.get(group)
    if (others === undefined) groups.set(group, [message])
    else others.push(message)
  }
  return [...groups.values()]
}
