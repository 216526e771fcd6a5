// What a handler publishes and what it does in its transaction: kept until its outcome is recorded, dropped when it
// fails, refused when it comes too late.
import type { AnyEventDefinition, InputOf } from '../event/definition.js'
import { prepare } from '../event/index.js'
import type { NewEvent } from '../event/stored.js'
import { Cancellation } from '../kernel/index.js'
import { publishSpan } from '../observe/trace.js'
import { ProcessingError } from './category.js'
import type { HandlerPublishOptions, Transaction } from './context.js'
import { connectionLost } from './failure.js'
import { persistently } from './persistently.js'
import type { Attempt, ExecutionServices } from './runner.js'

/** Events that a handler publishes: kept until its outcome is recorded, dropped when it fails. */
export class Publications {
  readonly #attempt: Attempt
  readonly #traceparent: string
  readonly #services: ExecutionServices
  readonly #pending: Promise<NewEvent>[] = []
  readonly #ended = new Cancellation()
  #open = true
  #interrupted = false

  constructor(attempt: Attempt, traceparent: string, services: ExecutionServices) {
    this.#attempt = attempt
    this.#traceparent = traceparent
    this.#services = services
  }

  /** Rejects what cannot be published. A handler need not await it: `collect` rejects as well. */
  add<Definition extends AnyEventDefinition>(
    definition: Definition,
    data: InputOf<Definition>,
    options: HandlerPublishOptions = {},
  ): Promise<{ readonly id: string }> {
    if (!this.#open) return this.#late('publish was called')
    if (this.#pending.length <= publicationsMax) this.#pending.push(this.#prepared(definition, data, options))
    const last = this.#pending.at(-1) as Promise<NewEvent>
    return handled(last.then(({ id }) => ({ id })))
  }

  async #prepared(
    definition: AnyEventDefinition,
    data: unknown,
    options: HandlerPublishOptions,
  ): Promise<NewEvent> {
    if (this.#pending.length >= publicationsMax)
      throw new ProcessingError(`A handler may publish at most ${publicationsMax} events; split the work`)
    const { event } = this.#attempt.item
    const { preparation, clock, checkIn } = this.#services
    const inherited = { tenant: event.tenant, correlationId: event.correlationId, causationId: event.id }
    // The event carries the span of its publishing, as outside of handlers. Whether it came to be says the outcome of
    // the span above: what a failed attempt published never was.
    const span = publishSpan(definition.type, event.tenant, this.#traceparent)
    try {
      const traced = { ...options, ...inherited, traceparent: span.traceparent ?? this.#traceparent }
      const complete = await prepare(definition, data, traced, preparation)
      const checkedIn = await persistently(clock, this.#ended, () => checkIn(complete))
      span.end()
      return checkedIn
    } catch (error) {
      span.end(error)
      throw error
    }
  }

  /** The transaction as long as the handler runs: what comes later would join the attempt of another. */
  guarded(transaction: Transaction): Transaction {
    return {
      query: (text, values) =>
        this.#open
          ? handled(this.#watched(transaction.query(text, values)))
          : this.#late('a statement was run'),
    }
  }

  /** The database ended the transaction while the handler ran. */
  get interrupted(): boolean {
    return this.#interrupted
  }

  #watched<Result>(statement: Promise<Result>): Promise<Result> {
    return statement.catch((error: unknown) => {
      this.#interrupted ||= connectionLost(error)
      throw error
    })
  }

  // Often nobody awaits it any more, so it is logged too.
  #late(what: string): Promise<never> {
    const error = new Error(`After the handler ended ${what}: await it inside the handler`)
    this.#services.logger.error(error.message, {
      subscription: this.#attempt.subscription.name,
      event: this.#attempt.item.event.id,
    })
    return handled(Promise.reject(error))
  }

  collect(): Promise<readonly NewEvent[]> {
    return Promise.all(this.#pending)
  }

  close(): void {
    this.#open = false
  }

  /** The attempt is over: nothing of it is tried again. */
  end(): void {
    this.close()
    this.#ended.cancel(over)
  }
}

const publicationsMax = 1_000
/** One for all: the stack of each took a tenth of what a transactional delivery costs. */
const over = new Error('The attempt has ended')

/** Whoever awaits it sees its error; a rejection that nobody awaits would end the process. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  return promise
}
