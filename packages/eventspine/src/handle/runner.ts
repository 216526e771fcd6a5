// Runs user code: shows the event, hands it over with its context, and answers what became of it. A handler can throw,
// hang or answer nonsense; the answer comes all the same, once.
import type { ConsumerName } from '../deliver/port.js'
import type { Event } from '../event/event.js'
import type { AnyEventDefinition, Preparation } from '../event/index.js'
import type { Decoded, EventRegistry } from '../event/registry.js'
import type { NewEvent, StoredEvent } from '../event/stored.js'
import type { Cancellation, Clock, Random } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import type { HandlerContext, Transaction } from './context.js'
import { Deadlines } from './deadlines.js'
import { Execution, undecodable } from './execution.js'
import { type Outcome, outcomes } from './outcome.js'
import { persistently } from './persistently.js'
import type { RetryPolicy } from './retry-policy.js'
import { eventFor } from './view.js'

export interface Attempt {
  readonly subscription: {
    readonly name: string
    readonly reads: ReadonlyMap<string, AnyEventDefinition> | undefined
    readonly handle: ((event: Event, context: HandlerContext) => unknown) | undefined
    readonly transact:
      | ((event: Event, context: HandlerContext & { readonly tx: Transaction }) => unknown)
      | undefined
    readonly workflow: string | undefined
    /** Its handler is the engine's own: it tries the kept messages of this source again. */
    readonly source?: string
    /** Its handler is the engine's own: it sends the messages of these webhooks. */
    readonly webhooks?: string
    readonly retry: RetryPolicy
    readonly deadlineMs: number
  }
  /** `replay`: its id, else empty. */
  readonly lease: ConsumerName & { readonly token: number }
  readonly item: {
    readonly event: StoredEvent
    readonly attempt: number
    readonly round: number
    /** Process deaths while it ran. */
    readonly deaths: number
    /** When the lease is lost or the worker stops. */
    readonly cancellation: Cancellation
  }
  readonly transaction: Transaction | undefined
  /** Know whether an event of some type waits for it to end. */
  readonly keys?: { isBehind(item: Attempt['item'], type: string): boolean }
}

/** One delivery of what moves an instance of a workflow on. */
export interface Drive {
  readonly event: Event
  /** When the database wrote it, by its clock, in milliseconds since 1970. */
  readonly recordedAtMs: number
  readonly context: HandlerContext
  readonly grant: ConsumerName & { readonly token: number }
  readonly cancellation: Cancellation
  /** A process died while it was at this. */
  readonly isSuspect: boolean
  isBehind(type: string): boolean
}

export interface RunnerServices {
  readonly registry: EventRegistry
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly preparation: Preparation
  /** Moves an instance of a workflow on. */
  drive(workflow: string, drive: Drive): Promise<void>
  /** Tries a kept message of a source again. */
  retranslate(source: string, event: Event, context: HandlerContext): Promise<void>
  /** Sends a message of these webhooks to its endpoint. */
  sendWebhook(webhooks: string, event: Event, context: HandlerContext): Promise<void>
  /** Body of a claimed event. */
  fetchBody(reference: string): Promise<string>
  /** Sends a large body to the object store before its event is recorded. */
  checkIn(event: NewEvent): Promise<NewEvent>
}

/** An event as handlers see it, or why they cannot. */
export type Shown = { readonly ok: true; readonly event: Event } | (Decoded & { readonly ok: false })

export interface ExecutionServices extends RunnerServices {
  readonly deadlines: Deadlines
  /** A promise only when the body has to be fetched or the schema is asynchronous. */
  show(event: StoredEvent, cancellation: Cancellation, read?: AnyEventDefinition): Shown | Promise<Shown>
}

// All handlers of an event share what was made of it; the memory goes with the event. A WeakMap from events to this
// took 5 µs of garbage collection for each. What `data` it was made of is kept, since a mended event is a copy.
const shown = Symbol('shown')
type Remembering = StoredEvent & { [shown]?: { readonly data: string; readonly made: Shown } }

export class Runner {
  readonly #services: ExecutionServices

  constructor(services: RunnerServices) {
    this.#services = {
      ...services,
      deadlines: new Deadlines(services.clock),
      show: (event, cancellation, read) => this.#show(event, cancellation, read),
    }
  }

  /** Calls `done` with the outcome, once. Never throws. */
  run(attempt: Attempt, done: (outcome: Outcome) => void): void {
    let execution: Execution
    try {
      execution = new Execution(attempt, this.#services, done)
    } catch (error) {
      // A tracer of the user's, say.
      const { random } = this.#services
      return done(outcomes.failed(error, attempt.item.attempt, attempt.subscription.retry, random))
    }
    execution.start()
  }

  /** As handlers see it. Rejects what they cannot see. */
  async shown(event: StoredEvent, cancellation: Cancellation): Promise<Event> {
    const made = await this.#show(event, cancellation)
    if (made.ok) return made.event
    throw undecodable(made, this.#services.clock.now() - event.recordedAtMs)
  }

  #show(event: Remembering, cancellation: Cancellation, read?: AnyEventDefinition): Shown | Promise<Shown> {
    const { registry, preparation } = this.#services
    if (event.data === null) return this.#fetched(event, cancellation, read)
    const known = read === undefined ? event[shown] : undefined
    if (known !== undefined && known.data === event.data) return known.made
    // Never remembered: an erasure is to take effect.
    if (preparation.personal.isSealed(event.data)) return this.#fetched(event, cancellation, read)
    if (read !== undefined) {
      const older = registry.decode(event.type, event.version, event.data, read)
      return older instanceof Promise ? older.then((later) => shownOf(event, later)) : shownOf(event, older)
    }
    const decoded = registry.decode(event.type, event.version, event.data)
    return decoded instanceof Promise
      ? decoded.then((later) => remember(event, later))
      : remember(event, decoded)
  }

  async #fetched(event: StoredEvent, cancellation: Cancellation, read?: AnyEventDefinition): Promise<Shown> {
    const { clock, registry } = this.#services
    const { personal } = this.#services.preparation
    const body = await persistently(clock, cancellation, () => this.body(event))
    const plain = personal.isSealed(body)
      ? await persistently(clock, cancellation, () => personal.open(event, body))
      : body
    return shownOf(event, await registry.decode(event.type, event.version, plain, read))
  }

  async body(event: Pick<StoredEvent, 'data' | 'claim'>): Promise<string> {
    return event.data ?? (event.claim === null ? 'null' : this.#services.fetchBody(event.claim))
  }
}

function remember(event: Remembering, decoded: Decoded): Shown {
  const made = shownOf(event, decoded)
  if (decoded.ok && decoded.shareable && event.data !== null && Object.isExtensible(event))
    event[shown] = { data: event.data, made }
  return made
}

const shownOf = (event: StoredEvent, decoded: Decoded): Shown =>
  decoded.ok ? { ok: true, event: eventFor(event, decoded.data) } : decoded
