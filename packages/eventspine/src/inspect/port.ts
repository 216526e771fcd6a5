// What people and the console ask: all of it read-only, paged, and bounded.
import type { BreakerState, Failure, WorkerRow } from '../deliver/port.js'
import type { StoredEvent } from '../event/stored.js'
import type { Category } from '../handle/category.js'
import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterState,
  Redrive,
  Replay,
} from '../redrive/port.js'
import type { Run } from '../settle/port.js'

/** Newest first. `cursor` of the next page is null at the end; it stays right while new rows arrive. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
}

export interface PageRequest {
  readonly cursor?: string
  /** 1 to 500. Default 50. */
  readonly limit?: number
}

export interface EventQuery extends PageRequest {
  readonly type?: string
  readonly key?: string
  readonly tenant?: string
  readonly correlationId?: string
  readonly after?: Date
  readonly before?: Date
  /** Oldest first, for tailing: `cursor` then follows the log. */
  readonly order?: 'newest' | 'oldest'
}

/** What of the log a reader has not seen. */
export interface Remaining {
  /** How many of it the query means. */
  readonly events: number
  /** False where they are too many to be counted (`remainingEventsMax`): then it is the estimate, by the numbers of the log,
   *  of all events there, whether the query means them or not. */
  readonly exact: boolean
  /** Behind them: from here on there is only what comes. */
  readonly cursor: string
}

/** Events that `remaining` counts one by one. */
export const remainingEventsMax = 100_000

/** What of the log a reader has not seen, by type: its first events, about `remainingEventsMax`. */
export interface RemainingTypes {
  readonly types: readonly { readonly type: string; readonly events: number }[]
  /** The estimate, by the numbers of the log, of the events behind those; 0 where there are none. */
  readonly beyond: number
}

export interface DeliveryView {
  readonly id: string
  readonly subscription: string
  readonly replay: string | null
  readonly state:
    | 'pending'
    | 'retry'
    | 'running'
    | 'waiting'
    | 'completed'
    | 'dead'
    | 'redriving'
    | 'redriven'
    | 'discarded'
  readonly attempt: number
  readonly dueAtMs: number | null
  readonly failure: Failure | null
  readonly runs: readonly (Omit<Run, 'epoch' | 'seq' | 'failure'> & {
    readonly worker: string
    readonly failure: Failure | null
  })[]
}

export interface SubscriptionView {
  readonly name: string
  /** The app that registered it last. */
  readonly app: string
  readonly state: 'active' | 'paused'
  readonly priority: 'alarm' | 'normal'
  readonly on: readonly string[]
  readonly shards: number
  readonly policies: Readonly<Record<string, unknown>>
  readonly matched: number
  readonly completed: number
  readonly retrying: number
  readonly dead: number
  /** Dead letters of its replays that wait for a person. None of the other counts has them. */
  readonly replayDead: number
  readonly discarded: number
  readonly skipped: number
  /** Keys that wait behind a dead letter of their own, replays included. */
  readonly haltedKeys: number
  /** Events of its types behind its cursor: what it still has to take. What its filter leaves out is among them. */
  readonly lagEvents: number
  /** False where they are more than a bounded look counts, or its shards stand at different places: then it is about so many. */
  readonly lagExact: boolean
  /** Age of the oldest of them; 0 without any. */
  readonly lagSeconds: number
  readonly owners: readonly string[]
}

/** How one subscription handles, over all workers. Replays are left out. */
export interface Handling {
  readonly subscription: string
  /** Handlers that run: what each worker that lives said at its last heartbeat, a second ago or so. */
  readonly running: number
  /** Deliveries that failed and wait for their next attempt. */
  readonly retries: number
  /** Attempts that the percentiles are of: the newest 1,000 (`handlingRunsMax`) of the last five minutes
   *  (`handlingWindowMs`), failed ones among them. */
  readonly runs: number
  /** When the oldest of those was settled, in milliseconds since 1970; null without any. */
  readonly sinceMs: number | null
  /** From the start of an attempt to its end, by the clock of its worker; null without any. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

/** Instances of a workflow that have not ended, by the version that they began on. */
export interface OpenVersion {
  readonly workflow: string
  readonly version: number
  /** Of those that were looked at. */
  readonly instances: number
}

/** Open instances of a workflow that are looked at, the oldest and the newest. */
export const openVersionsMax = 1_000

/** Events that a subscription cannot read yet: of a newer version than the process that met them knows. */
export interface NewerEvents {
  readonly subscription: string
  readonly type: string
  readonly version: number
  /** Of those deliveries that were looked at, replays included. */
  readonly events: number
  /** When the oldest of them was recorded, in milliseconds since 1970. */
  readonly sinceMs: number
  /** How long ago that was, by the clock of the store. */
  readonly ageSeconds: number
}

/** Open deliveries of one consumer that are looked at for such events: those that are due first. What is too new is due
 *  again within a minute, so that it stands before what waits for longer. */
export const newerDeliveriesMax = 10_000

/** What `Handling` looks back over. */
export const handlingWindowMs = 300_000
/** Attempts of one subscription that are looked at. */
export const handlingRunsMax = 1_000

export interface DatabaseHealth {
  readonly version: string
  readonly epoch: number
  readonly eventsEstimate: number
  readonly partitionsAhead: number
  readonly rowsInDefaultPartition: number
  /** Oldest open transaction that holds back cleaning, with its holder. */
  readonly oldestTransaction: {
    readonly ageSeconds: number
    readonly application: string
    readonly state: string
    readonly processId: number
  } | null
  readonly settings: Readonly<Record<string, string>>
  readonly schemaVersion: number
}

/** What a cell counts over all subscriptions, at one moment. */
export interface Tally {
  /** By the database's clock. */
  readonly atMs: number
  /** Events ever appended, about: numbers that a transaction drew and rolled back count as well. Only grows. */
  readonly appended: number
  /** Dead letters that wait for a person, those of replays among them; the most first. */
  readonly deadLetters: readonly { readonly category: Category; readonly count: number }[]
  /** Instances of workflows that wait for the decision of a person; at most `awaitingApprovalMax`, however many there are. */
  readonly awaitingApproval: number
}

/** Instances that wait for a decision are counted up to here. */
export const awaitingApprovalMax = 10_000

/** Tenants that are named for one id. */
export const tenantsOfIdMax = 100

/** An event without its body. */
export interface EventHead
  extends Pick<StoredEvent, 'id' | 'type' | 'version' | 'source' | 'causationId' | 'recordedAtMs'> {
  /** The subscription whose handler published it; null of what anybody else published. */
  readonly publisher: string | null
}

export interface InspectPort {
  events(query: EventQuery): Promise<Page<StoredEvent>>
  /** What follows the cursor in the order of the log, `order` or not. */
  remaining(query: EventQuery): Promise<Remaining>
  remainingTypes(query: Pick<EventQuery, 'after'>): Promise<RemainingTypes>
  event(id: string, tenant?: string): Promise<StoredEvent | null>
  /** Those that have an event of this id, by name, at most `tenantsOfIdMax`. */
  tenantsOf(id: string): Promise<readonly string[]>
  deliveries(event: StoredEvent): Promise<readonly DeliveryView[]>
  /** Every event of a correlation, oldest first, at most 1,000. */
  correlated(correlationId: string): Promise<readonly StoredEvent[]>
  /** The first event of each of these correlations, per tenant; with `types`, the first of any of those. */
  firsts(correlationIds: readonly string[], types?: readonly string[]): Promise<readonly StoredEvent[]>
  /** All, or the one of that name, if there is one. */
  subscriptions(name?: string): Promise<readonly SubscriptionView[]>
  /** Versions that open instances of these workflows run on: of each the oldest 1,000 and the newest 1,000. */
  openVersions(workflows: readonly string[]): Promise<readonly OpenVersion[]>
  /** By subscription, type and version. */
  newerEvents(): Promise<readonly NewerEvents[]>
  /** Of every subscription, by name. */
  handling(): Promise<readonly Handling[]>
  deadLetters(
    query: DeadLetterFilter & PageRequest & { readonly state?: DeadLetterState },
  ): Promise<Page<DeadLetter>>
  deadLetter(id: string): Promise<DeadLetter | null>
  deadLetterGroups(filter: DeadLetterFilter): Promise<readonly DeadLetterGroup[]>
  redrives(query: PageRequest): Promise<Page<Redrive>>
  replays(query: PageRequest): Promise<Page<Replay>>
  workers(): Promise<readonly WorkerRow[]>
  /** All; with `closedMsMax` those that are not closed, or closed no longer ago. */
  breakers(closedMsMax?: number): Promise<readonly BreakerState[]>
  /** Newest first. */
  audit(query: AuditQuery): Promise<Page<AuditRow>>
  health(): Promise<DatabaseHealth>
  tally(): Promise<Tally>
  /** The newest events, newest first: `max` at most. */
  eventHeads(max: number): Promise<readonly EventHead[]>
  /** The newest events of each of these types: `eachMax` of each at most. */
  eventHeadsOf(types: readonly string[], eachMax: number): Promise<readonly EventHead[]>
  /** Those with these ids; of ids that repeat, some or all. */
  eventHeadsWith(ids: readonly string[]): Promise<readonly EventHead[]>
}

/** Which acts. `action` and `target` are exact, or `*` stands for any run of characters. */
export interface AuditQuery extends PageRequest {
  readonly id?: number
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  readonly after?: Date
  readonly before?: Date
}

/** What a person did. `details` say why (`reason`) and, where it changed something that has a state, from what (`before`)
 *  to what (`after`). */
export interface AuditRow {
  readonly id: number
  readonly atMs: number
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly details: Readonly<Record<string, unknown>>
}

/** What an operator can do besides redrive, replay and breakers. Each leaves an audit row in its own transaction. */
export interface OperatePort {
  /** Marks it paused and answers how many of its consumers still have a live holder. Ask again until 0. */
  pause(subscription: string, actor: string, reason?: string): Promise<number>
  resume(subscription: string, actor: string, reason?: string): Promise<void>
  /** Forgets a paused subscription that nobody holds: its cursor and open rows go, its dead letters are discarded, and
   *  an audit row says how many. Answers false when it is not paused or still held. */
  remove(subscription: string, actor: string, reason?: string): Promise<boolean>
}
