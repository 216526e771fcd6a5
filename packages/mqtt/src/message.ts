// An MQTT message on its way through a source: what the protocol says of it travels in the headers, so that it is still there
// when a kept one is sent again.
import type { Message } from 'eventspine/source'
import type { PartsOf, TopicPattern } from './topic-pattern.js'

export interface MqttMessage<Parts> extends Message {
  readonly topic: string
  /** The named parts of its topic. */
  readonly parts: Parts
  readonly qos: 0 | 1 | 2
  /** It lay in the broker before anybody asked for it. */
  readonly retained: boolean
}

export interface ReceivedPublish {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  /** User properties and what else is known of it, by name. A text, or several under one name. */
  readonly properties?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly contentType?: string | undefined
}

/** Names of ours begin so: a sender's of that kind are left out. */
const ownPrefix = 'mqtt-'
/** A header holds no more, and a topic that was cut would be another. */
const topicCharactersMax = 999

// For each message: written out, it costs a third of what entries, flattened and joined again, did.
export function headersOf(
  { topic, qos, retain, properties = {}, contentType }: ReceivedPublish,
  own: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const headers: Record<string, string> = {
    'mqtt-topic': topic,
    'mqtt-qos': String(qos),
    'mqtt-retain': String(retain),
    ...own,
  }
  if (contentType !== undefined) headers['content-type'] = contentType
  for (const name of Object.keys(properties)) {
    const value = properties[name]
    // To assign the last one would be to change what `headers` inherits.
    if (value === undefined || name.toLowerCase().startsWith(ownPrefix) || name === '__proto__') continue
    headers[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return headers
}

/** What the translation sees. Throws for a topic that none of the patterns matches. */
export function mqttMessage<Pattern extends string>(
  message: Message,
  patterns: readonly TopicPattern<Pattern>[],
): MqttMessage<PartsOf<Pattern>> {
  const topic = topicOf(message)
  for (const pattern of patterns) {
    const parts = pattern.match(topic)
    if (parts !== undefined) return { ...common(message, topic), parts }
  }
  throw new TypeError(
    `The topic ${JSON.stringify(topic)} matches none of ${patterns.map(({ pattern }) => `"${pattern}"`).join(', ')}, or a named part of it is empty.`,
  )
}

export function topicOf({ headers }: Message): string {
  const topic = headers['mqtt-topic'] ?? ''
  if (topic.length > topicCharactersMax)
    throw new TypeError(`Its topic is longer than ${topicCharactersMax} characters. Use shorter topics.`)
  return topic
}

// Written out: to spread the message cost 3 µs.
export const common = ({ id, headers, body, at, json }: Message, topic: string) => ({
  id,
  headers,
  body,
  at,
  json,
  topic,
  qos: Number(headers['mqtt-qos'] ?? 0) as 0 | 1 | 2,
  retained: headers['mqtt-retain'] === 'true',
})
