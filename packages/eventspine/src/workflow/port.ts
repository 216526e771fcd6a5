// What workflows need of a store: an append-only history for each instance, written under the lease of whoever runs
// it, and timers that the database's clock judges.
import type { Act } from '../append/port.js'
import type { ConsumerName } from '../deliver/port.js'
import type { NewEvent, StoredEvent } from '../event/stored.js'

export const entryKinds = [
  'started',
  'step-begun',
  'step-failed',
  'step-done',
  'step-claimed',
  'step-dead',
  'timer-set',
  'timer-fired',
  'waiting',
  'asked',
  'withdrawn',
  'occurred',
  'event-claimed',
  'signal',
  'published',
  'child-started',
  'child-failed',
  'child-ended',
  'cancel-requested',
  'deadline-passed',
  'compensating',
  'undo-begun',
  'undo-failed',
  'undo-done',
  'ended',
] as const
export type EntryKind = (typeof entryKinds)[number]

/** One line of a history. Never changed; positions follow one another from 0. */
export interface Entry {
  readonly position: number
  readonly kind: EntryKind
  /** Which call of the workflow's code it belongs to: `2`, or `4.1/0` for the first call of the second branch of the
   *  fifth. Empty where it came from outside. */
  readonly place: string
  /** Of the step, signal, child or event. Empty where it has none. */
  readonly name: string
  /** JSON. */
  readonly data: string | null
  /** When it was written, by the database's clock, in milliseconds since 1970. */
  readonly atMs: number
}

/** `failed`: it threw, and there was nothing to undo. `compensated`: it threw or was cancelled, and all is undone.
 *  `terminated`: a person ended it where it stood, and nothing is undone. */
export const workflowStates = [
  'running',
  'compensating',
  'completed',
  'failed',
  'compensated',
  'cancelled',
  'terminated',
] as const
export type WorkflowState = (typeof workflowStates)[number]

export interface InstanceName {
  readonly tenant: string
  readonly workflow: string
  readonly id: string
}

export interface Parent {
  readonly workflow: string
  readonly id: string
  /** Its call. */
  readonly place: string
}

export interface Instance extends InstanceName {
  readonly version: number
  readonly state: WorkflowState
  /** Entries of its history. */
  readonly entries: number
  readonly parent: Parent | null
  readonly startedAtMs: number
  readonly changedAtMs: number
  readonly endedAtMs: number | null
  /** When a timer of it is due, by the database's clock. */
  readonly wakeAtMs: number | null
  /** Null once it passed or the instance ended. */
  readonly deadlineAtMs: number | null
}

export interface Loaded {
  readonly instance: Instance
  readonly history: readonly Entry[]
}

/** Further entries of one instance, all or nothing, if it has just `from` of them and the lease still holds; of a new one, if
 *  the definition of its holder is in force, too. */
export interface Recording extends InstanceName {
  readonly consumer: ConsumerName & { readonly token: number }
  readonly from: number
  readonly entries: readonly Entry[]
  readonly state: WorkflowState
  /** When it wants to be woken, by the database's clock. */
  readonly wakeAtMs: number | null
  /** Appended to the log with it. */
  readonly published: readonly NewEvent[]
  /** All that it waits for from outside from now on; null when that is as before. */
  readonly awaited: readonly AwaitedOutside[] | null
  /** The first recording makes the instance. */
  readonly made: {
    readonly version: number
    readonly parent: Parent | null
    readonly deadlineInMs: number
  } | null
}

/** How an instance ended: its state, and the JSON of the entry that says so. */
export interface WorkflowEnd {
  readonly state: WorkflowState
  readonly data: string | null
}

/** What an instance waits for from outside: an event, or the decision of a person. */
export interface AwaitedOutside {
  /** Its call. */
  readonly place: string
  /** Of the event; `decisionType` for a decision. */
  readonly type: string
  /** Of the event; of a decision the name of its approval. */
  readonly key: string
  /** Of a decision alone. */
  readonly question?: {
    /** Of the entry that asks. */
    readonly position: number
    /** When nobody need decide any more, by the database's clock; null for never. */
    readonly dueAtMs: number | null
  }
}

/** No event has it. */
export const decisionType = 'eventspine.approval'

/** Whoever waits for an event. */
export interface AwaitedBy {
  readonly tenant: string
  readonly workflow: string
  readonly type: string
  readonly key: string
}

/** A look for an event that is in the log already. */
export interface Occurrences {
  readonly tenant: string
  readonly type: string
  readonly key: string
  /** Of an event: only what was appended after it counts. */
  readonly since: string
  /** Of events that it took before. */
  readonly taken: readonly string[]
  /** The `seq` of the last one that was looked at; 0 for none. */
  readonly after: number
}

/** As many are answered at a time. */
export const occurrencesMax = 100

export interface WokenInstance extends InstanceName {
  /** Why: a timer of it is due, or its deadline passed. */
  readonly cause: 'timer' | 'deadline'
}

export interface WorkflowQuery {
  readonly tenant?: string
  readonly workflow?: string
  readonly state?: WorkflowState | 'needs-attention' | 'awaiting-approval' | 'open'
  /** Exactly this one, of whatever workflow. */
  readonly id?: string
  /** The version that it began on: who still runs an old one. */
  readonly version?: number
  /** Started at this moment or later. */
  readonly startedAfter?: Date
  readonly startedBefore?: Date
  /** Of the answer before. */
  readonly cursor?: string
  /** Default 50, at most 500. */
  readonly limit?: number
}

export interface WorkflowPort {
  /** Each with its whole history, in the order asked for; undefined where there is none. `nowMs` by the database's
   *  clock, read while it answered. */
  loadWorkflows(names: readonly InstanceName[]): Promise<{
    readonly nowMs: number
    readonly found: readonly (Loaded | undefined)[]
  }>
  /** One transaction. Answers which were recorded, by their index: the others lost their lease, or somebody else has
   *  written since. Safe to send again when its answer was lost. */
  recordWorkflows(recordings: readonly Recording[]): Promise<ReadonlySet<number>>
  /** Ends an instance where it stands, whoever runs it, and appends the events and the audit row, in one transaction; false,
   *  and nothing, where it has other than `entries` entries by now, or has ended. */
  endWorkflow(
    name: InstanceName,
    entries: number,
    end: WorkflowEnd,
    published: readonly NewEvent[],
    act: Act,
  ): Promise<boolean>
  /** Ids of the instances that wait for such an event, for each that is asked. */
  awaiting(asked: readonly AwaitedBy[]): Promise<readonly (readonly string[])[]>
  /** By `seq`, at most `occurrencesMax`. */
  occurrences(asked: Occurrences): Promise<readonly StoredEvent[]>
  /** Takes instances whose timer or deadline is due and appends what `wake` makes of them, in one transaction.
   *  Answers how many, at most `max`. */
  wakeWorkflows(max: number, wake: (woken: WokenInstance) => readonly NewEvent[]): Promise<number>
  /** Milliseconds until the next timer or deadline; null when there is none. */
  nextWakeMs(): Promise<number | null>
  /** Newest first. */
  workflows(
    query: WorkflowQuery,
  ): Promise<{ readonly items: readonly InstanceView[]; readonly cursor: string | null }>
  /** Null while it runs, and where there is none. */
  workflowEnd(name: InstanceName): Promise<WorkflowEnd | null>
  workflow(name: InstanceName): Promise<(Loaded & Standing) | null>
}

/** What it waits for a person for. */
export interface Standing {
  /** Why it stands; null when it does not. */
  readonly attention: Attention | null
  /** Of the decisions that it waits for, the one that was asked for first; null when it waits for none. */
  readonly approval: AwaitedApproval | null
}

export interface InstanceView extends Instance, Standing {}

/** A decision that an instance waits for. */
export interface AwaitedApproval {
  readonly name: string
  /** Its place in the history: a decision names it. */
  readonly question: string
  /** Who is asked, and what, where the code says it: the first 200 characters (`questionTextMax`), and `…` where there are
   *  more. */
  readonly to?: string
  readonly text?: string
  readonly askedAtMs: number
  /** When it waits no more; null where it waits for as long as it takes. */
  readonly dueAtMs: number | null
  /** How many decisions the instance waits for, this one among them. */
  readonly open: number
}

/** Characters of a question that a list shows. */
export const questionTextMax = 200

/** The dead letter that halts an instance. */
export interface Attention {
  readonly letter: string
  readonly message: string
  readonly diedAtMs: number
  /** So many retries of it have failed again. */
  readonly retries: number
  /** The last of them, or the one that runs; null before the first. */
  readonly retry: Retry | null
}

/** A letter that halts an instance was sent again. */
export interface Retry {
  /** The id of its redrive. */
  readonly redrive: string
  readonly state: 'running' | 'failed'
  readonly by: string
  readonly atMs: number
}
