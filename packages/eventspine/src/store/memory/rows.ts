// What the memory store keeps: one shape per table of the Postgres schema.

import type { BreakerName, BreakerState, ConsumerName, DeliveryState, Failure } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { deliveryId } from '../../event/stored.js'
import type { DeadLetterFilter, DeadLetterState, RedriveState, Replay } from '../../redrive/port.js'
import type { Run } from '../../settle/port.js'
import type { AwaitedOutside, Entry, Instance } from '../../workflow/port.js'
import type { SubscriptionRecord } from '../store.js'
import type { MemoryTransaction } from './transaction.js'

export interface IdempotencyRow {
  readonly fingerprint: string
  readonly expiresAtMs: number
  /** While it is open, others wait for how it ends. */
  readonly writer: MemoryTransaction
}

export interface SubscriptionRow extends Omit<SubscriptionRecord, 'start'> {
  readonly state: 'active' | 'paused'
  readonly createdAtMs: number
}

export interface ConsumerRow extends ConsumerName {
  readonly fromTimeMs: number | null
  readonly untilTick: number | null
  tick: number
  seq: number
  finished: boolean
  owner: string | null
  token: number
  revision: number
  leaseUntilMs: number
  /** The last tick that the holder of before may record; null from the next grant on. */
  supersededTick: number | null
  deaths: number
  matched: number
  completed: number
  skipped: number
  /** By `placeOf` the event. */
  readonly deliveries: Map<string, DeliveryRow>
}

export interface DeliveryRow {
  readonly event: StoredEvent
  state: DeliveryState
  attempt: number
  readonly round: number
  deaths: number
  token: number
  dueAtMs: number
  failure: Failure | null
  readonly redrive: string | null
}

export interface LetterRow {
  readonly id: string
  readonly consumer: ConsumerRow
  event: StoredEvent
  state: DeadLetterState
  attempts: number
  round: number
  failure: Failure
  halts: boolean
  /** Grows with every death in the store: the order in which letters are shown. */
  deathNumber: number
  diedAtMs: number
  /** The redrive that sent it last. */
  redrive: string | null
  /** The redrive that has chosen it and not sent it yet. */
  selectedBy: RedriveRow | null
  resolvedAtMs: number | null
  resolvedBy: string | null
  reason: string | null
}

/** A selected letter is `dead` until it is sent. */
export type RedriveItemState = 'selected' | 'sent' | 'succeeded' | 'failed' | 'released'

export interface RedriveRow {
  readonly id: string
  readonly idempotencyKey: string | null
  readonly filter: DeadLetterFilter
  readonly rate: number
  readonly canary: number
  readonly stopAtErrorRate: number
  readonly editedData: string | null
  readonly actor: string
  readonly reason: string | null
  readonly createdAtMs: number
  state: RedriveState
  note: string | null
  /** Sending is paid up to this moment. */
  sentAtMs: number
  endedAtMs: number | null
  /** By the id of the letter, in the order in which they are sent. */
  readonly items: Map<string, RedriveItemState>
}

export interface ReplayRow {
  readonly id: string
  readonly subscription: string
  readonly fromMs: number | null
  readonly fromTick: number
  readonly untilTick: number
  readonly actor: string
  readonly reason: string | null
  readonly createdAtMs: number
  state: Replay['state']
  /** Kept when it was stopped: its consumers then stand at its end. */
  progress: number | null
  endedAtMs: number | null
}

export interface RunRow extends ConsumerName {
  readonly run: Run
  readonly worker: string
  readonly recordedAtMs: number
}

export interface BreakerRow extends BreakerName {
  state: BreakerState['state']
  failures: number
  successes: number
  windowBeganAtMs: number
  openedAtMs: number | null
  opensUntilMs: number
  /** Whose probe has the slot, until when. */
  probeUntilMs: number
  closedAtMs: number | null
  lastError: string | null
}

type Changing<Type, Names extends keyof Type> = Omit<Type, Names> & { -readonly [Name in Names]: Type[Name] }

export interface WorkflowRow
  extends Changing<
    Instance,
    'state' | 'entries' | 'changedAtMs' | 'endedAtMs' | 'wakeAtMs' | 'deadlineAtMs'
  > {
  readonly number: number
  readonly history: Entry[]
  /** Of the lease under which each entry was written. */
  readonly tokens: number[]
  readonly awaited: readonly AwaitedOutside[]
}

export interface ScheduleRow {
  readonly name: string
  readonly plan: string
  tickedMs: number
  lookedMs: number
}

/** Finds an event's rows: its place in the log, which outlives nothing and is never reused. */
export const placeOf = (event: { readonly epoch: number; readonly seq: number }) =>
  `${event.epoch}.${event.seq}`

/** The id of a delivery, as the handler is given it. */
export const idOf = (consumer: ConsumerName, event: { readonly epoch: number; readonly seq: number }) =>
  deliveryId(consumer.subscription, consumer.replay, event.epoch, event.seq)
