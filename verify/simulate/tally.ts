// Sometimes-assertions: how often each fault and each rare branch was really met. A fault that is never met proves
// nothing, however green the run.
import { behaviours, faultKinds, operations } from './plan.js'

/** Branches that only show under faults. */
export const branches = [
  'lease lost',
  'late renewal refused',
  'lease taken after it ran out',
  'lease taken from a dead neighbour',
  'settlement refused',
  'settlement sent again',
  'effects of a lost lease undone',
  'delivery retried',
  'delivery dead',
  'delivery parked while it runs',
  'delivery waits behind its key',
  'death counted',
  'claim without an answer undone',
  'delivery quarantined',
  'redrive sent',
  'redriven delivery done',
  'replay completed',
  'replay stopped',
  'paused',
  'repeated publish recognised',
  'other body under a used id refused',
  'same id of another tenant stored',
  'publish with unknown outcome in the log',
  'publish with unknown outcome not in the log',
  'transaction committed out of order',
  'transaction rolled back',
  'tick lost and made anew',
  'event published by a handler',
  'published id belongs to another body',
  'handler aborted',
  'handler ran twice for one outcome',
  'recording refused',
  'timer fired',
  'saga compensated',
  'workflow cancelled',
  'signal before its wait',
  'step ran twice for one answer',
] as const
export type Branch = (typeof branches)[number]

export type Met = (typeof faultKinds)[number] | (typeof behaviours)[number] | `operator: ${string}` | Branch

export const allMet: readonly string[] = [
  ...faultKinds,
  ...behaviours.filter((behaviour) => behaviour !== 'well'),
  ...operations.map((operation) => `operator: ${operation}`),
  ...branches,
]

export class Tally {
  readonly counts = new Map<string, number>()

  met(what: Met, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }

  add(other: Readonly<Record<string, number>>): void {
    for (const [what, count] of Object.entries(other))
      this.counts.set(what, (this.counts.get(what) ?? 0) + count)
  }
}
