// A source that is a client of an MQTT 5 broker: its messages become events, and are acknowledged when these are durable.
import {
  type CustomSource,
  checkOptions,
  customSource,
  type Message,
  type Translation,
} from 'eventspine/source'
import type { IClientOptions, IPublishPacket } from 'mqtt'
import { type MqttMessage, mqttMessage } from './message.js'
import { clientIdOf, Subscriber } from './subscriber.js'
import { type PartsOf, topicPattern } from './topic-pattern.js'

/** A message as `id` sees it, before anything else was done with it. */
export interface PublishedMessage {
  readonly topic: string
  readonly payload: Uint8Array
  /** MQTT 5 user properties, by name: a text, or several under one name. */
  readonly userProperties: Readonly<Record<string, string | readonly string[]>>
}

export interface MqttSourceOptions<Pattern extends string> {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, host and port. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** For `mqtts:` and `wss:`. By default the certificates that Node trusts, and no client certificate. */
  readonly tls?: Pick<IClientOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>
  /** Such as `wards/{tenant}/beds/{key}/vitals`; at least one. See `topicPattern`. */
  readonly topics: readonly Pattern[]
  /**
   * Every worker of the cell takes its share of the messages, by a shared subscription (`$share/NAME/…`) of this name. Left out,
   * one worker at a time takes all.
   */
  readonly share?: string
  /** What a message becomes; see `customSource`. */
  readonly to: (message: MqttMessage<PartsOf<Pattern>>) => Translation | Promise<Translation>
  /**
   * Under which a message that is sent twice is one event: unique among all that come by this source. MQTT has none of its
   * own. Default: the topic and the user property `id`, where there is one (CloudEvents writes it). Without an id a message that is sent
   * again, because its acknowledgement was lost, is a second event.
   */
  readonly id?: (message: PublishedMessage) => string | undefined
  /**
   * Messages under one enter the log in the order in which they came, also when the database was away. Default: the topic, for
   * which MQTT promises an order. Where the topics of a device are to keep theirs among each other, give what they have in common, such as
   * the device. While one message is not taken, those behind it of the same key wait, and no others.
   */
  readonly orderKey?: (message: PublishedMessage) => string
  /** The broker knows the n-th worker by this and `-n`. Whatever else connects to the same broker needs another one: two of
   *  one name end each other's connections. Default `eventspine-` and the name. */
  readonly clientId?: string
  /** How long the broker keeps messages while nobody is connected, if it lets us. Default 7 days. */
  readonly sessionExpirySeconds?: number
  /** Messages in hand at once, per process; the broker sends no more before it has an answer. Default 1,000, at most 10,000. */
  readonly inFlightMax?: number
  readonly description?: string
}

const sessionExpirySecondsDefault = 7 * 86_400
const inFlightMaxDefault = 1_000
const shareName = /^[^/+#\0]{1,200}$/

const optionNames: Readonly<Record<keyof MqttSourceOptions<string>, true>> = {
  name: true,
  url: true,
  username: true,
  password: true,
  tls: true,
  topics: true,
  share: true,
  to: true,
  id: true,
  orderKey: true,
  clientId: true,
  sessionExpirySeconds: true,
  inFlightMax: true,
  description: true,
}

/**
 * A client of any MQTT 5 broker. List it in `defineApp({ sources: […] })`. Throws a TypeError for a topic pattern, a URL or a
 * share that cannot be.
 */
export function mqttSource<const Pattern extends string>(options: MqttSourceOptions<Pattern>): CustomSource {
  checkOptions('mqttSource', options, optionNames)
  const { name, url, username, password, tls, topics, share, to, description } = options
  const { sessionExpirySeconds = sessionExpirySecondsDefault, inFlightMax = inFlightMaxDefault } = options
  const patterns = topics.map((topic) => topicPattern(topic))
  if (patterns.length === 0) throw new TypeError(`Source "${name}": name at least one topic.`)
  if (share !== undefined && !shareName.test(share))
    throw new TypeError(
      `Source "${name}": share is ${JSON.stringify(share)}; write a word without / + and #.`,
    )
  if (!/^(mqtts?|wss?):$/.test(new URL(url).protocol))
    throw new TypeError(
      `Source "${name}": url begins with mqtt:, mqtts:, ws: or wss:, and is ${JSON.stringify(url)}.`,
    )
  if (tls !== undefined && /^(mqtt|ws):/.test(url))
    throw new TypeError(
      `Source "${name}": tls is for mqtts: and wss:, and url is ${JSON.stringify(url)}: nothing would be enciphered.`,
    )
  const shared = share === undefined ? '' : `$share/${share}/`
  const { id: idOf = idOfProperties, orderKey = topicOf } = options
  return customSource({
    ...{ name, inFlightMax, where: share === undefined ? 'one-worker' : 'every-worker' },
    ...(description !== undefined && { description }),
    to: (message: Message) => to(mqttMessage(message, patterns)),
    run: (run) =>
      new Subscriber(
        {
          ...{
            url,
            inFlightMax,
            sessionExpirySeconds,
            clientId: clientIdOf(options.clientId ?? `eventspine-${name}`, run.slot),
          },
          connect: {
            ...tls,
            ...(username !== undefined && { username }),
            ...(password !== undefined && { password }),
          },
          filters: patterns.map(({ filter }) => `${shared}${filter}`),
          id: (packet) => idOf(publishedMessage(packet)),
          orderKey: (packet) => orderKey(publishedMessage(packet)),
        },
        run,
      ).run(),
  })
}

// Two devices may count alike; they do not share a topic.
function idOfProperties({ topic, userProperties: { id } }: PublishedMessage): string | undefined {
  return typeof id === 'string' && id !== '' ? `${topic}#${id}` : undefined
}

const topicOf = ({ topic }: PublishedMessage) => topic

const publishedMessage = ({ topic, payload, properties }: IPublishPacket): PublishedMessage => ({
  topic,
  payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
  userProperties: (properties?.userProperties ?? {}) as PublishedMessage['userProperties'],
})
