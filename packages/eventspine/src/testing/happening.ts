// What can happen in a scenario: events, and what people do with workflows.
import type { AnyEventDefinition, InputOf } from '../event/definition.js'
import type { PublishOptions } from '../event/prepare.js'
import type { Eventspine } from '../runtime/eventspine.js'
import type { Decision, StartOptions } from '../runtime/workflow-options.js'
import type { AnyWorkflow, WorkflowInput } from '../workflow/index.js'

/** Something that happens. */
export interface Happening {
  /** Makes it happen. Answers the ids of the events that were published by it. */
  readonly happen: (spine: Eventspine) => Promise<readonly string[]>
  /** Instead of that: so much time goes by. */
  readonly waitMs?: number
}

/** An event; its data is checked against the schema by the compiler and at run time. */
export function publishing<Definition extends AnyEventDefinition>(
  event: Definition,
  data: InputOf<Definition>,
  options: PublishOptions = {},
): Happening {
  return { happen: async (spine) => [(await spine.publish(event, data as never, options)).id] }
}

/** The start of a workflow. */
export function starting<Definition extends AnyWorkflow>(
  workflow: Definition,
  input: WorkflowInput<Definition>,
  options: StartOptions = {},
): Happening {
  return quietly((spine) => spine.workflows.start(workflow, input, options))
}

export function signalling(workflow: AnyWorkflow, id: string, signal: string, payload?: unknown): Happening {
  return quietly((spine) => spine.workflows.signal(workflow, id, signal, payload))
}

export function approving(
  workflow: AnyWorkflow,
  id: string,
  approval: string,
  decision: Decision,
): Happening {
  return quietly((spine) => spine.workflows.approve(workflow, id, approval, decision))
}

export function cancelling(workflow: AnyWorkflow, id: string, by = 'test', reason?: string): Happening {
  return quietly((spine) => spine.workflows.cancel(workflow, id, by, reason))
}

/** Time goes by, and whatever is due happens. */
export function waiting(ms: number): Happening {
  return { happen: async () => [], waitMs: ms }
}

const quietly = (action: (spine: Eventspine) => Promise<unknown>): Happening => ({
  happen: async (spine) => {
    await action(spine)
    return []
  },
})
