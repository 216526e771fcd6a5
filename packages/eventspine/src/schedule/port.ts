// What schedules need of a store: how far each has come, moved on by one process for all.
import type { NewEvent } from '../event/stored.js'

export interface Plan {
  readonly name: string
  /** Pattern and time zone. */
  readonly plan: string
}

export interface SchedulePort {
  /** One that is new, or has another plan than before, begins now. */
  registerSchedules(plans: readonly Plan[]): Promise<void>
  /** All ticks up to `tickedMs` are dealt with. Those that are not registered with this plan are left out. `nowMs` by
   *  the database's clock. */
  schedules(plans: readonly Plan[]): Promise<{
    readonly nowMs: number
    readonly found: readonly { readonly name: string; readonly tickedMs: number }[]
  }>
  /** Appends the events and moves it on from `fromMs` to `toMs`, in one transaction; false, and nothing, where it does
   *  not stand there any more. */
  advanceSchedule(plan: Plan, fromMs: number, toMs: number, events: readonly NewEvent[]): Promise<boolean>
}
