// A tick in the log, and the subscription that makes of it what the schedule says: so that a fault in its data is
// retried, seen and sent again like any other.
import { ownDefaults, type ResolvedSubscription } from '../deliver/index.js'
import { ownEvent, reservedPrefix } from '../event/index.js'
import type { NewEvent } from '../event/stored.js'
import { retries } from '../handle/index.js'
import type { Clock, Random } from '../kernel/index.js'
import { Calendar, type Due } from './calendar.js'
import type { Schedule, Timetable } from './definition.js'
import type { Plan, ScheduleStanding } from './port.js'

const source = '/eventspine/schedules'
export const tickType = (timetable: string) => `${reservedPrefix}schedule.${timetable}`
/** What makes the event of each tick. */
export const publisherOf = (schedule: string) => `schedule-${schedule}`

export const planOf = ({ name, cron, timeZone }: Timetable): Plan => ({ name, plan: `${cron} ${timeZone}` })

/** The first tick that is not dealt with. Infinity where there is none, or the pattern or the time zone is none here: another
 *  app may know more of them. */
export function nextTickMs({ plan, tickedMs }: ScheduleStanding): number {
  const behind = plan.lastIndexOf(' ')
  try {
    return new Calendar(plan.slice(0, behind), plan.slice(behind + 1)).after(tickedMs)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

export function tickEvent(
  { name, tenant }: { readonly name: string; readonly tenant: string },
  due: Due,
  services: { readonly clock: Clock; readonly random: Random },
): NewEvent {
  const event = ownEvent({ type: tickType(name), tenant, source, key: name, data: due }, services)
  return { ...event, timeMs: due.atMs }
}

export function subscriptionOf({ name, event, data }: Schedule): ResolvedSubscription {
  const type = tickType(name)
  return {
    ...ownDefaults,
    name: publisherOf(name),
    on: [type],
    matches: (other) => other === type,
    ordered: 'no',
    retry: retries.standard(),
    ...{ deadlineMs: 30_000, leaseMs: 60_000, concurrencyMax: 1, external: false },
    handle: async (tick, { publish }) => {
      const { atMs, missed } = tick.data as Due
      const at = new Date(atMs)
      await publish(event, (await data({ schedule: name, at, missed })) as never, { time: at })
    },
  }
}
