// A bed: what is known of its patient, and what the next reading makes of it. The whole of qualification as one pure function:
// the same readings in the same order raise the same alarms, wherever they are gone through.
import { type Arrival, isTooLate } from './arrival.js'
import { advance, type Episode, quiet, type Standing } from './episode.js'
import {
  forPatient,
  limitRules,
  type PatientLimits,
  type Priority,
  type Rule,
  scoreRules,
  silenceRule,
  standingOf,
  usualLimits,
} from './limits.js'
import { type News2, news2, news2Parameters, observationsAt } from './news2.js'
import { isArtefact, type Parameter } from './parameters.js'
import { type Latest, measuredAt, vitalToldBy } from './vitals.js'

export interface Reading {
  readonly parameter: Parameter
  readonly value: number
  readonly takenMs: number
}

export interface Bed {
  readonly latest: Latest
  readonly episodes: Readonly<Record<string, Episode>>
  readonly patient: PatientLimits
  /** Who has set them last. */
  readonly limitsSet?: { readonly by: string; readonly atMs: number }
  /** The last score that was told. */
  readonly score: Pick<News2, 'total' | 'response' | 'missing'> | null
}

export interface Raised {
  readonly id: string
  readonly rule: string
  readonly priority: Priority
  readonly text: string
  /** When the reading was taken that began it, and the one that made it an alarm. */
  readonly beganMs: number
  readonly raisedMs: number
  /** The value that made it an alarm; of a score, the score. Null for silence. */
  readonly value: number | null
}

export interface Ended {
  readonly id: string
  readonly rule: string
  readonly endedMs: number
}

export interface Told {
  readonly bed: Bed
  readonly raised: readonly Raised[]
  readonly ended: readonly Ended[]
  /** Where it has changed. */
  readonly score?: News2
}

export const emptyBed: Bed = { latest: {}, episodes: {}, patient: usualLimits, score: null }

/** A plausible reading that comes behind a newer one of its parameter is for the charts; so is an artefact. */
export const counts = ({ latest }: Bed, { parameter, value, takenMs }: Reading) =>
  !isArtefact(parameter, value) && takenMs >= (latest[parameter]?.atMs ?? Number.NEGATIVE_INFINITY)

/** What came together, moment by moment, and without artefacts: readings of one time are one, in whatever order they are written. What is
 *  measured twice at one time is a moment more, so that none of both is lost. */
export function momentsOf(readings: readonly Reading[]): readonly (readonly Reading[])[] {
  const moments: Reading[][] = []
  const plausible = readings.filter(({ parameter, value }) => !isArtefact(parameter, value))
  for (const reading of plausible.toSorted((a, b) => a.takenMs - b.takenMs)) {
    const moment = moments.at(-1)
    const isOfIt =
      moment?.[0]?.takenMs === reading.takenMs &&
      moment.every(({ parameter }) => parameter !== reading.parameter)
    if (moment !== undefined && isOfIt) moment.push(reading)
    else moments.push([reading])
  }
  return moments
}

/** Takes what came together. What came too late is known, and ends alarms; it raises none before a reading that came in time says the same. */
export function takeAll(
  name: string,
  before: Bed,
  readings: readonly Reading[],
  arrival: Arrival,
): readonly Told[] {
  const told: Told[] = []
  for (const moment of momentsOf(readings)) told.push(take(name, told.at(-1)?.bed ?? before, moment, arrival))
  return told
}

/** Takes readings of one moment, each of another parameter: all are known before any is judged, and the score is that of the moment. */
function take(name: string, before: Bed, moment: readonly Reading[], arrival: Arrival): Told {
  const counted = moment.filter((reading) => counts(before, reading))
  const [first] = counted
  if (first === undefined) return { bed: before, raised: [], ended: [] }
  const { takenMs } = first
  const measured = counted.map(({ parameter, value }) => [parameter, { value, atMs: takenMs }] as const)
  const latest = { ...before.latest, ...Object.fromEntries(measured) }
  const course = new Course(name, { ...before, latest }, takenMs, isTooLate(takenMs, arrival))
  for (const { parameter } of counted) {
    const vital = vitalToldBy(parameter, latest, takenMs)
    const told = vital === undefined ? undefined : measuredAt(latest, vital, takenMs)
    if (told === undefined) continue
    for (const rule of limitRules)
      if (rule.vital === vital)
        course.judge(rule, standingOf(forPatient(rule, before.patient), told.value), told.value)
  }
  const isOfScore = counted.some(({ parameter }) => news2Parameters.has(parameter))
  return isOfScore ? scored(course, before, takenMs) : course.told()
}

function scored(course: Course, before: Bed, atMs: number): Told {
  const score = news2(observationsAt(course.latest, atMs), before.patient.saturationScale)
  for (const rule of scoreRules) course.judge(rule, standingOfScore(rule.from, score), score.total)
  const { total, response, missing } = score
  const isSame =
    before.score?.total === total &&
    before.score.response === response &&
    before.score.missing.join() === missing.join()
  return isSame ? course.told() : { ...course.told({ total, response, missing }), score }
}

/** A point less is not over yet: the score goes to and fro with a single breath. */
const scoreHysteresis = 1

function standingOfScore(from: number | 'single', { total, points }: News2): Standing {
  if (from !== 'single') return { holds: total >= from, over: total < from - scoreHysteresis }
  const holds = Object.values(points).includes(3)
  return { holds, over: !holds }
}

/** Nothing was heard of the bed since a moment, or something was again. */
export function hear(name: string, before: Bed, heard: boolean, atMs: number): Told {
  const course = new Course(name, before, atMs)
  course.judge(silenceRule, { holds: !heard, over: heard }, null)
  return course.told()
}

/** Nothing of the patient is known any more: what was measured of them, their limits, and their alarms, which end. What is about the devices
 *  stays, unless the bed itself is gone. */
export function clear({ episodes }: Bed, atMs: number, isClosed: boolean): Told {
  const { [silenceRule.name]: silence } = episodes
  const kept = silence === undefined || isClosed ? {} : { [silenceRule.name]: silence }
  const ended = Object.entries(episodes).flatMap(([rule, { alarm }]) =>
    alarm === null || rule in kept ? [] : { id: alarm, rule, endedMs: atMs },
  )
  return { bed: { ...emptyBed, episodes: kept }, raised: [], ended }
}

/** One reading on its way through the rules. */
class Course {
  readonly #name: string
  readonly #atMs: number
  readonly #before: Bed
  readonly #isTooLate: boolean
  readonly #episodes: Record<string, Episode>
  readonly #raised: Raised[] = []
  readonly #ended: Ended[] = []

  constructor(name: string, before: Bed, atMs: number, tooLate = false) {
    this.#name = name
    this.#before = before
    this.#atMs = atMs
    this.#isTooLate = tooLate
    this.#episodes = { ...before.episodes }
  }

  get latest(): Latest {
    return this.#before.latest
  }

  judge({ coveredBy, ...rule }: Rule, standing: Standing, value: number | null): void {
    const before = this.#episodes[rule.name] ?? quiet
    const isCovered = coveredBy.some((other) => this.#episodes[other]?.phase === 'active')
    const moment = { ...standing, waits: isCovered || this.#isTooLate, atMs: this.#atMs, bed: this.#name }
    const { episode, raised, ended } = advance({ ...rule, coveredBy }, before, moment)
    if (episode !== quiet) this.#episodes[rule.name] = episode
    const { name, priority, text } = rule
    if (raised !== undefined)
      this.#raised.push({
        ...{ id: raised, rule: name, priority, text, value },
        ...{ beganMs: episode.beganMs, raisedMs: this.#atMs },
      })
    if (ended !== undefined) this.#ended.push({ id: ended, rule: name, endedMs: this.#atMs })
  }

  told(score: Bed['score'] = this.#before.score): Told {
    const bed = { ...this.#before, episodes: this.#episodes, score }
    return { bed, raised: this.#raised, ended: this.#ended }
  }
}
