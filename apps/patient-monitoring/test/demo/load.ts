// Streams of a given pace, one after another in one hospital: as many as a day has, a burst of it, 1,000 beds; and faster and faster until
// alarms are late.
import { type AlarmFigures, figuresOf, lateMs, pointsOf } from './alarms.js'
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

const secondsOfDay = 86_400
const transactionsOfDay = 1_000_000
const burstTimes = 20
const intervalSeconds = 5
/** Alarms of patients who are found as they are, in the first moments, come all at once: they are told and not counted. */
const warmUpShare = 0.25
const settleMsMax = 60_000
const staySeconds = 120
const firstRate = 50
const rateTimes = 1.4
const ratesMax = 16

/** 1,000,000 transactions a day, twenty times as many, and as before. */
export function dayAndBurst({ seconds, beds, ...options }: LoadOptions): Promise<Told[]> {
  const usual = transactionsOfDay / secondsOfDay
  const stream = { beds: Math.min(beds, 100), seconds, staySeconds, each: 'parameter' } as const
  return inTurn(options, [
    { ...stream, name: 'day', eventsPerSecond: usual },
    { ...stream, name: 'burst', eventsPerSecond: usual * burstTimes },
    { ...stream, name: 'after', eventsPerSecond: usual },
  ])
}

/** Each bed has a reading of each of its parameters every five seconds, in one event. `compression`: so many seconds in one. */
export function manyBeds({ beds, seconds, ...options }: LoadOptions, compression: number): Promise<Told[]> {
  const eventsPerSecond = (beds * compression) / intervalSeconds
  return inTurn(options, [
    // 48 hours of a bed in ten minutes: 1,000 beds, and an alarm in every tenth of a second or so.
    { name: 'beds', beds, seconds, eventsPerSecond, each: 'bed', staySeconds: 600 },
  ])
}

async function inTurn(options: Pick<LoadOptions, 'stays' | 'say'>, plans: readonly Plan[]): Promise<Told[]> {
  const hospital = await Hospital.open('today')
  try {
    await hospital.worker({ recordsAreBehind: false })
    const told: Told[] = []
    for (const plan of plans) told.push((await tell(hospital, plan, options)).told)
    return told
  } finally {
    await hospital.close()
  }
}

/** The rates that were tried; of the last one, alarms were late. */
export async function ceiling({ stays, seconds, beds, say }: LoadOptions): Promise<Told[]> {
  const hospital = await Hospital.open('today')
  try {
    await hospital.worker({ recordsAreBehind: false })
    const tried: Told[] = []
    for (let rate = firstRate; tried.length < ratesMax; rate = Math.round(rate * rateTimes)) {
      const name = `r${rate}`
      const plan: Plan = { name, beds, seconds, eventsPerSecond: rate, each: 'parameter', staySeconds }
      const { told, settled } = await tell(hospital, plan, { stays, say })
      tried.push(told)
      if (!settled || told.lost > 0 || !(told.p99Ms <= lateMs)) return tried
    }
    return tried
  } finally {
    await hospital.close()
  }
}

async function tell(hospital: Hospital, plan: Plan, { stays, say }: Pick<LoadOptions, 'stays' | 'say'>) {
  const { name, seconds, eventsPerSecond } = plan
  say(`${name}: ${Math.round(eventsPerSecond)} events/s for ${seconds} s`)
  const generator = await hospital.generator({ plan })
  generator.tell({ kind: 'start' })
  const { startMs } = await generator.says('started')
  const { sent } = await generator.says('done', seconds * 2_000 + settleMsMax)
  const settled = await hospital.settled(settleMsMax)
  const points = pointsOf(plan, stays, startMs, hospital.push.received)
  const endMs = startMs + seconds * 1_000
  const figures = figuresOf(points, startMs + seconds * 1_000 * warmUpShare, endMs)
  const told: Told = {
    ...{ name, eventsPerSecond: Math.round(eventsPerSecond * 10) / 10, seconds, sent, ...figures },
    readingsPerSecond: Math.round(sent.readings / seconds),
  }
  return { told, settled }
}
