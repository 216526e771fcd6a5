export { Calendar, checkPattern, type Due } from './calendar.js'
export {
  type MissedPolicy,
  type Schedule,
  type ScheduleOptions,
  schedule,
  type Tick,
  type Timetable,
} from './definition.js'
export type { Plan, SchedulePort, ScheduleStanding } from './port.js'
export {
  type LookContext,
  type Orphan,
  type OrphanFound,
  orphanFound,
  type Reconciler,
  type ReconcilerOptions,
  reconciler,
  reconcilerSubscriptions,
  timetableOf,
} from './reconciler.js'
export { Scheduler } from './scheduler.js'
export { nextTickMs, planOf, publisherOf, subscriptionOf, tickEvent, tickType } from './tick.js'
