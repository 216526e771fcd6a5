// What schedules need of a store: how far each has come, moved on by one process for all.
import type { NewEvent } from '../event/stored.js'

export interface Plan {
  readonly name: string
  /** Pattern and time zone. */
  readonly plan: string
}

/** A plan that nobody has looked at for so long goes when its schedule is registered with another. */
export const forgottenAfterMs = 600_000

/** How far one has come, whoever defines it. */
export interface ScheduleStanding extends Plan {
  readonly tickedMs: number
}

export interface SchedulePort {
  /** One that is new begins now, and one that is known goes on from where it came. */
  registerSchedules(plans: readonly Plan[]): Promise<void>
  /** All ticks up to `tickedMs` are dealt with. Those that are not registered with this plan are left out. `nowMs` by
   *  the database's clock. */
  schedules(plans: readonly Plan[]): Promise<{
    readonly nowMs: number
    readonly found: readonly { readonly name: string; readonly tickedMs: number }[]
  }>
  /** Of every schedule of any app the plan that was looked at last. `nowMs` by the database's clock. */
  scheduleStandings(): Promise<{ readonly nowMs: number; readonly found: readonly ScheduleStanding[] }>
  /** Appends the events and moves it on from `fromMs` to `toMs`, in one transaction; false, and nothing, where it does
   *  not stand there any more. */
  advanceSchedule(plan: Plan, fromMs: number, toMs: number, events: readonly NewEvent[]): Promise<boolean>
}
