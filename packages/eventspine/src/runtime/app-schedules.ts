// The schedules of an app, checked as a whole.
import { checkPattern, type Reconciler, type Schedule, type Timetable } from '../schedule/index.js'

const policies: readonly unknown[] = ['skip', 'once', 'all']

export function checkSchedules(schedules: readonly Schedule[], faults: string[]): void {
  for (const each of schedules)
    checkSchedule(each, (message) => faults.push(`schedule "${each.name}": ${message}`))
}

function checkSchedule(each: Schedule, fault: (message: string) => void): void {
  const { event, data, missed } = each
  checkTimetable(each, fault)
  if (event?.kind !== 'event') fault('event must be made by defineEvent')
  if (typeof data !== 'function') fault('write data: (tick) => ({ … }), what the event says at that moment')
  if (!policies.includes(missed)) fault(`missed is ${JSON.stringify(missed)}; write "skip", "once" or "all"`)
}

export function checkReconcilers(reconcilers: readonly Reconciler[], faults: string[]): void {
  for (const each of reconcilers)
    checkReconciler(each, (message) => faults.push(`reconciler "${each.name}": ${message}`))
}

const daysMax = 365
const msMax = daysMax * 86_400_000

function checkReconciler(each: Reconciler, fault: (message: string) => void): void {
  const { find, repair, retry, graceMs, againMs, deadlineMs } = each
  checkTimetable(each, fault)
  if (typeof find !== 'function') fault('write find: async ({ before }) => [ … ], what breaks the invariant')
  if (repair !== undefined && typeof repair !== 'function')
    fault('repair must be a function (orphan, ctx) => …')
  if (retry !== undefined && typeof retry?.delayMs !== 'function')
    fault('retry must be a policy; write retry: retries.standard({ attemptsMax: 5 })')
  for (const [option, value, min] of [
    ['graceMs', graceMs, 0],
    ['againMs', againMs, 1_000],
    ['deadlineMs', deadlineMs, 1],
  ] as const)
    if (!Number.isInteger(value) || value < min || value > msMax)
      fault(`${option} is ${String(value)}; write milliseconds from ${min} to ${msMax.toLocaleString('en')}`)
}

function checkTimetable(
  { name, cron, timeZone, tenant }: Omit<Timetable, 'missed'>,
  fault: (message: string) => void,
): void {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,79}$/.test(name))
    fault('a name is lower-case letters, digits and dashes, at most 80 characters, such as "nightly-report"')
  if (tenant !== undefined && !(typeof tenant === 'string' && /^[^\p{Cc}\p{Cs}]{1,100}$/u.test(tenant)))
    fault('tenant must be a text of 1 to 100 characters without control characters')
  checkTimeZone(timeZone, fault)
  try {
    checkPattern(String(cron))
  } catch (error) {
    fault(
      `cron "${String(cron)}" is no pattern: ${error instanceof Error ? error.message : String(error)}. Write minute, hour, day of month, month, day of week, such as "30 2 * * 1-5"; a sixth in front is seconds`,
    )
  }
}

function checkTimeZone(timeZone: unknown, fault: (message: string) => void): void {
  try {
    Intl.DateTimeFormat('en', { timeZone: timeZone as string })
  } catch {
    fault(`timeZone ${JSON.stringify(timeZone)} is unknown; write an IANA name such as "Europe/Berlin"`)
  }
}
