// What is done to workers and the database, and when: each kind of strike has the moments that it waits for.
import type { SubscriptionName } from './fates.js'
import type { Moment } from './link.js'

/** `kill`: kill -9. `stop`: SIGSTOP until others took over, then SIGCONT. `mute`: its link to the database holds all
 *  back for as long, then it arrives. `term`: SIGTERM. */
export type WorkerStrike = 'kill' | 'stop' | 'mute' | 'term'
export type StrikeKind = WorkerStrike | 'postgres'
export const strikeKinds: readonly StrikeKind[] = ['kill', 'stop', 'mute', 'term', 'postgres']

/** `handler`: one runs. The others: this is being sent to the database. */
export type When = 'handler' | 'check' | 'settle' | 'commit' | 'flush'

/** Of a kind of strike: how many there were, and how many of them at the moment that they were meant for. */
export type Strikes = Readonly<Record<StrikeKind, { struck: number; met: number }>>

export const noStrikes = (): Strikes => ({
  kill: { struck: 0, met: 0 },
  stop: { struck: 0, met: 0 },
  mute: { struck: 0, met: 0 },
  term: { struck: 0, met: 0 },
  postgres: { struck: 0, met: 0 },
})

export interface StrikeLimits {
  readonly secondsMax: number
  /** Kills after which no worker is struck any more. */
  readonly workerKillsMax: number
  readonly postgresKillsMax: number
}

/** Of the subscriptions whose leases are short: others are not taken over while a worker is away. */
const effects = /\/\* (ordered|any) \*\//
const settling = /^B.*\.settle\.f/s

/** The transaction of a chunk of effects, in the order in which it is sent, and the record of what has none. */
export const moments: Readonly<Record<Exclude<When, 'handler'>, Moment>> = {
  check: { message: /^Q.*settle\.check/s, behind: effects },
  settle: { message: settling, behind: effects },
  commit: { message: /^Q.*settle\.end \*\/ COMMIT/s, behind: effects },
  flush: { message: settling, behind: /^$/ },
}

/** Only a worker that has one of these can meet the moment. */
export const metBy: Readonly<Record<When, readonly SubscriptionName[]>> = {
  handler: ['plain', 'ordered', 'any', 'echo'],
  check: ['ordered', 'any'],
  settle: ['ordered', 'any'],
  commit: ['ordered', 'any'],
  flush: ['plain', 'echo'],
}

export const kindWeights: Readonly<Record<WorkerStrike, number>> = { kill: 20, stop: 1, mute: 1, term: 2 }

/** Where the settlement is recorded already, nobody can follow before its transaction ended: only kills meet that. */
export const whenWeights: Readonly<Record<WorkerStrike, Readonly<Partial<Record<When, number>>>>> = {
  kill: { handler: 3, check: 1, settle: 1, commit: 1, flush: 1 },
  stop: { check: 1, settle: 1, flush: 1 },
  mute: { check: 1, settle: 1, flush: 1 },
  term: { handler: 1 },
}

export interface Planned {
  readonly kind: WorkerStrike
  readonly when: When
}

/** However short a run is, it begins with these: what arrives late is what they are about. */
export const first: readonly Planned[] = [
  { kind: 'mute', when: 'settle' },
  { kind: 'stop', when: 'check' },
  { kind: 'mute', when: 'flush' },
]

/** How long a strike waits for its moment. */
export const whenMsMax: Readonly<Record<StrikeKind, number>> = {
  ...{ kill: 1_500, term: 1_500, stop: 5_000, mute: 5_000, postgres: 1_000 },
}
