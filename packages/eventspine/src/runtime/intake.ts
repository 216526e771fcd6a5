// From a message to what it becomes: events, nothing, or a dead letter of its source. The same for every source that takes
// messages one by one.
import { createHash } from 'node:crypto'
import type { AppendOutcome } from '../append/index.js'
import { type NewEvent, type Preparation, type Published, prepare } from '../event/index.js'
import type { Clock } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import {
  bodyBytesMax,
  type CustomSource,
  isPassing,
  keptMessage,
  type Message,
  messageKept,
  nameOf,
  type Receipt,
  translatedOf,
  type WebhookSource,
  within,
} from '../source/index.js'
import type { Cell } from './cell.js'
import type { Place } from './order-keys.js'
import type { Publication } from './publication.js'

export interface IntakeServices {
  readonly clock: Clock
  readonly logger: Logger
  readonly preparation: Preparation
  /** `append`: in place of the log's next place. */
  publish(
    publication: Publication,
    append?: (cell: Cell, event: NewEvent) => Promise<AppendOutcome>,
  ): Promise<Published>
  publishMany(publications: readonly Publication[]): Promise<readonly Published[]>
  append(event: NewEvent): Promise<AppendOutcome>
}

type MessageSource = Pick<WebhookSource | CustomSource, 'name' | 'to'>

/** A kept message is larger than its body: base64, and its headers. */
const keptBytesMax = 2 * bodyBytesMax

export class Intake {
  readonly #services: IntakeServices

  constructor(services: IntakeServices) {
    this.#services = services
  }

  /** When it answers, the message is stored for good. Throws what passes (`isPassing`), and then nothing is stored. */
  async take(source: MessageSource, message: Message, place?: Place): Promise<Receipt> {
    try {
      const events = await this.publish(source, message, place)
      return { outcome: events.length === 0 ? 'ignored' : 'published', events }
    } catch (error) {
      if (isPassing(error)) throw error
      place?.pass()
      this.#services.logger.warn('a message could not become an event, and is kept', {
        ...{ source: source.name, message: message.id, error, subscription: nameOf(source.name) },
      })
      await this.#keep(source, message)
      return { outcome: 'kept', events: [] }
    }
  }

  /** The events of a message. Throws what `to` throws, and what publishing does. */
  async publish(source: MessageSource, message: Message, place?: Place): Promise<readonly Published[]> {
    const asked = source.to(message)
    // One that answers at once is not made to wait: messages then reach the log in the order in which they came.
    const answer = asked instanceof Promise ? await within(this.#services.clock, asked) : asked
    const all = translatedOf(source.name, message.id, answer, message.headers['traceparent'])
    const [first] = all as readonly Publication[]
    if (first === undefined) return []
    // One alone travels with those of other messages; several are a transaction of their own.
    const append = place && ((cell: Cell, event: NewEvent) => place.append(cell.appender, event))
    if (all.length === 1) return [await this.#services.publish(first, append)]
    await place?.alone()
    return await this.#services.publishMany(all as readonly Publication[])
  }

  // A repeat of it is the same, where it says the same: two senders may count alike. When it came may differ.
  async #keep({ name }: MessageSource, message: Message): Promise<void> {
    const { preparation, append } = this.#services
    const own = message.id === undefined ? {} : { id: `${hashOf(message.body).slice(0, 32)}:${message.id}` }
    const options = { source: `/eventspine/sources/${name}`, ...own }
    const roomy = { ...preparation, hardLimitBytes: keptBytesMax }
    await append(await prepare(messageKept, keptMessage(name, message), options, roomy))
  }
}

const hashOf = (body: string | Uint8Array) => createHash('sha256').update(body).digest('hex')

const idCharactersMax = 180

/** An id that the log cannot hold is known by its hash: a repeat stays one. */
export function storableId(id: unknown): string | undefined {
  if (id === undefined || id === null || id === '') return undefined
  const text = String(id)
  const fits = text.length <= idCharactersMax && text.isWellFormed() && !/\p{Cc}/u.test(text)
  return fits ? text : hashOf(text)
}
