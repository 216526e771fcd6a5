// What a workflow's code may catch: built from the record, so that it is the same when the code runs again.
import type { Failure } from '../deliver/port.js'
import { HandlerError, PermanentError } from '../handle/index.js'
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

/** The point of no return was tried, and nobody knows whether it was passed. */
export class PivotInDoubtError extends PermanentError {}

/** What waits for a person waits on, whatever else came. */
export function stillHalted({ name, kind, asked }: Call): Error {
  const what = kind === 'undo' ? `Undoing step "${name}"` : `Step "${name}"`
  const message = `${what} failed before and waits for a person. Mend the cause, then retry.`
  const isPivot = kind === 'step' && asked.options?.pivot === true
  return isPivot ? new PivotInDoubtError(message) : new PermanentError(message)
}
