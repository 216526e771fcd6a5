// Readings as dense as a monitor sends them, from recordings that have one in an hour: between two recorded values lies a straight
// line (of scales and switches, the last one). They are marked so wherever they are shown. The same plan is the same stream.
import { recordedReadings } from '../../src/replay/stays.js'
import { isArtefact, type Parameter } from '../../src/rules/parameters.js'
import type { Row } from '../plain.js'

export interface Plan {
  /** Begins the names of its beds: another stream has other patients. */
  readonly name: string
  /** Beds that are taken at any time. */
  readonly beds: number
  /** Events in a second, over all beds and evenly apart. */
  readonly eventsPerSecond: number
  readonly seconds: number
  /** Readings of one event: a parameter alone, or all that a bed is measured by. */
  readonly each: 'parameter' | 'bed'
  /** In so many seconds a bed tells its 48 hours; then another patient lies there. */
  readonly staySeconds: number
  /** It goes on where another one of the same beds ended, which had come so far. Default 0. */
  readonly fromMs?: number
}

export interface Due {
  /** Since the start of the stream. */
  readonly afterMs: number
  readonly ward: string
  readonly bed: string
  readonly readings: readonly { readonly parameter: Parameter; readonly value: number }[]
}

const recordedMs = 48 * 3_600_000
const secondMs = 1_000
/** Each has a person on duty, with a phone. */
export const wards = 10
const steps: readonly Parameter[] = ['GCS', 'MechVent', 'FiO2']

interface Course {
  readonly times: number[]
  readonly values: number[]
}

export type Stays = readonly (readonly [stay: string, courses: readonly (readonly [Parameter, Course])[]])[]

/** As many as there are. Who sends and who judges take the same. */
const staysMax = 1_000

/** Artefacts are left out: a line from one to the next value would be neither. */
export async function readStays(): Promise<Stays> {
  const stays = new Map<string, Map<Parameter, Course>>()
  for await (const { bed, parameter, value, afterMs } of recordedReadings(staysMax)) {
    if (isArtefact(parameter, value)) continue
    const courses = stays.get(bed) ?? new Map<Parameter, Course>()
    stays.set(bed, courses)
    const course = courses.get(parameter) ?? { times: [], values: [] }
    courses.set(parameter, course)
    course.times.push(afterMs)
    course.values.push(value)
  }
  return [...stays].map(([stay, courses]) => [stay, [...courses]])
}

export function* streamOf(plan: Plan, stays: Stays): Generator<Due> {
  const events = Math.floor(plan.eventsPerSecond * plan.seconds)
  const stayMs = plan.staySeconds * secondMs
  for (let n = 0; n < events; n += 1) {
    // Whole milliseconds: it is the time of a reading, and so part of the name of an alarm.
    const afterMs = Math.floor((n * secondMs) / plan.eventsPerSecond)
    const place = n % plan.beds
    const round = Math.floor(n / plan.beds)
    // Beds are at different hours of their stays, so that patients come and go all the time.
    const ownMs = (plan.fromMs ?? 0) + afterMs + (place / plan.beds) * stayMs
    const patient = Math.floor(ownMs / stayMs) * plan.beds + place
    const [stay, courses] = stays[patient % stays.length] as Stays[number]
    const recordedAtMs = ((ownMs % stayMs) / stayMs) * recordedMs
    const told = plan.each === 'bed' ? courses : [courses[round % courses.length] as (typeof courses)[number]]
    yield {
      afterMs,
      ward: `ward-${place % wards}`,
      bed: `${plan.name}-${stay}-${Math.floor(patient / stays.length)}`,
      readings: told.map(([parameter, course]) => ({
        parameter,
        value: valueAt(parameter, course, recordedAtMs),
      })),
    }
  }
}

function valueAt(parameter: Parameter, { times, values }: Course, atMs: number): number {
  const next = times.findIndex((time) => time > atMs)
  const last = next === -1 ? times.length - 1 : next - 1
  const before = values[Math.max(0, last)] as number
  if (next <= 0 || steps.includes(parameter)) return before
  const [from, to] = [times[last] as number, times[next] as number]
  const value = before + (((values[next] as number) - before) * (atMs - from)) / (to - from)
  return Math.round(value * 10) / 10
}

/** As rows of the plain computation, whose minutes count from when the stream began, or `laterMs` before that. */
export function rowsOf(plan: Plan, stays: Stays, laterMs = 0): Row[] {
  const minuteMs = 60 * secondMs
  return [...streamOf(plan, stays)].flatMap(({ bed, readings, afterMs }) =>
    readings.map(({ parameter, value }) => ({
      ...{ stay: bed, minute: (laterMs + afterMs) / minuteMs },
      ...{ parameter, value },
    })),
  )
}
