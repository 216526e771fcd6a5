// What the question about workflows asks of a system: run one from its start to its end, and stop.
import type { Place } from '../systems/system.js'

export const workflowSystems = ['eventspine', 'dbos', 'restate'] as const
export type WorkflowSystemName = (typeof workflowSystems)[number]

/** `steps`: three steps that do nothing, one after another. `saga`: the third is refused, and two are undone. */
export type WorkflowKind = 'steps' | 'saga'

export interface WorkflowPlace extends Place {
  /** Of Restate's server; null for the others. */
  readonly restate: { readonly ingress: string; readonly admin: string } | null
}

export interface WorkflowSession {
  /** Starts one under this number and resolves once its end is durable and told. Rejects when it ended otherwise than
   *  it should. */
  run(kind: WorkflowKind, n: number): Promise<void>
  /** Starts one that sleeps for a year, and resolves once it does. */
  sleep?(id: string): Promise<void>
  stop(): Promise<void>
}

export interface WorkflowSystem {
  open(place: WorkflowPlace): Promise<WorkflowSession>
}

/** What three steps make of a number. */
export const answerOf = (n: number) => n + 6

export function expectAnswer(n: number, answer: unknown): void {
  if (answer !== answerOf(n)) throw new Error(`Workflow ${n} answered ${String(answer)}, not ${answerOf(n)}`)
}

/** How often each of the steps of sagas was undone. */
export class Undone {
  #count = 0

  undo(): void {
    this.#count++
  }

  /** Two for each saga that ended. */
  expect(sagas: number): void {
    if (this.#count < 2 * sagas)
      throw new Error(`${this.#count} steps are undone, where ${2 * sagas} must be`)
  }
}
