// A schedule: an event for each tick of a cron pattern, once, however many processes run the app.

import type { AnyEventDefinition, InputOf } from '../event/definition.js'
import { checkOptions } from '../kernel/index.js'

/** A moment that a schedule names. */
export interface Tick {
  readonly schedule: string
  /** The moment itself; it may be handled later. */
  readonly at: Date
  /** Nobody worked within a minute of it. */
  readonly missed: boolean
}

/** What becomes of ticks that nobody took within a minute: `skip` drops them, `once` makes up for the last of them,
 *  `all` for each. */
export type MissedPolicy = 'skip' | 'once' | 'all'

export interface ScheduleOptions<Definition extends AnyEventDefinition> {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** Minute, hour, day of month, month, day of week: `30 2 * * 1-5`. A sixth part in front counts seconds. */
  readonly cron: string
  /** IANA name. Default `UTC`. A time of day that the clocks leave out in spring comes at the end of the gap; one that they
   *  repeat in autumn comes once. A pattern with `*` or `/` in its time counts real time: each hour, each half hour. */
  readonly timeZone?: string
  /** Published for each tick, with the tick as its `time`. */
  readonly event: Definition
  /** What the event says. If it fails, it is tried again and then a dead letter, as any handler. */
  readonly data: (tick: Tick) => InputOf<Definition> | Promise<InputOf<Definition>>
  /** Default: that of the app. */
  readonly tenant?: string
  /** Default `once`. */
  readonly missed?: MissedPolicy
  readonly description?: string
}

/** When something comes round. */
export interface Timetable {
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  readonly tenant: string | undefined
  readonly missed: MissedPolicy
}

export interface Schedule extends Timetable {
  readonly kind: 'schedule'
  readonly event: AnyEventDefinition
  readonly data: (tick: Tick) => unknown
  readonly description: string | undefined
}

const optionNames: Readonly<Record<keyof ScheduleOptions<AnyEventDefinition>, true>> = {
  name: true,
  cron: true,
  timeZone: true,
  event: true,
  data: true,
  tenant: true,
  missed: true,
  description: true,
}

export function schedule<Definition extends AnyEventDefinition>(
  options: ScheduleOptions<Definition>,
): Schedule {
  checkOptions('schedule', options, optionNames)
  return Object.freeze({
    kind: 'schedule',
    name: options.name,
    cron: options.cron,
    timeZone: options.timeZone ?? 'UTC',
    event: options.event,
    data: options.data,
    tenant: options.tenant,
    missed: options.missed ?? 'once',
    description: options.description,
  })
}
