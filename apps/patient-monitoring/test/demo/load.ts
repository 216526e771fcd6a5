// Streams of a given pace in one hospital: as many readings as a day has, a burst of it, 1,000 beds; and faster and faster until alarms are
// late. Patients who are found as they are bring many alarms at once: they are admitted, and everything is worked off, before that pace is
// measured. The admission is a figure of its own.
import { type AlarmFigures, figuresOf, lateMs, pointsOf, type Telling } from './alarms.js'
import { Hospital } from './hospital.js'
import type { Sent } from './protocol.js'
import type { Plan, Stays } from './stream.js'

export interface Told extends AlarmFigures {
  readonly name: string
  readonly eventsPerSecond: number
  readonly readingsPerSecond: number
  readonly seconds: number
  readonly sent: Sent
}

export interface LoadOptions {
  readonly stays: Stays
  readonly seconds: number
  readonly beds: number
  readonly say: (words: string) => void
}

const secondMs = 1_000
const secondsOfDay = 86_400
const transactionsOfDay = 1_000_000
const burstTimes = 20
const intervalSeconds = 5
/** Each with all its parameters in one event. */
const admittedPerSecond = 100
const settleMsMax = 60_000
const staySeconds = 120
const firstRate = 250
const rateTimes = 1.4
const ratesMax = 16

type Pace = Pick<Plan, 'seconds' | 'eventsPerSecond'> & { readonly name: string }

/** 1,000,000 transactions a day, twenty times as many, and as before. */
export function dayAndBurst({ seconds, beds, ...options }: LoadOptions): Promise<Told[]> {
  const usual = transactionsOfDay / secondsOfDay
  return inTurn({ beds: Math.min(beds, 100), staySeconds, each: 'parameter' }, options, [
    { name: 'day', seconds, eventsPerSecond: usual },
    { name: 'burst', seconds, eventsPerSecond: usual * burstTimes },
    { name: 'after', seconds, eventsPerSecond: usual },
  ])
}

/** Each bed has a reading of each of its parameters every five seconds, in one event. `compression`: so many seconds in one. */
export function manyBeds({ beds, seconds, ...options }: LoadOptions, compression: number): Promise<Told[]> {
  const eventsPerSecond = (beds * compression) / intervalSeconds
  // 48 hours of a bed in ten minutes.
  return inTurn({ beds, staySeconds: 600, each: 'bed' }, options, [
    { name: 'beds', seconds, eventsPerSecond },
  ])
}

async function inTurn(ward: Ward, options: Options, paces: readonly Pace[]): Promise<Told[]> {
  const tour = await Tour.open(ward, options)
  try {
    const told = [(await tour.admit()).told]
    for (const pace of paces) told.push((await tour.tell(pace)).told)
    return told
  } finally {
    await tour.close()
  }
}

/** The rates that were tried; of the last one, alarms were late. */
export async function ceiling({ seconds, beds, ...options }: LoadOptions): Promise<Told[]> {
  const tour = await Tour.open({ beds, staySeconds, each: 'parameter' }, options)
  try {
    const tried = [(await tour.admit()).told]
    for (let rate = firstRate; tried.length <= ratesMax; rate = Math.round(rate * rateTimes)) {
      const { told, settled } = await tour.tell({ name: `r${rate}`, seconds, eventsPerSecond: rate })
      tried.push(told)
      if (!settled || told.lost > 0 || told.p99Ms > lateMs) return tried
    }
    return tried
  } finally {
    await tour.close()
  }
}

type Ward = Pick<Plan, 'beds' | 'staySeconds' | 'each'>
type Options = Pick<LoadOptions, 'stays' | 'say'>

/** The same beds at one pace after another. */
class Tour {
  readonly #hospital: Hospital
  readonly #ward: Ward
  readonly #options: Options
  readonly #told: Telling[] = []
  /** How far the stream has come. */
  #fromMs = 0

  private constructor(hospital: Hospital, ward: Ward, options: Options) {
    this.#hospital = hospital
    this.#ward = ward
    this.#options = options
  }

  static async open(ward: Ward, options: Options): Promise<Tour> {
    const hospital = await Hospital.open('today')
    try {
      await hospital.worker({ recordsAreBehind: false })
      return new Tour(hospital, ward, options)
    } catch (error) {
      await hospital.close()
      throw error
    }
  }

  /** Each bed is heard of once. */
  admit(): Promise<{ readonly told: Told; readonly settled: boolean }> {
    const { beds } = this.#ward
    const pace = { name: 'admission', seconds: beds / admittedPerSecond, eventsPerSecond: admittedPerSecond }
    return this.tell(pace, 'bed')
  }

  /** `settled`: everything had reached its person in time. */
  async tell({ name, seconds, eventsPerSecond }: Pace, each = this.#ward.each) {
    const hospital = this.#hospital
    const { stays, say } = this.#options
    const plan: Plan = { ...this.#ward, name: 'a', seconds, eventsPerSecond, each, fromMs: this.#fromMs }
    const generator = await hospital.generator({ plan })
    say(`${name}: waits until everything before it is worked off`)
    await hospital.settled(settleMsMax, 'all')
    say(`${name}: ${Math.round(eventsPerSecond)} events/s for ${seconds} s`)
    generator.tell({ kind: 'start' })
    const { startMs } = await generator.says('started')
    const { sent } = await generator.says('done', seconds * 2 * secondMs + settleMsMax)
    const settled = await hospital.settled(settleMsMax)
    this.#told.push({ plan, startMs })
    this.#fromMs += seconds * secondMs
    const points = pointsOf(this.#told as [Telling, ...Telling[]], stays, hospital.push.received)
    const figures = figuresOf(points, startMs, startMs + seconds * secondMs)
    const told: Told = {
      ...{ name, eventsPerSecond: Math.round(eventsPerSecond * 10) / 10, seconds, sent, ...figures },
      readingsPerSecond: Math.round(sent.readings / seconds),
    }
    return { told, settled }
  }

  close(): Promise<void> {
    return this.#hospital.close()
  }
}
