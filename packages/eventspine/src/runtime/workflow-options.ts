// What a user says to workflows, and what they are shown of one.
import type { HistoryEntry, InstanceView, OpenQuestion, OpenWait } from '../workflow/index.js'

export interface StartOptions {
  /** The same id twice is one instance. Default: a new UUID v7. */
  readonly id?: string
  readonly tenant?: string
}

export interface InstanceOptions {
  readonly tenant?: string
}

/** Of what a person does. */
export interface ActOptions extends InstanceOptions {
  /** Why, for the audit. */
  readonly reason?: string
}

export interface SignalOptions extends ActOptions {
  /** Who sends it, where a person does: then the audit has it. */
  readonly by?: string
}

export interface RestartOptions extends ActOptions {
  /** A step: its name, or its place in the history. */
  readonly from?: string
  /** Id of the new instance. Default: the old one's and `~2`, `~3` … */
  readonly as?: string
}

export interface Decision {
  readonly approved: boolean
  /** Who decides. */
  readonly by: string
  readonly reason?: string
  /** Which: as `show` has it. Needed where one name is asked more than once. */
  readonly question?: string
}

/** One instance with all that happened to it. */
export interface WorkflowDetails extends InstanceView {
  readonly history: readonly HistoryEntry[]
  /** What it answered; undefined while it runs, and where it did not complete. */
  readonly output: unknown
  /** To people, and open: `workflows.approve` decides them. */
  readonly questions: readonly OpenQuestion[]
  /** Signals and events that it waits for and that did not come yet. */
  readonly waits: readonly OpenWait[]
  /** Why it did not complete. */
  readonly failure: { readonly message: string; readonly category: string } | undefined
}

export interface WorkflowHandle<Output = unknown> {
  readonly id: string
  readonly tenant: string
  readonly workflow: string
  /** Resolves with what it answers. Throws WORKFLOW_FAILED when it ends otherwise, and TIMED_OUT after `timeoutMs`
   *  (default 60,000). */
  result(options?: { readonly timeoutMs?: number }): Promise<Output>
  /** Resolves with true once it has ended, however; with false after `timeoutMs` (default 60,000), and when `signal`
   *  aborts. */
  ended(options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<boolean>
}
