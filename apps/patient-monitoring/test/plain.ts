// The same alarms, worked out from the file alone and in another way: whole series of one stay, rule by rule, with a reading of the
// bands of its own (NEWS2, chart 1). It shares no line with the application; what both must agree on is written in the README.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export interface Row {
  readonly stay: string
  /** Minutes since admission. */
  readonly minute: number
  readonly parameter: string
  readonly value: number
  /** When it came in, where that was later. */
  readonly comesMinute?: number
}

export function rowsOf(path: URL, staysMax: number): Row[] {
  const lines = gunzipSync(readFileSync(path)).toString().trim().split('\n').slice(1)
  const stays = new Set<string>()
  const rows: Row[] = []
  for (const line of lines) {
    const [stay = '', time = '', parameter = '', value = ''] = line.split(',')
    stays.add(stay)
    if (stays.size > staysMax) break
    const [hours = '', minutes = ''] = time.split(':')
    rows.push({ stay, minute: Number(hours) * 60 + Number(minutes), parameter, value: Number(value) })
  }
  return rows
}

const believable: Record<string, [number, number]> = {
  ...{ HR: [0, 300], RespRate: [0, 80], SaO2: [30, 100], Temp: [25, 45], GCS: [3, 15], FiO2: [0.21, 1] },
  ...{ SysABP: [30, 300], NISysABP: [30, 300], DiasABP: [10, 200], NIDiasABP: [10, 200] },
  ...{ MAP: [20, 250], NIMAP: [20, 250], MechVent: [0, 1] },
}

/** A moment of a stay: what was measured last, by then. */
class Moment {
  readonly #seen: ReadonlyMap<string, { value: number; minute: number }>
  readonly minute: number
  /** What was measured at it. */
  readonly measured: ReadonlySet<string>
  /** How long after it that came in. */
  readonly lateMinutes: number

  constructor(
    seen: ReadonlyMap<string, { value: number; minute: number }>,
    { minute, comesMinute = minute }: Row,
    measured: ReadonlySet<string>,
  ) {
    this.#seen = new Map(seen)
    this.minute = minute
    this.measured = measured
    this.lateMinutes = comesMinute - minute
  }

  /** Undefined where it is not known, or is older than so many hours. */
  of(name: string, hoursMax = 1_000): number | undefined {
    const last = this.#seen.get(name)
    return last !== undefined && this.minute - last.minute <= hoursMax * 60 ? last.value : undefined
  }

  /** Artery or cuff: the artery, unless it was silent for more than half an hour and the cuff spoke since. */
  pressure(artery: string, cuff: string): string | undefined {
    const [inside, outside] = [this.#seen.get(artery), this.#seen.get(cuff)]
    if (inside === undefined) return outside && cuff
    const isStale = this.minute - inside.minute > 30
    return isStale && outside !== undefined && outside.minute > inside.minute ? cuff : artery
  }
}

/** How readings come in: each alone, or those of one minute in one batch. */
export type Arrival = 'each' | 'minutes'

function momentsOf(rows: readonly Row[], arrival: Arrival): Moment[] {
  const seen = new Map<string, { value: number; minute: number }>()
  const moments: Moment[] = []
  const good = rows.filter(({ parameter, value }) => {
    const [from, to] = believable[parameter] ?? [0, -1]
    return value >= from && value <= to
  })
  let open = new Set<string>()
  for (const [index, row] of good.entries()) {
    seen.set(row.parameter, row)
    open.add(row.parameter)
    const next = good[index + 1]
    // A batch of a minute goes on until its last row, or until something is measured for the second time.
    const goesOn = arrival === 'minutes' && next?.minute === row.minute && !open.has(next.parameter)
    if (goesOn) continue
    moments.push(new Moment(seen, row, open))
    open = new Set()
  }
  return moments
}

// ── NEWS2, on air or not ──

/** Points of each part that is known. */
function pointsAt(moment: Moment): number[] {
  const points: number[] = []
  const rate = moment.of('RespRate', 2)
  if (rate !== undefined) {
    const n = Math.round(rate)
    points.push(n <= 8 || n >= 25 ? 3 : n >= 21 ? 2 : n <= 11 ? 1 : 0)
  }
  const saturation = moment.of('SaO2', 2)
  if (saturation !== undefined)
    points.push(Math.min(3, Math.max(0, Math.ceil((96 - Math.round(saturation)) / 2))))
  const [fraction, machine] = [moment.of('FiO2', 8), moment.of('MechVent', 8)]
  if (fraction !== undefined || machine !== undefined)
    points.push((fraction ?? 0) > 0.21 || machine === 1 ? 2 : 0)
  const name = moment.pressure('SysABP', 'NISysABP')
  const systolic = name === undefined ? undefined : moment.of(name, 2)
  if (systolic !== undefined) {
    const n = Math.round(systolic)
    points.push(n <= 90 || n >= 220 ? 3 : n <= 100 ? 2 : n <= 110 ? 1 : 0)
  }
  const pulse = moment.of('HR', 2)
  if (pulse !== undefined) {
    const n = Math.round(pulse)
    points.push(n <= 40 || n >= 131 ? 3 : n >= 111 ? 2 : n <= 50 || n >= 91 ? 1 : 0)
  }
  const coma = moment.of('GCS', 8)
  if (coma !== undefined) points.push(coma < 15 ? 3 : 0)
  const temperature = moment.of('Temp', 8)
  if (temperature !== undefined) {
    const tenths = Math.round(temperature * 10)
    points.push(tenths <= 350 ? 3 : tenths >= 391 ? 2 : tenths <= 360 || tenths >= 381 ? 1 : 0)
  }
  return points
}

const partsOfScore = 'RespRate SaO2 FiO2 MechVent SysABP NISysABP HR GCS Temp'.split(' ')

// ── rules ──

/** What a moment says of a rule: undefined where it says nothing. */
type Saying = { readonly holds: boolean; readonly over: boolean } | undefined

interface PlainRule {
  readonly name: string
  readonly waitMinutes: number
  readonly repeatMinutes: number
  /** While any of them stands it waits. */
  readonly under: readonly string[]
  readonly says: (moment: Moment) => Saying
}

const tenSeconds = 1 / 6

type Kind = 'urgent' | 'medium' | 'low'

/** Name, who tells it (the artery before the cuff), how urgent, the last value that is none, the first that ends it, what covers it. */
type Bound = readonly [string, string, Kind, string, number, number, string?]

const bounds: readonly Bound[] = [
  ['pulse-very-high', 'HR', 'urgent', '>', 150, 145],
  ['pulse-high', 'HR', 'medium', '>', 130, 125, 'pulse-very-high'],
  ['pulse-very-low', 'HR', 'urgent', '<', 40, 43],
  ['pulse-low', 'HR', 'medium', '<', 50, 53, 'pulse-very-low'],
  ['saturation-very-low', 'SaO2', 'urgent', '<', 85, 87],
  ['saturation-low', 'SaO2', 'medium', '<', 90, 92, 'saturation-very-low'],
  ['systolic-very-low', 'SysABP NISysABP', 'urgent', '<', 75, 80],
  ['systolic-low', 'SysABP NISysABP', 'medium', '<', 90, 95, 'systolic-very-low'],
  ['systolic-high', 'SysABP NISysABP', 'medium', '>', 200, 190],
  ['respiration-low', 'RespRate', 'urgent', '<', 8, 9],
  ['respiration-high', 'RespRate', 'medium', '>', 30, 28],
  ['mean-low', 'MAP NIMAP', 'medium', '<', 60, 65],
  ['temperature-high', 'Temp', 'low', '>', 39.5, 39],
  ['temperature-low', 'Temp', 'low', '<', 35, 35.5],
]

function bound([name, from, kind, sign, last, back, urgent]: Bound): PlainRule {
  const [artery = '', cuff] = from.split(' ')
  return {
    name,
    waitMinutes: kind === 'urgent' ? 0 : tenSeconds,
    repeatMinutes: { urgent: 5, medium: 15, low: 60 }[kind],
    under: urgent === undefined ? [] : [urgent],
    says(moment) {
      const speaker = cuff === undefined ? artery : moment.pressure(artery, cuff)
      if (speaker === undefined || !moment.measured.has(speaker)) return undefined
      const value = moment.of(speaker) as number
      return sign === '>'
        ? { holds: value > last, over: value <= back }
        : { holds: value < last, over: value >= back }
    },
  }
}

function score(
  name: string,
  repeatMinutes: number,
  under: readonly string[],
  judge: (points: readonly number[]) => readonly [holds: boolean, over: boolean],
): PlainRule {
  return {
    ...{ name, repeatMinutes, under, waitMinutes: 0 },
    says(moment) {
      if (!partsOfScore.some((part) => moment.measured.has(part))) return undefined
      const [holds, over] = judge(pointsAt(moment))
      return { holds, over }
    },
  }
}

const sum = (points: readonly number[]) => points.reduce((total, each) => total + each, 0)

/** Each behind those that it waits for. */
const rules: readonly PlainRule[] = [
  ...bounds.map(bound),
  score('news2-high', 5, [], (points) => [sum(points) >= 7, sum(points) < 6]),
  score('news2-medium', 15, ['news2-high'], (points) => [sum(points) >= 5, sum(points) < 4]),
  score('news2-single', 60, ['news2-high', 'news2-medium'], (points) => [
    points.includes(3),
    !points.includes(3),
  ]),
]

/** A reading that comes later after it was taken than this is told of by nobody, before one that comes in time says the same. */
const lateMinutesMax = 60

/** The ids of all alarms of these rows, where admission was at `startMs`. */
export function alarmsOf(rows: readonly Row[], startMs: number, arrival: Arrival = 'each'): Set<string> {
  const alarms = new Set<string>()
  for (const [stay, ofStay] of byStay(rows)) {
    const moments = momentsOf(ofStay, arrival)
    const standing = new Map<string, boolean[]>()
    for (const rule of rules) {
      const waits = moments.map(
        ({ lateMinutes }, index) =>
          lateMinutes > lateMinutesMax || rule.under.some((other) => standing.get(other)?.[index]),
      )
      const { told, stands } = course(rule, moments, waits)
      standing.set(rule.name, stands)
      for (const minute of told) alarms.add(`${stay}.${rule.name}.${stamp(startMs + minute * 60_000)}`)
    }
  }
  return alarms
}

function byStay(rows: readonly Row[]): Map<string, Row[]> {
  const stays = new Map<string, Row[]>()
  for (const row of rows) {
    const ofStay = stays.get(row.stay)
    if (ofStay === undefined) stays.set(row.stay, [row])
    else ofStay.push(row)
  }
  return stays
}

/** When alarms of a rule are told, and at which moments one stands. `waits`: nothing is told at that moment, since something
 *  more urgent stands or it is too late. */
function course(rule: PlainRule, moments: readonly Moment[], waits: readonly boolean[]) {
  const told: number[] = []
  const stands: boolean[] = []
  let since: number | undefined
  let isStanding = false
  let toldAt = Number.NEGATIVE_INFINITY
  for (const [index, moment] of moments.entries()) {
    const saying = rule.says(moment)
    if (saying !== undefined && isStanding && saying.over) {
      isStanding = false
      since = undefined
    } else if (saying !== undefined && !isStanding) {
      since = saying.holds ? (since ?? moment.minute) : undefined
      const isLongEnough = since !== undefined && isBehind(since, moment.minute, rule.waitMinutes)
      if (isLongEnough && waits[index] !== true && isBehind(toldAt, moment.minute, rule.repeatMinutes)) {
        told.push(moment.minute)
        toldAt = moment.minute
        isStanding = true
      }
    }
    stands.push(isStanding)
  }
  return { told, stands }
}

/** Minutes may have parts; what counts is the millisecond. */
const isBehind = (from: number, to: number, minutes: number) =>
  Math.round((to - from) * 60_000) >= Math.round(minutes * 60_000)

const stamp = (ms: number) => new Date(Math.round(ms)).toISOString().replaceAll('-', '').replaceAll(':', '')
