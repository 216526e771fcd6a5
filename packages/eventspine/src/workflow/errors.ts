// What a workflow's code may catch: built from the record, so that it is the same when the code runs again.
import type { Failure } from '../deliver/port.js'
import { HandlerError, judge, PermanentError } from '../handle/index.js'
import type { Call } from './call.js'
import type { WorkflowState } from './port.js'

/** A step that is given up. */
export class StepError extends HandlerError {
  constructor(
    readonly step: string,
    readonly failure: Failure,
  ) {
    super(failure.category, `Step "${step}" failed: ${failure.message}`)
    delete (this as { stack?: string }).stack
  }
}

/** A child that ended otherwise than completed. */
export class ChildError extends HandlerError {
  constructor(
    readonly workflow: string,
    readonly id: string,
    readonly state: WorkflowState,
    readonly failure: Failure | undefined,
  ) {
    super(
      failure?.category ?? 'permanent',
      `Child "${workflow}" ${id} ended as ${state}${failure === undefined ? '' : `: ${failure.message}`}`,
    )
    delete (this as { stack?: string }).stack
  }
}

/** The context was asked for what it cannot do. Only other code mends that, so the instance waits for it. */
export class MisuseError extends TypeError {
  /** Where the code swallowed it, a second try would not meet it again. */
  readonly category = 'permanent'

  constructor(message: string) {
    super(`Workflow: ${message}.`)
  }
}

/** What the code called. */
export interface Named {
  readonly kind: string
  readonly name: string
}

/** What the code called would be lost with its end, or fail unheard. */
export const notAwaited = ({ kind, name }: Named) =>
  new MisuseError(
    `the code ended without waiting for ctx.${kind}${name === '' ? '' : ` "${name}"`}. Write await in front of it; of several that run at once, await ctx.all or ctx.race`,
  )

/** The code waits, and not for its context. */
export const stranded = (workflow: string, ms: number) =>
  new PermanentError(
    `The code of "${workflow}" awaits something that is not of its context, for ${ms / 1_000} s by now. Put it into a step: what is awaited elsewhere is not recorded, and may answer otherwise the next time.`,
  )

/** A child failed where the way leads on alone. */
export function childHalted({ name, ended }: Call): Error {
  const { id = '', state = 'failed', failure } = ended ?? {}
  const why = failure === undefined ? '' : `: ${failure.message}`
  return new PermanentError(
    `Child "${name}" ${id} ended as ${state}${why}. Behind the point of no return its parent waits for a copy of it that completes: restart it (eventspine workflows restart ${name} '${id}'), then retry this one.`,
  )
}

/** The code threw where the way leads on alone. */
export const pastPivot = (error: unknown) =>
  new PermanentError(
    `Behind the point of no return the code threw: ${judge(error).message}. What is recorded stays: mend the code, then retry; or terminate the instance, and restart it from a step.`,
    { cause: error },
  )

/** The point of no return was tried, and nobody knows whether it was passed. */
export class PivotInDoubtError extends PermanentError {}

/** What waits for a person waits on, whatever else came. */
export function stillHalted({ name, kind, asked }: Call): Error {
  const what = kind === 'undo' ? `Undoing step "${name}"` : `Step "${name}"`
  const message = `${what} failed before and waits for a person. Mend the cause, then retry.`
  const isPivot = kind === 'step' && asked.options?.pivot === true
  return isPivot ? new PivotInDoubtError(message) : new PermanentError(message)
}
