// One call of a workflow's code that has not been answered: what it is, what is recorded of it, and who waits.
import type { AnyEventDefinition } from '../event/definition.js'
import type { Event } from '../event/event.js'
import type { HandlerPublishOptions } from '../handle/context.js'
import { Answer } from './answer.js'
import type { StepContext, StepOptions } from './context.js'
import type { AnyWorkflow } from './definition.js'
import { type AwaitedOutside, decisionType, type EntryKind } from './port.js'
import type { ChildEnd } from './program.js'
import type { Scope } from './scope.js'

export type CallKind = 'step' | 'sleep' | 'signal' | 'approval' | 'event' | 'child' | 'publish' | 'undo'

/** What a call asks for; each kind reads its own part. */
export interface Asked {
  readonly action?: (ctx: StepContext) => unknown
  readonly options?: StepOptions<unknown>
  readonly timeoutMs?: number
  readonly dueAtMs?: number
  readonly asked?: object
  readonly awaited?: { readonly key: string; readonly where: (event: Event) => boolean }
  readonly child?: {
    readonly definition: AnyWorkflow
    readonly input: unknown
    readonly id: string | undefined
  }
  readonly publication?: {
    readonly event: AnyEventDefinition
    readonly data: unknown
    readonly options: Omit<HandlerPublishOptions, 'id'>
  }
}

export class Call {
  readonly promise: Answer
  resolve!: (value: unknown) => void
  reject!: (error: unknown) => void
  /** Something of it is recorded: it was tried, its timer set, its child started. */
  begun = false
  /** The live run has seen it. */
  active = false
  /** An attempt of it, or a look for its event, runs in this process. */
  running = false
  /** Its last attempt left it to a person. */
  halted = false
  /** Of a child that failed behind the point of no return: how. */
  ended: ChildEnd | undefined
  /** Of an undo: the step. */
  undoes: Call | undefined
  /** Of a question to a person: the position of the entry that asks it. */
  askedAt: number | undefined
  /** Failed attempts. */
  attempts = 0
  /** When it goes on, by the database's clock: the end of a sleep, of a patience, of the wait for the next attempt. */
  dueAtMs: number | undefined

  constructor(
    readonly scope: Scope,
    readonly place: string,
    readonly kind: CallKind,
    readonly name: string,
    readonly asked: Asked,
  ) {
    this.promise = new Answer((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.promise.watch()
  }

  /** Also where its instance is asked to end. A step that was cut off is undone as it is: nobody runs it again for that, but
   *  whether a point of no return was passed must be known. */
  get comesToItsEnd(): boolean {
    return this.begun && (this.kind !== 'step' || this.asked.options?.pivot === true)
  }

  /** What it waits for from outside, as the store is to know it. */
  get outside(): AwaitedOutside | undefined {
    const { place, name, asked, askedAt: position, dueAtMs = null } = this
    if (asked.awaited !== undefined) return { place, type: name, key: asked.awaited.key }
    if (position === undefined) return undefined
    return { place, type: decisionType, key: name, question: { position, dueAtMs } }
  }

  /** What its history says when it begins to wait for somebody else. */
  get opening(): readonly [kind: EntryKind, data?: unknown] | undefined {
    if (this.kind === 'approval') return ['asked', this.asked.asked]
    if (this.kind === 'signal') return ['waiting']
    return this.kind === 'event' ? ['waiting', { key: this.asked.awaited?.key }] : undefined
  }

  /** Its time is its own, and not the end of a patience. */
  get ownTime(): boolean {
    return this.kind === 'step' || this.kind === 'undo' || this.kind === 'sleep'
  }

  /** Patience ends by a stimulus that was accepted when it was over: it stands in the log behind every signal that came in time.
   *  What is due in this process alone, a signal may still be waiting behind this very delivery. */
  isOverBy(stimulatedAtMs: number): boolean {
    return stimulatedAtMs + roundingMs >= (this.dueAtMs ?? Number.POSITIVE_INFINITY)
  }
}

/** The database keeps microseconds. */
const roundingMs = 1

/** Kinds of calls that an entry can belong to. */
export const callsOf: Readonly<Record<string, readonly CallKind[]>> = {
  'step-begun': ['step'],
  'step-failed': ['step'],
  'step-done': ['step'],
  // Given up: a step, or what could not be published or started.
  'step-dead': ['step', 'publish', 'child'],
  'timer-set': ['sleep', 'signal', 'approval', 'event'],
  'timer-fired': ['sleep', 'signal', 'approval', 'event'],
  // For a signal that is not there yet, or an event.
  waiting: ['signal', 'event'],
  occurred: ['event'],
  asked: ['approval'],
  withdrawn: ['approval', 'child', 'signal', 'event'],
  published: ['publish'],
  'child-started': ['child'],
  'child-failed': ['child'],
  'child-ended': ['child'],
  'undo-begun': ['undo'],
  'undo-failed': ['undo'],
  'undo-done': ['undo'],
}
