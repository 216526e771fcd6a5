// One attempt at a step, or at undoing one: under its deadline, and told when its process must let go.
import type { Failure } from '../deliver/port.js'
import { JsonError, writeJson } from '../event/json/index.js'
import {
  attemptsAllowed,
  type RetryPolicy,
  retryAfterOf,
  TimeoutError,
  ValidationError,
} from '../handle/index.js'
import { Cancellation, type Clock, type Random } from '../kernel/index.js'
import type { StepContext } from './context.js'

/** Bytes of JSON that the answer of a step may have. */
export const resultBytesMax = 256 * 1024
export const stepDeadlineMsDefault = 30_000
/** At its deadline a step is told to end, and has this long to do so: what it answers then is known, and need not be undone in doubt. */
const lastWordMsMax = 5_000

export interface AttemptOptions {
  readonly step: string
  readonly action: (ctx: StepContext) => unknown
  readonly context: Omit<StepContext, 'signal'>
  readonly deadlineMs: number
  /** The delivery's: lease lost, or shutdown. */
  readonly cancellation: Cancellation
  readonly clock: Clock
}

/** `json` is null where it answered nothing. */
export type AttemptOutcome =
  | { readonly ok: true; readonly json: string | null }
  | { readonly ok: false; readonly error: unknown }

export function attempt(options: AttemptOptions): Promise<AttemptOutcome> {
  const { action, context, deadlineMs, cancellation, clock, step } = options
  const own = new Cancellation()
  cancellation.listen(() => own.cancel(cancellation.reason))
  return new Promise<AttemptOutcome>((resolve) => {
    let cancelTimer = clock.after(deadlineMs, () => {
      const error = new TimeoutError(`Step "${step}" did not end within its deadline of ${deadlineMs} ms`)
      cancelTimer = clock.after(Math.min(deadlineMs, lastWordMsMax), () => resolve({ ok: false, error }))
      own.cancel(error)
    })
    const end = (outcome: AttemptOutcome) => {
      cancelTimer()
      resolve(outcome)
    }
    const given: StepContext = Object.defineProperty({ ...context } as StepContext, 'signal', {
      get: () => own.signal,
      enumerable: true,
    })
    const work = Promise.resolve().then(() => action(given))
    clock.hold?.(work)
    work
      .then((value) => end({ ok: true, json: jsonOf(step, value) }))
      .catch((error: unknown) => end({ ok: false, error }))
  })
}

/** What is kept of an answer. Throws ValidationError for what cannot be. */
export function jsonOf(what: string, value: unknown, bytesMax = resultBytesMax): string | null {
  if (value === undefined) return null
  try {
    return writeJson(value, { sizeBytesMax: bytesMax, holesAreNull: true })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new ValidationError(
      error.code === 'JSON_SIZE'
        ? `"${what}" answered more than ${bytesMax} bytes of JSON: keep the large part elsewhere, and answer where`
        : `"${what}" answered what cannot be stored: ${error.message}`,
      { cause: error },
    )
  }
}

/** A delay that is asked for is honoured up to a week. */
const delayMsMax = 7 * 86_400_000

/** When the next attempt is due; undefined when there is none. */
export function delayOf(
  error: unknown,
  failure: Failure,
  attempts: number,
  policy: RetryPolicy,
  random: Random,
): number | undefined {
  if (attempts >= attemptsAllowed(policy, failure.category)) return undefined
  const delayMs = policy.delayMs(attempts, random)
  const wanted = Math.max(0, Number.isFinite(delayMs) ? delayMs : 1_000, retryAfterOf(error))
  return Math.min(delayMsMax, wanted)
}
