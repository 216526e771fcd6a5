// Schedules whose ticks do not come, though a worker runs what takes them: then nothing else tells of it.
import type { Finding, SubscriptionDiagnosis } from './doctor.js'

/** A schedule or a reconciler, of any app on the log. */
export interface LateSchedule {
  readonly name: string
  /** How long its next tick is due. */
  readonly lateSeconds: number
}

const lateSecondsMax = 60

// Every one has a subscription that takes its ticks. Where nobody runs that, it is said of that; where there is none, the schedule
// is gone from the code.
export function scheduleFindings(
  late: readonly LateSchedule[],
  subscriptions: readonly SubscriptionDiagnosis[],
): readonly Finding[] {
  return late
    .filter(({ lateSeconds }) => lateSeconds > lateSecondsMax)
    .flatMap(({ name, lateSeconds }) => {
      const taker = [`schedule-${name}`, name].flatMap(
        (own) => subscriptions.find((each) => each.name === own) ?? [],
      )[0]
      if (taker === undefined || taker.owners.length === 0) return []
      return {
        ...{ severity: 'warning' as const, subject: `schedule ${name}`, place: null },
        message: `Its tick is ${Math.round(lateSeconds)} s late, though app "${taker.app}" has a worker.`,
        advice:
          'Look at the log of that worker for what its scheduler says; start it anew if it says nothing',
      }
    })
}
