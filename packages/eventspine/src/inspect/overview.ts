// The state of a cell at one moment, as one glance takes it in: what doctor finds, with counters whose differences are
// rates.
import { type DoctorInput, diagnose, type Finding, type SubscriptionDiagnosis } from './doctor.js'
import type { Tally } from './port.js'

export interface Overview {
  /** By the database's clock. */
  readonly atMs: number
  /** Events ever appended, about: numbers that a transaction drew and rolled back count as well. Only grows. */
  readonly appended: number
  readonly subscriptions: readonly SubscriptionDiagnosis[]
  /** Those that wait for a person, those of replays among them; the most first. */
  readonly deadLetters: Tally['deadLetters']
  /** Instances of workflows that wait for the decision of a person: `workflows.list({ state: 'awaiting-approval' })`. At
   *  most 10,000, however many there are. */
  readonly awaitingApproval: number
  /** Breakers that hold work back. */
  readonly breakers: { readonly open: number; readonly halfOpen: number }
  /** Workers that live. */
  readonly workers: number
  /** Of the oldest transaction that holds back cleaning; null where there is none. */
  readonly oldestTransactionMs: number | null
  /** `critical`: a finding is an error. `warning`: one is a warning. */
  readonly verdict: 'healthy' | 'warning' | 'critical'
  /** Doctor's, errors first. */
  readonly findings: readonly Finding[]
}

export interface OverviewInput {
  readonly seen: DoctorInput
  readonly tally: Tally
}

export function overviewOf({ seen, tally }: OverviewInput): Overview {
  const { findings, subscriptions, database } = diagnose(seen)
  const inState = (wanted: string) => seen.breakers.filter(({ state }) => state === wanted).length
  const { oldestTransaction: oldest } = database
  return {
    ...tally,
    subscriptions,
    breakers: { open: inState('open'), halfOpen: inState('half-open') },
    workers: seen.workers.length,
    oldestTransactionMs: oldest === null ? null : Math.round(oldest.ageSeconds * 1_000),
    verdict: verdictOf(findings),
    findings,
  }
}

function verdictOf(findings: readonly Finding[]): Overview['verdict'] {
  if (findings.some(({ severity }) => severity === 'error')) return 'critical'
  return findings.some(({ severity }) => severity === 'warning') ? 'warning' : 'healthy'
}
