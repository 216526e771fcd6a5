// What delivery needs of a store: the log in ticks, leases on consumers, and rows for what did not succeed at once.
import type { OrderingKey, StoredEvent } from '../event/stored.js'
import type { Category } from '../handle/category.js'

/** A batch boundary: its batch is what `snapshot` sees and `after` does not, in `seq` order. */
export interface Tick {
  readonly number: number
  readonly epoch: number
  readonly after: string
  readonly snapshot: string
  /** About the highest `seq` given out when it was made: sizes reads, decides nothing. */
  readonly seqEstimate: number
  readonly madeAtMs: number
}

/** A subscription's cursor over one shard of the log, live or for one replay. */
export interface ConsumerName {
  readonly subscription: string
  /** Empty for the live consumer, else the id of its replay. */
  readonly replay: string
  readonly shard: number
}

export const consumerId = (consumer: ConsumerName) =>
  `${consumer.subscription}/${consumer.replay}/${consumer.shard}`

/** A grant. Every write that follows from it names token and revision, and is refused when either moved on. */
export interface Lease extends ConsumerName {
  readonly token: number
  /** Number of settlements so far: makes a settlement whose answer was lost safe to send again. */
  readonly revision: number
  readonly shards: number
  /** Cursor: everything at or before (tick, seq) is settled. */
  readonly tick: number
  readonly seq: number
  /** A replay ends behind this tick. */
  readonly untilTick: number | null
  /** Events recorded before this moment are passed over. */
  readonly fromTimeMs: number | null
  /** Holders that vanished without releasing since the cursor last moved. */
  readonly deaths: number
}

export interface LogPort {
  /** Makes a tick when something new is visible; answers the ticks behind `known`, oldest first, at most `ticksMax`.
   *  `again` when another worker won the race, so that a second call would see more. `events`, in `seq` order, when the
   *  answer is one tick that was made now and holds at most `eventsMax` (default none) of them. */
  tick(
    known: number,
    ticksMax: number,
    eventsMax?: number,
  ): Promise<{
    readonly ticks: readonly Tick[]
    readonly again: boolean
    readonly events?: readonly StoredEvent[]
  }>
  /** The newest tick. */
  lastTick(): Promise<Tick>
  /** Ticks behind number `after`, oldest first. */
  ticksAfter(after: number, ticksMax: number): Promise<readonly Tick[]>
  /** The events of consecutive ticks, in (tick, seq) order, `seq > seqAfter` in the first of them.
   *  `eventsMax` is honoured only when a single tick is asked for. */
  read(ticks: readonly Tick[], seqAfter: number, eventsMax: number): Promise<readonly StoredEvent[]>
}

export interface WakePort {
  /** Hints all processes that events were appended. `by`: the worker of the process that appended them,
   *  or another word.
   *  Never part of a transaction, may be lost. */
  notify(by: string): void
  /** Calls `action` on each hint, with who gave it, and with '' when it may have missed some. Answers how to stop;
   *  undefined where no hints come. */
  listen(action: (by: string) => void): Promise<(() => Promise<void>) | undefined>
}

export interface LeaseRequest {
  readonly worker: string
  /** Lease time in milliseconds of each subscription that this worker can run. */
  readonly leaseMs: Readonly<Record<string, number>>
  /** Its own definition of each (`selectionOf`): where another is registered, nothing is granted. Left out: any will do. */
  readonly selections?: Readonly<Record<string, string>>
  /** Grants at most so many. */
  readonly consumersMax: number
  /** Workers known to be dead on this machine: their leases need not run out. */
  readonly deadWorkers: readonly string[]
}

export interface WorkerRow {
  readonly id: string
  /** Machine, process namespace, process and its start: lets a neighbour see that it is gone. */
  readonly identity: string
  readonly host: string
  readonly processId: number
  readonly version: string
  readonly startedAtMs: number
  readonly heartbeatAtMs: number
  readonly consumers: number
  /** Handlers that ran at its last heartbeat, by subscription, replays apart. Of one that ran none there is nothing. */
  readonly running: Readonly<Record<string, number>>
}

/** What a worker hears at a heartbeat. */
export interface Standing {
  /** Those that live, itself among them. */
  readonly workers: readonly WorkerRow[]
  /** Those that have been silent for longer, up to an hour, and did not say goodbye. */
  readonly silent: readonly WorkerRow[]
  /** Names of subscriptions that are paused now. */
  readonly paused: ReadonlySet<string>
  /** Of its own subscriptions, by name, those that are registered. */
  readonly own: ReadonlyMap<string, OwnStanding>
}

export interface OwnStanding {
  /** Its own definition is the registered one. */
  readonly current: boolean
  /** Of whoever registered it. */
  readonly build: number
  /** Some worker runs it as it is registered, or may come back (`returnsWithinMs`) and did not say goodbye. */
  readonly manned: boolean
  /** So many consumers of it want an owner; 0 while it is paused. */
  readonly consumers: number
  /** Workers that live and run it as it is registered. */
  readonly runners: number
}

/** A worker that lived for so long may come back when it was silent for as long: its database may have been away for all. */
export const returnsWithinMs = 60_000

export interface LeasePort {
  /** Grants free, expired or orphaned consumers of active subscriptions; each grant raises its token. */
  acquire(request: LeaseRequest): Promise<readonly Lease[]>
  /** Prolongs what is still held under its token; answers the ids (`consumerId`) that are. */
  renew(request: {
    readonly worker: string
    readonly leases: readonly (ConsumerName & { readonly token: number; readonly leaseMs: number })[]
  }): Promise<ReadonlySet<string>>
  release(leases: readonly (ConsumerName & { readonly token: number })[]): Promise<void>
  /** Writes the worker's row, and answers how things stand. `selections`: what it runs, and its own definition of each
   *  (`selectionOf`); empty where any will do. */
  heartbeat(worker: WorkerRow, selections: Readonly<Record<string, string>>): Promise<Standing>
  removeWorker(id: string): Promise<void>
}

export type DeliveryState = 'retry' | 'running' | 'waiting'

/** A delivery that did not succeed at once. */
export interface OpenDelivery {
  readonly event: StoredEvent
  readonly state: DeliveryState
  readonly attempt: number
  readonly round: number
  readonly deaths: number
  readonly redrive: string | null
}

/** What a consumer can take of its due rows now. */
export interface Claimant extends ConsumerName {
  readonly token: number
  /** Fewer than the call's `deliveriesMax`. */
  readonly rowsMax?: number
  /** Of these, rows that were attempted before: they draw on the retry budget. */
  readonly retriesMax?: number
}

/** What a process knows that it holds of one consumer. */
export interface Holding extends ConsumerName {
  readonly token: number
  readonly revision: number
  readonly known: readonly { readonly epoch: number; readonly seq: number }[]
}

export interface RetryPort {
  /** Due rows of the leases, attempt already counted and state `running`, at most `deliveriesMax` of each. Rows left
   *  `running` under an older token come back with `deaths` raised; of such suspects at most `suspectsMax` in all, for
   *  what is claimed and has not started when the next one kills the process looks as guilty as that one. */
  claimDue(
    leases: readonly Claimant[],
    deliveriesMax: number,
    suspectsMax?: number,
  ): Promise<readonly (ConsumerName & OpenDelivery)[]>
  /** Puts back, as if it had not been claimed, what is `running` under the token and not known: the answer to its claim
   *  was lost. Answers the ids (`consumerId`) of those looked at: not where the revision moved on, since what runs may
   *  have become a row since `known` was gathered. */
  unclaim(holdings: readonly Holding[]): Promise<ReadonlySet<string>>
  /** Milliseconds until the next `retry` row of these leases is due; null when there is none. What a dead holder left
   *  `running` is due at once and not counted here: suspects wait for more than their time. */
  nextDueMs(leases: readonly ConsumerName[]): Promise<number | null>
  /** Rows of this consumer, in whatever state. */
  openRows(consumer: ConsumerName): Promise<number>
  /** Ordered consumers: keys with open rows and how many, and keys halted by a dead letter. */
  blockedKeys(consumer: ConsumerName): Promise<{
    readonly open: ReadonlyMap<OrderingKey, number>
    readonly halted: ReadonlySet<OrderingKey>
  }>
  /** Makes the first waiting row of each key due, unless the key has an active row or is halted. Answers which of
   *  the keys have rows. */
  promote(
    consumer: ConsumerName & { readonly token: number },
    keys: readonly OrderingKey[],
  ): Promise<ReadonlySet<OrderingKey>>
}

export interface BreakerName {
  readonly name: string
  /** Empty for a breaker of the whole service. */
  readonly tenant: string
  /** Of that tenant; empty for a breaker of all its keys. */
  readonly key: string
}

export interface BreakerState extends BreakerName {
  readonly state: 'closed' | 'open' | 'half-open'
  readonly failures: number
  readonly openedAtMs: number | null
  /** Until when it stays open, in milliseconds from now by the database clock; 0 when probes may go. */
  readonly opensForMs: number
  /** Milliseconds since it closed after having been open; null when it never was. Drives the ramp. */
  readonly closedForMs: number | null
  readonly lastError: string | null
}

export interface BreakerPort {
  /** All; with `closedMsMax` those that are not closed, or closed no longer ago. */
  breakers(closedMsMax?: number): Promise<readonly BreakerState[]>
  /** Counts failures; opens at the limit. A failure while half-open opens at once. */
  breakerFailed(
    report: BreakerName & {
      readonly count: number
      readonly failuresMax: number
      readonly windowMs: number
      readonly cooldownMs: number
      readonly error: string
    },
  ): Promise<void>
  /** Asks for the one probe slot of an open breaker whose cooldown is over; it is free again after `probeMs`. */
  breakerProbe(breaker: BreakerName, probeMs: number): Promise<boolean>
  /** Counts a successful probe; closes at `probes`. */
  breakerSucceeded(breaker: BreakerName, probes: number): Promise<void>
  /** An operator's hand: closes or opens it now. */
  breakerSet(
    breaker: BreakerName,
    state: 'closed' | 'open',
    cooldownMs: number,
    actor: string,
    reason?: string,
  ): Promise<void>
}

/** Why an attempt did not succeed, as it is kept. */
export interface Failure {
  readonly category: Category
  readonly name: string
  readonly message: string
  readonly stack: string | null
  readonly code: string | null
  /** Same fault, same fingerprint: name, code and message without its variable parts. */
  readonly fingerprint: string
}

/** The name of the failure of an event that is newer than whoever met it: it waits, for a day at most. */
export const newerVersionName = 'NewerVersionError'
