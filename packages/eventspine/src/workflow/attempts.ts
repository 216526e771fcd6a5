// What an instance is trying right now: its steps, its undoing, what it publishes. Each comes back as something that
// happened, to be recorded.

import type { Failure } from '../deliver/port.js'
import type { NewEvent } from '../event/stored.js'
import {
  HandlerError,
  judge,
  PermanentError,
  persistently,
  type RetryPolicy,
  retries,
} from '../handle/index.js'
import type { Cancellation, Clock, Random } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import { type AttemptOutcome, attempt, delayOf, stepDeadlineMsDefault } from './attempt.js'
import type { Call } from './call.js'
import type { Consequences } from './consequences.js'
import type { StepContext } from './context.js'
import type { DatabaseTime } from './database-time.js'
import type { AnyWorkflow } from './definition.js'
import { MisuseError, PivotInDoubtError } from './errors.js'
import type { Said } from './history.js'
import { insideOf } from './inside-step.js'
import type { Failed } from './program.js'

/** What came of an attempt, or from outside. */
export interface Arrival extends Said {
  readonly published?: readonly NewEvent[]
}

export interface AttemptServices {
  readonly definition: AnyWorkflow
  readonly time: DatabaseTime
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Lease lost, or shutdown. */
  readonly cancellation: Cancellation
  readonly consequences: Consequences
  /** Looks for the event that a call waits for: its JSON, or undefined. */
  look(call: Call, taken: ReadonlySet<string>): Promise<string | undefined>
}

export interface AttemptReports {
  arrived(arrival: Arrival): void
  /** Nothing came of it. */
  idle(): void
  /** It must wait for a person. */
  stuck(error: unknown): void
  /** The point of no return is behind it. */
  pivoted(): boolean
}

export class Attempts {
  readonly #services: AttemptServices
  readonly #reports: AttemptReports
  #running = 0

  constructor(services: AttemptServices, reports: AttemptReports) {
    this.#services = services
    this.#reports = reports
  }

  get running(): number {
    return this.#running
  }

  // The schema may be asynchronous.
  publish(call: Call): void {
    this.#running++
    const { consequences, clock, cancellation } = this.#services
    persistently(clock, cancellation, () => consequences.published(call)).then(
      (event) => this.#arrive(call, { kind: 'published', data: { id: event.id }, published: [event] }),
      (error: unknown) => this.#unpublished(call, error),
    )
  }

  // Behind the point of no return it is tried again when a person has mended its cause.
  #unpublished(call: Call, error: unknown): void {
    if (!this.#reports.pivoted()) return this.#arrive(call, { kind: 'step-dead', data: judge(error) })
    this.#running--
    this.#reports.stuck(
      new PermanentError(
        `Publishing "${call.name}", behind the point of no return, failed and waits for a person: ${judge(error).message}. Mend the cause, then retry.`,
        { cause: error },
      ),
    )
    this.#reports.idle()
  }

  look(call: Call, taken: ReadonlySet<string>): void {
    this.#running++
    call.running = true
    const through = () => {
      call.running = false
      this.#running--
    }
    this.#services.look(call, taken).then(
      (json) => {
        through()
        if (json === undefined) return this.#reports.idle()
        this.#reports.arrived({ kind: 'occurred', place: call.place, name: call.name, json })
      },
      (error: unknown) => {
        through()
        this.#reports.stuck(lookFailed(call.name, error))
        this.#reports.idle()
      },
    )
  }

  try(call: Call): void {
    const { clock, cancellation, logger, consequences } = this.#services
    const { options } = call.asked
    this.#running++
    call.running = true
    call.dueAtMs = undefined
    void attempt({
      step: call.name,
      action: (context) => this.#run(call, context),
      context: {
        ...{ idempotencyKey: consequences.keyOf(call), attempt: call.attempts + 1, log: logger },
        undoes: call.undoes === undefined ? undefined : consequences.keyOf(call.undoes),
      },
      deadlineMs: options?.deadlineMs ?? stepDeadlineMsDefault,
      ...{ cancellation, clock },
    }).then((outcome) => {
      call.running = false
      // Whoever took over from here tries it itself.
      if (!cancellation.cancelled) this.#attempted(call, outcome)
    })
  }

  // What an undo answers is nobody's: it need not be storable.
  async #run(call: Call, context: StepContext): Promise<unknown> {
    const answer = await insideOf(call, () => call.asked.action?.(context))
    return call.kind === 'undo' ? undefined : answer
  }

  #attempted(call: Call, outcome: AttemptOutcome): void {
    const undoes = call.kind === 'undo'
    if (outcome.ok)
      return this.#arrive(call, undoes ? { kind: 'undo-done' } : { kind: 'step-done', json: outcome.json })
    const { random, time } = this.#services
    const failure = judge(outcome.error)
    const attempts = call.attempts + 1
    if (outcome.error instanceof MisuseError) return this.#halts(call, outcome.error, attempts, outcome.error)
    const delayMs = delayOf(outcome.error, failure, attempts, this.#policyOf(call), random)
    if (delayMs === undefined) return this.#givenUp(call, outcome.error, attempts)
    this.#arrive(call, this.#failed(call, outcome.error, attempts, time.latestMs() + delayMs))
  }

  #failed(
    { kind }: Call,
    error: unknown,
    attempts: number,
    dueAtMs: number | null,
  ): Omit<Arrival, 'place' | 'name'> {
    const data = { attempt: attempts, dueAtMs, failure: judge(error) } satisfies Failed
    return { kind: kind === 'undo' ? 'undo-failed' : 'step-failed', data }
  }

  #policyOf({ kind, asked }: Call): RetryPolicy {
    const { definition } = this.#services
    return asked.options?.retry ?? (kind === 'step' ? definition.retry : undefined) ?? retries.standard()
  }

  // Where the way leads on alone, giving up would leave things half done: a person decides.
  #givenUp(call: Call, error: unknown, attempts: number): void {
    const failure = judge(error)
    const times = attempts === 1 ? 'once' : `${attempts} times`
    const told = `failed ${times} and waits for a person: ${failure.message}`
    if (call.kind === 'step' && !this.#reports.pivoted()) {
      if (!isInDoubt(call, failure)) return this.#arrive(call, { kind: 'step-dead', data: failure })
      const message = `Step "${call.name}", the point of no return, ${told}. Nobody knows whether it happened. Retry it, or cancel the instance if it did not: then what was done before is undone.`
      return this.#halts(call, error, attempts, new PivotInDoubtError(message, { cause: error }))
    }
    const what =
      call.kind === 'undo'
        ? `Undoing step "${call.name}"`
        : `Step "${call.name}", behind the point of no return,`
    const message = `${what} ${told}. Mend the cause, then retry.`
    this.#halts(call, error, attempts, new PermanentError(message, { cause: error }))
  }

  #halts(call: Call, error: unknown, attempts: number, why: Error): void {
    this.#arrive(call, this.#failed(call, error, attempts, null))
    this.#reports.stuck(why)
  }

  #arrive({ place, name }: Call, said: Omit<Arrival, 'place' | 'name'>): void {
    this.#running--
    this.#reports.arrived({ ...said, place, name })
  }
}

// To go back from what may have happened would be worse than to wait. One that has an undo can be undone in doubt, and a refusal
// leaves none.
const isInDoubt = ({ asked: { options } }: Call, { category }: Failure) =>
  options?.pivot === true &&
  options.undo === undefined &&
  category !== 'validation' &&
  category !== 'permanent'

// A filter that throws, an event that this code cannot read: mended by deploying. What says itself that it may go better
// later, is tried again: an event that is newer than this process, while versions roll out.
function lookFailed(event: string, error: unknown): Error {
  if (error instanceof HandlerError && error.category !== 'permanent' && error.category !== 'validation')
    return error
  return new PermanentError(
    `Looking for the event "${event}" failed and waits for a person: ${judge(error).message}. Mend the cause, then redrive.`,
    { cause: error },
  )
}
