// What a workflow's code is given. Whatever goes out to the world or depends on time and chance goes through here, so
// that a second run of the code sees the same.
import type { AnyEventDefinition, EventOf, InputOf } from '../event/definition.js'
import type { HandlerPublishOptions } from '../handle/context.js'
import type { RetryPolicy } from '../handle/index.js'
import type { Logger } from '../observe/log.js'
import type { AnyWorkflow, WorkflowInput, WorkflowOutput } from './definition.js'

/** What the function of a step, or of its undoing, is given. */
export interface StepContext {
  /** The same over all attempts, restarts and failover. Give it to the outside as idempotency key. */
  readonly idempotencyKey: string
  /** In an undo: the idempotency key of the step that it undoes. Where nobody knows what the step did, it says what to look for. */
  readonly undoes: string | undefined
  /** 1 for the first. */
  readonly attempt: number
  /** Aborts at the deadline, when the lease is lost, and when shutdown runs out of patience. */
  readonly signal: AbortSignal
  readonly log: Logger
}

/** What the function that undoes a step is given. */
export interface UndoContext extends StepContext {
  readonly undoes: string
}

export interface StepOptions<Result> {
  /** Default: the workflow's. */
  readonly retry?: RetryPolicy
  /** Of one attempt, whose signal aborts then. What it answers or throws within 5 s (at most as long as the deadline) still
   *  counts; after that it is a timeout. Default 30,000. */
  readonly deadlineMs?: number
  /** Undoes what the step did, when the workflow fails or is cancelled later. Recorded before the step is tried: one
   *  whose outcome nobody knows is undone, too, with `undefined` as its result. Must be safe to run twice. */
  readonly undo?: (result: Result | undefined, ctx: UndoContext) => unknown
  /** Of one attempt to undo. Default: `deadlineMs`. */
  readonly undoDeadlineMs?: number
  /** Of the undoing. Default `retries.standard()`. Where it ends, the instance waits for a person. */
  readonly undoRetry?: RetryPolicy
  /** The point of no return: once it is through nothing before it is undone, and what follows is tried until it
   *  succeeds, or waits for a person. */
  readonly pivot?: boolean
}

export interface WaitOptions {
  /** Answers `undefined` after so long. Default: waits until the workflow's deadline. */
  readonly timeoutMs?: number
}

export interface EventMatch<Definition extends AnyEventDefinition> {
  /** The event's key, as its definition takes it from the data. */
  readonly key: string
  /** Passes over those for which it answers false. It answers at once: no promise. */
  readonly where?: (event: EventOf<Definition>) => boolean
}

export interface ApprovalOptions extends WaitOptions {
  /** Who should decide, and what about: shown to whoever is asked. */
  readonly to?: string
  /** Both at most 10,000 characters. */
  readonly text?: string
}

/** What a person decided, and who, when and why. */
export interface Approval {
  readonly approved: boolean
  readonly by: string
  readonly reason: string | undefined
  readonly at: Date
}

export interface ChildOptions {
  /** Default: this instance's id and the place of the call. */
  readonly id?: string
}

export interface MapOptions {
  /** Branches at a time. Default 10. */
  readonly concurrency?: number
}

export type Branch<Result> = (ctx: WorkflowContext) => Promise<Result>

export interface WorkflowContext {
  readonly id: string
  readonly tenant: string
  readonly workflow: string
  readonly version: number
  /** Logs once: nothing while recorded steps are gone through again. */
  readonly log: Logger
  /** Runs `action` until it succeeds or its retries are used up, and records what it answered. Running again, the code
   *  is given the record. The answer is what JSON makes of it, at most 256 KiB; above 64 KiB
   *  (`softLimitBytes`) it lies in the object store. Throws StepError. */
  step<Result>(
    name: string,
    action: (ctx: StepContext) => Result | Promise<Result>,
    options?: StepOptions<Result>,
  ): Promise<Result>
  sleep(ms: number): Promise<void>
  sleepUntil(time: Date): Promise<void>
  /** The next signal of that name, also one that came before; `undefined` when none came in time. */
  signal<Payload = unknown>(name: string, options?: WaitOptions): Promise<Payload | undefined>
  /** The first event of that type under that key since the instance was started (or since the event that started it),
   *  also one that came before the call; `undefined` when none came in time. The workflow lists the type in `waitsFor`.
   *  An event answers one call of an instance. */
  waitFor<Definition extends AnyEventDefinition>(
    event: Definition,
    match: EventMatch<Definition>,
    options?: WaitOptions,
  ): Promise<EventOf<Definition> | undefined>
  /** Asks a person. Answers `undefined` when nobody decided in time. */
  approval(name: string, options?: ApprovalOptions): Promise<Approval | undefined>
  /** Starts another workflow and waits for its end. Throws ChildError when it did not complete. */
  child<Definition extends AnyWorkflow>(
    definition: Definition,
    input: WorkflowInput<Definition>,
    options?: ChildOptions,
  ): Promise<WorkflowOutput<Definition>>
  /** Appended to the log with what is recorded of this workflow, once. */
  publish<Definition extends AnyEventDefinition>(
    event: Definition,
    data: InputOf<Definition>,
    options?: Omit<HandlerPublishOptions, 'id'>,
  ): Promise<{ readonly id: string }>
  /** All branches at once. Ends when every one has ended; throws what the first of them threw. */
  all<const Branches extends readonly Branch<unknown>[]>(
    branches: Branches,
  ): Promise<{ -readonly [Index in keyof Branches]: Awaited<ReturnType<Branches[Index]>> }>
  /** The first branch to end. The others start nothing further, and their children are cancelled. */
  race<Result>(branches: readonly Branch<Result>[]): Promise<Result>
  /** A branch for each item. Once one has failed no further one begins; ends when those that began have, and throws what the first
   *  of them threw. */
  map<Item, Result>(
    items: readonly Item[],
    each: (item: Item, ctx: WorkflowContext, index: number) => Promise<Result>,
    options?: MapOptions,
  ): Promise<Result[]>
  /** When the workflow came to where it is: the same when it runs again. */
  now(): Date
  /** From 0 to 1, the same when it runs again. */
  random(): number
  /** A UUID, the same when it runs again. */
  uuid(): string
}
