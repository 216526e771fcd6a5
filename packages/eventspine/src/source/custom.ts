// A source of any other kind: a function that fetches messages, or is sent them, wherever they come from. Workers run it;
// it acknowledges a message when what it became is stored for good.
import type { Published } from '../event/index.js'
import { checkOptions, EventspineError } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import { bodyBytesMax, headersOf } from './message.js'
import type { ItemRange, SourceItem } from './port.js'
import type { Message, Translation } from './webhook.js'

/** What became of a message. All three are there for good. */
export interface Receipt {
  /** `published` as events; `ignored`, since it is of no interest; `kept` for a person, as a dead letter of its source. */
  readonly outcome: 'published' | 'ignored' | 'kept'
  readonly events: readonly Published[]
}

/** A message as its sender gave it. */
export interface ReceivedMessage {
  /** The sender's: within the idempotency window (7 days) a repeat under it is the same event. Left out, a message that is
   *  received twice is two events. */
  readonly id?: string
  /** At most 64, of 1,000 characters each and 16,000 together; more are left out. `to` sees them by lower-case names, and
   *  people do where the message is kept: give none that carries a secret. `traceparent` is continued. */
  readonly headers?: Readonly<Record<string, string>>
  /** At most 256 KiB. A text is UTF-8. */
  readonly body: Uint8Array | string
  /**
   * Messages under one enter the log in the order in which they are received, whatever `to` takes for each. Where one is
   * rejected with what passes, so are those behind it, until all that are in hand have been told: receive them again then, from the first one on.
   * An event that subscriptions with priority `alarm` read may overtake one that none of them does. Left out, `to` and faults may change the order.
   */
  readonly orderKey?: string
}

/**
 * What the source has taken, in the database of its events: for one that meets the same things at each look, since nobody takes them
 * away. Ids alone would not do: they are remembered for the idempotency window (7 days).
 */
export interface SourceLedger {
  /** In the order of the bytes of UTF-8, as object stores list keys. Rejects with UNAVAILABLE. */
  read(range: ItemRange): Promise<readonly SourceItem[]>
  /** Notes what `receive` has taken, behind that, each under its newest version; and forgets what is gone, where it still stands with
   *  the version that is named. No item twice in one call, and none with a NUL. Rejects with UNAVAILABLE. */
  note(taken: readonly SourceItem[], gone: readonly SourceItem[]): Promise<void>
}

export interface SourceRun {
  /**
   * Resolves when the message is durable: only then may it be acknowledged. Where `inFlightMax` are in hand it waits for room;
   * so await it, or bound by other means what is asked for at once. Rejects with UNAVAILABLE, OVERLOADED, UNKNOWN_OUTCOME or
   * STOPPED: nothing is wrong with the message then, it must not be acknowledged, and is to be received again. And with
   * REQUEST_INVALID or EVENT_TOO_LARGE for what is no message, or one over 256 KiB: it never will be taken.
   */
  receive(message: ReceivedMessage): Promise<Receipt>
  /** Aborts when the process stops, or another is to run the source. What it holds must be given back, and its messages
   *  received, within 5 s: after that nothing is taken any more. */
  readonly signal: AbortSignal
  /** 1 for the first process that runs it, 2 for the next …: no two have the same, and one that takes the place of another has its
   *  number. So a broker can know each by a name that stays. Where one worker runs it: 1. */
  readonly slot: number
  /** Of its own. Left alone, it stays empty. */
  readonly ledger: SourceLedger
  /** Says which source speaks. */
  readonly logger: Logger
  /** Resolves after so many milliseconds, or at once when `signal` aborts. */
  pause(ms: number): Promise<void>
}

export interface CustomSourceOptions {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /**
   * What a message becomes; null for one that is of no interest. It may run more than once for the same message, so let it
   * only translate, within 30 s. What it throws makes the message a dead letter of `source-NAME`, which can be mended and
   * sent again.
   */
  readonly to: (message: Message) => Translation | Promise<Translation>
  /**
   * Brings the messages in, for as long as `signal` lets it. Workers start it once they deliver. When it throws, or returns
   * too early, it is started again after a pause: 1 s at first, twice as long each time, at most 15 s.
   */
  readonly run: (run: SourceRun) => Promise<void>
  /** `one-worker`: one process of the cell at a time, and another when that one is gone (at once on the same machine, else
   *  within 20 s). Default `every-worker`: the first hundred of them. */
  readonly where?: 'every-worker' | 'one-worker'
  /** Messages that are translated and stored at once, per process; more wait. Default 1,000. */
  readonly inFlightMax?: number
  /** Address of the queue that it empties, where it is one; without credentials. An app with a subscription that says the same is
   *  refused: it would bring its own events in again, for ever. */
  readonly queue?: string
  readonly description?: string
}

export interface CustomSource {
  readonly kind: 'source'
  readonly transport: 'custom'
  readonly name: string
  readonly to: CustomSourceOptions['to']
  readonly run: CustomSourceOptions['run']
  readonly where: 'every-worker' | 'one-worker'
  readonly inFlightMax: number
  readonly queue: string | undefined
  readonly description: string | undefined
}

const inFlightMaxDefault = 1_000

const optionNames: Readonly<Record<keyof CustomSourceOptions, true>> = {
  name: true,
  to: true,
  run: true,
  where: true,
  inFlightMax: true,
  queue: true,
  description: true,
}

/** A source of your own: a queue, a broker, a folder, a bucket. List it in `defineApp({ sources: […] })`. */
export function customSource(options: CustomSourceOptions): CustomSource {
  checkOptions('customSource', options, optionNames)
  const {
    name,
    to,
    run,
    where = 'every-worker',
    inFlightMax = inFlightMaxDefault,
    queue,
    description,
  } = options
  return Object.freeze({
    ...{ kind: 'source' as const, transport: 'custom' as const },
    ...{ name, to, run, where, inFlightMax, queue, description },
  })
}

/** What is received, with its limits kept. Throws REQUEST_INVALID and EVENT_TOO_LARGE. */
export function received({ headers = {}, body }: ReceivedMessage): Pick<Message, 'headers' | 'body'> {
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    throw new EventspineError(
      'REQUEST_INVALID',
      'A message needs a body: write receive({ id, headers, body }), where body is a Uint8Array or a text.',
      { field: '/body' },
    )
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (bytes.length > bodyBytesMax)
    throw new EventspineError(
      'EVENT_TOO_LARGE',
      `A message may have ${bodyBytesMax / 1024} KiB, and this one has ${Math.ceil(bytes.length / 1024)}. Keep the large part elsewhere, and send a reference.`,
      { field: '/body' },
    )
  return { headers: headersOf(headers), body: bytes }
}
