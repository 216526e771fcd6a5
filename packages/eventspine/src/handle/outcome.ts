// What became of one attempt. The only place that turns a failure into retry or dead.
import { type Failure, newerVersionName } from '../deliver/port.js'
import type { NewEvent } from '../event/stored.js'
import type { Random } from '../kernel/index.js'
import { HandlerError } from './category.js'
import { failureOf, judge, retryAfterOf } from './failure.js'
import { attemptsAllowed, type RetryPolicy } from './retry-policy.js'

export type Outcome =
  | { readonly kind: 'done'; readonly published: readonly NewEvent[] }
  /** `counted: false`: no handler saw it, so it spends no attempt and says nothing of what handlers call. */
  | {
      readonly kind: 'retry'
      readonly failure: Failure
      readonly delayMs: number
      readonly counted?: false
    }
  | { readonly kind: 'dead'; readonly failure: Failure }
  /** The attempt was stopped by us (lease lost, shutdown): nothing is recorded, it runs again elsewhere. */
  | { readonly kind: 'abandoned' }

/** What a handler is told whose attempt was given up for nothing that it did: it runs again, and nobody needs to hear. */
export class AbandonedError extends Error {
  static readonly #made = new WeakSet()

  /** Not `instanceof`: what handlers throw may answer that with an error of its own. */
  static is(error: unknown): boolean {
    return AbandonedError.#made.has(error as object)
  }

  constructor() {
    super('This attempt is given up: what runs beside it in its transaction cannot go on. It is tried again.')
    this.name = 'AbandonedError'
    AbandonedError.#made.add(this)
  }
}

/**
 * While versions roll out, an event can be newer than the app that meets it. It waits for one that knows it, whatever the
 * policy says of attempts: no handler has seen it yet. After a day of that nobody rolls anything out any more.
 */
export class NewerVersionError extends HandlerError {
  static readonly #made = new WeakSet()

  static is(error: unknown): error is NewerVersionError {
    return NewerVersionError.#made.has(error as object)
  }

  /** `ageMs`: since the event was recorded. */
  constructor(
    message: string,
    readonly ageMs: number,
  ) {
    super('unknown', message)
    this.name = newerVersionName
    NewerVersionError.#made.add(this)
  }
}

const newerMsMax = 24 * 3_600_000
const newerRetryMsMin = 5_000
const newerRetryMsMax = 60_000

function newer(error: NewerVersionError): Outcome {
  const failure = judge(error)
  if (error.ageMs >= newerMsMax) return { kind: 'dead', failure }
  const delayMs = Math.min(newerRetryMsMax, Math.max(newerRetryMsMin, error.ageMs / 10))
  return { kind: 'retry', failure, delayMs, counted: false }
}

/** Process deaths while it ran after which an event is quarantined. The first makes it a suspect, or the first two of a
 *  fresh one; the others it must have caused alone. Kills from outside meet one suspect in its short run now and then,
 *  and hardly ever the same one again. */
const deathsMax = 4

function failed(error: unknown, attempt: number, policy: RetryPolicy, random: Random): Outcome {
  if (NewerVersionError.is(error)) return newer(error)
  const failure = judge(error)
  if (attempt >= attemptsAllowed(policy, failure.category)) return { kind: 'dead', failure }
  return { kind: 'retry', failure, delayMs: delayOf(error, attempt, policy, random) }
}

/** Attempts beyond its policy that a delivery has whose transaction ended with the database. */
const interruptionsMax = 3

/**
 * The database ended the transaction under its handler: restarted, failed over, or killed the session. What the
 * handler threw then says nothing about the event. The attempt counts, since an event that fells the database again
 * and again must come to an end; but it is not what makes a delivery dead that was to have one attempt only.
 */
function interrupted(error: unknown, attempt: number, policy: RetryPolicy, random: Random): Outcome {
  const failure = failureOf(error, 'transient')
  if (attempt >= attemptsAllowed(policy, 'transient') + interruptionsMax) return { kind: 'dead', failure }
  return { kind: 'retry', failure, delayMs: delayOf(error, attempt, policy, random) }
}

/** A delay that is asked for is honoured up to a week. */
const delayMsMax = 7 * 86_400_000
const delayMsWithoutPolicy = 1_000

// Policies and errors are the user's: a delay that is no number could not be recorded, and nothing else of the flush
// with it.
function delayOf(error: unknown, attempt: number, policy: RetryPolicy, random: Random): number {
  let delayMs = Number.NaN
  let askedMs = 0
  try {
    askedMs = retryAfterOf(error)
    delayMs = policy.delayMs(attempt, random)
  } catch {
    // Its own delay function throws: there is no policy to follow.
  }
  const wanted = typeof delayMs === 'number' && !Number.isNaN(delayMs) ? delayMs : delayMsWithoutPolicy
  return Math.min(delayMsMax, Math.max(0, wanted, askedMs))
}

export const processDeathName = 'ProcessDeath'

function quarantined(deaths: number): Outcome {
  const error = new Error(
    `The process died ${deaths} times while this event was being handled. Fix the handler, then redrive.`,
  )
  error.name = processDeathName
  return { kind: 'dead', failure: failureOf(error, 'permanent') }
}

/** The handler published under an id that belongs to another body. */
function conflicted(): Outcome & { readonly kind: 'dead' } {
  const error = new Error(
    'The handler published an event under an id that already belongs to another body. Give each fact an id of its own.',
  )
  error.name = 'IdempotencyConflict'
  return { kind: 'dead', failure: failureOf(error, 'validation') }
}

/** How attempts are judged. A value, so that delivery can be handed it without knowing this stage. */
const givenUp = () => new AbandonedError()

export const outcomes = { failed, interrupted, quarantined, conflicted, givenUp, deathsMax } as const
export type Outcomes = typeof outcomes
