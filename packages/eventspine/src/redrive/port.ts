// What redrive and replay need of a store.
import type { Failure } from '../deliver/port.js'
import type { Category } from '../handle/category.js'
import type { AuditRow } from '../inspect/port.js'

export type DeadLetterState = 'dead' | 'redriving' | 'redriven' | 'discarded'

/** A delivery that was given up, with its own copy of the event. */
export interface DeadLetter {
  /** The id of the delivery: `subscription/epoch.seq`. */
  readonly id: string
  readonly subscription: string
  readonly tenant: string
  readonly state: DeadLetterState
  readonly event: {
    readonly id: string
    readonly type: string
    readonly version: number
    readonly source: string
    readonly subject: string | null
    readonly key: string | null
    readonly time: string
    /** Parsed JSON; null when the body lies in the object store. A letter that is asked for alone has it from there. */
    readonly data: unknown
    readonly claim: string | null
    readonly correlationId: string
  }
  readonly attempts: number
  readonly round: number
  readonly failure: Failure
  readonly halts: boolean
  readonly diedAtMs: number
  readonly redrive: string | null
  readonly resolvedAtMs: number | null
  readonly resolvedBy: string | null
  readonly reason: string | null
}

export interface DeadLetterFilter {
  readonly ids?: readonly string[]
  readonly subscription?: string
  readonly category?: Category
  readonly tenant?: string
  readonly fingerprint?: string
  readonly eventType?: string
  /** The event's key: of the messages of webhooks, the endpoint. */
  readonly key?: string
  /** Text that the error message contains. */
  readonly error?: string
  /** So often redriven before. */
  readonly round?: number
  readonly diedAfter?: Date
  readonly diedBefore?: Date
}

export interface DeadLetterGroup {
  readonly subscription: string
  readonly category: Category
  readonly fingerprint: string
  readonly message: string
  readonly count: number
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** How many died in each of the last 24 hours, the one that ends now last. */
  readonly hourly: readonly number[]
}

/** Hours of `hourly`. */
export const groupHours = 24

export interface RedriveRequest {
  readonly filter: DeadLetterFilter
  /** Letters sent a second, at most, by all workers together. How fast they are handled is up to the subscription. Default 50. */
  readonly rate?: number
  /** So many go first; the rest follows only when they ended well. Default 10. */
  readonly canary?: number
  /** Stops when this share of those that ended has failed again. Default 0.5. */
  readonly stopAtErrorRate?: number
  /** Dead letters redriven so many times before are left alone. Default 3. */
  readonly roundsMax?: number
  /** New data for a single dead letter; it is validated against the event's schema. */
  readonly data?: unknown
  /** Who asks, for the audit. */
  readonly actor: string
  readonly reason?: string
  /** Asking twice with the same key is one redrive. */
  readonly idempotencyKey?: string
}

export type RedriveState = 'canary' | 'running' | 'completed' | 'stopped'

export interface Redrive {
  readonly id: string
  readonly state: RedriveState
  readonly filter: DeadLetterFilter
  readonly rate: number
  readonly canary: number
  readonly stopAtErrorRate: number
  readonly selected: number
  readonly sent: number
  readonly succeeded: number
  readonly failed: number
  readonly actor: string
  readonly reason: string | null
  /** Why it stopped, or how it ended; null where nobody said, or nothing is to be said. */
  readonly note: string | null
  readonly createdAtMs: number
  readonly endedAtMs: number | null
  /** It sends a letter with other data than that died with. */
  readonly edited: boolean
  /** Those data, of a redrive that was edited and is asked for alone; in lists they are left out. What is personal in them stays
   *  enciphered. */
  readonly data?: unknown
}

export interface RedrivePreview {
  readonly selected: number
  /** Left out by the loop guard: redriven `roundsMax` times before. */
  readonly guarded: number
  readonly groups: readonly DeadLetterGroup[]
}

export interface RedrivePort {
  previewRedrive(filter: DeadLetterFilter, roundsMax: number): Promise<RedrivePreview>
  /** Selects the dead letters and writes the audit row in one transaction. A letter is in one redrive at a time. With edited
   *  data stores nothing unless it selects one letter: throws LETTER_CHANGED for none, REQUEST_INVALID for several. */
  createRedrive(
    id: string,
    request: Required<Omit<RedriveRequest, 'data' | 'reason' | 'idempotencyKey'>> &
      Pick<RedriveRequest, 'reason' | 'idempotencyKey'> & {
        readonly editedData: string | null
        /** Where the edited data differ from the letter's, as JSON Pointers: for the audit. */
        readonly changed?: readonly string[]
        /** What a person did by it, for the audit, in the place of its own `redrive.create`. The id of the redrive is added. */
        readonly act?: Pick<AuditRow, 'action' | 'target' | 'details'>
      },
  ): Promise<Redrive>
  /** Sends what is due of each running redrive, judges canary and error rate, ends what is over. Answers running ones. */
  advanceRedrives(): Promise<number>
  stopRedrive(id: string, actor: string, reason?: string): Promise<Redrive>
  discard(filter: DeadLetterFilter, actor: string, reason: string): Promise<number>
  redrive(id: string): Promise<Redrive | null>
}

export interface ReplayRequest {
  readonly subscription: string
  readonly from?: 'beginning' | Date
  readonly actor: string
  readonly reason?: string
  /** Names the subscription once more when its handler calls the world: without it such a replay is refused. */
  readonly external?: boolean
}

export interface Replay {
  readonly id: string
  readonly subscription: string
  readonly state: 'running' | 'completed' | 'stopped'
  readonly fromMs: number | null
  readonly untilTick: number
  readonly matched: number
  readonly completed: number
  readonly retrying: number
  readonly dead: number
  /** Share of the range that its slowest shard has passed, 0 to 1. */
  readonly progress: number
  readonly actor: string
  readonly createdAtMs: number
  readonly endedAtMs: number | null
}

export interface ReplayPort {
  createReplay(id: string, request: ReplayRequest): Promise<Replay>
  stopReplay(id: string, actor: string, reason?: string): Promise<Replay>
  replay(id: string): Promise<Replay | null>
}
