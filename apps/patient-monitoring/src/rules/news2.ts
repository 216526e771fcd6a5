// NEWS2, the score by which hospitals notice that somebody gets worse: Royal College of Physicians, "National Early Warning
// Score (NEWS) 2: Standardising the assessment of acute-illness severity in the NHS", London 2017, charts 1 and 2. Where a
// part is not known the score is the least that it can be, and says what is missing.
import type { Parameter } from './parameters.js'
import { type Latest, measuredAt, type Vital } from './vitals.js'

/** SpO₂ scale 2 is for people whose target is 88 to 92 %, as a clinician has decided (hypercapnic respiratory failure). */
export type SaturationScale = 1 | 2

/** The seven parameters of the chart, in its order. */
export const news2Parts = [
  'respiration',
  'saturation',
  'oxygen',
  'systolic',
  'pulse',
  'consciousness',
  'temperature',
] as const

export type News2Part = (typeof news2Parts)[number]
export type Points = 0 | 1 | 2 | 3

/** What is known of a patient at a moment, in the units of the chart. */
export interface Observations {
  /** Breaths per minute. */
  readonly respiration?: number | undefined
  /** SpO₂ in per cent. */
  readonly saturation?: number | undefined
  /** Breathes more than air. */
  readonly oxygen?: boolean | undefined
  /** mmHg. */
  readonly systolic?: number | undefined
  /** Beats per minute. */
  readonly pulse?: number | undefined
  readonly alert?: boolean | undefined
  /** °C. */
  readonly temperature?: number | undefined
}

/** Chart 2, thresholds and triggers: how a ward answers. */
export type News2Response = 'low' | 'low-medium' | 'medium' | 'high'

export interface News2 {
  readonly total: number
  readonly points: Readonly<Partial<Record<News2Part, Points>>>
  readonly missing: readonly News2Part[]
  readonly response: News2Response
}

/** Of all seven parts: three points each, two for oxygen. */
export const news2Max = 20

/** Upper end of each band, its points, and what is above the last. */
type Bands = readonly (readonly [upTo: number, points: Points])[]

const above = Number.POSITIVE_INFINITY
const bands = {
  respiration: [
    [8, 3],
    [11, 1],
    [20, 0],
    [24, 2],
    [above, 3],
  ],
  saturation: [
    [91, 3],
    [93, 2],
    [95, 1],
    [above, 0],
  ],
  saturationOnAir2: [
    [83, 3],
    [85, 2],
    [87, 1],
    [above, 0],
  ],
  saturationOnOxygen2: [
    [83, 3],
    [85, 2],
    [87, 1],
    [92, 0],
    [94, 1],
    [96, 2],
    [above, 3],
  ],
  systolic: [
    [90, 3],
    [100, 2],
    [110, 1],
    [219, 0],
    [above, 3],
  ],
  pulse: [
    [40, 3],
    [50, 1],
    [90, 0],
    [110, 1],
    [130, 2],
    [above, 3],
  ],
  temperature: [
    [35, 3],
    [36, 1],
    [38, 0],
    [39, 1],
    [above, 2],
  ],
} as const satisfies Readonly<Record<string, Bands>>

// The chart has whole numbers, and tenths of a degree: what lies between two bands belongs to the one that it rounds to.
const inBand = (value: number, table: Bands, perUnit = 1): Points => {
  const charted = Math.round(value * perUnit) / perUnit
  return table.find(([upTo]) => charted <= upTo)?.[1] ?? 0
}

/** On scale 2 without a word on oxygen the points are those of air: never more than they can be. */
function saturationPoints(value: number, scale: SaturationScale, oxygen: boolean | undefined): Points {
  if (scale === 1) return inBand(value, bands.saturation)
  return inBand(value, oxygen === true ? bands.saturationOnOxygen2 : bands.saturationOnAir2)
}

export function news2(observations: Observations, scale: SaturationScale = 1): News2 {
  const { respiration, saturation, oxygen, systolic, pulse, alert, temperature } = observations
  const all: Readonly<Record<News2Part, Points | undefined>> = {
    respiration: respiration === undefined ? undefined : inBand(respiration, bands.respiration),
    saturation: saturation === undefined ? undefined : saturationPoints(saturation, scale, oxygen),
    oxygen: oxygen === undefined ? undefined : oxygen ? 2 : 0,
    systolic: systolic === undefined ? undefined : inBand(systolic, bands.systolic),
    pulse: pulse === undefined ? undefined : inBand(pulse, bands.pulse),
    consciousness: alert === undefined ? undefined : alert ? 0 : 3,
    temperature: temperature === undefined ? undefined : inBand(temperature, bands.temperature, 10),
  }
  const known = news2Parts.filter((part) => all[part] !== undefined)
  const points = Object.fromEntries(known.map((part) => [part, all[part]])) as News2['points']
  const total = known.reduce((sum, part) => sum + (all[part] ?? 0), 0)
  return {
    ...{ total, points, missing: news2Parts.filter((part) => all[part] === undefined) },
    response: responseTo(total, points),
  }
}

function responseTo(total: number, points: News2['points']): News2Response {
  if (total >= 7) return 'high'
  if (total >= 5) return 'medium'
  return Object.values(points).includes(3) ? 'low-medium' : 'low'
}

const minute = 60_000
/** How old a value may be to count. Wards take some of them less often. */
const validMs = { often: 120 * minute, seldom: 480 * minute } as const
const alertGcs = 15
const airFraction = 0.21

/** What is known at a time, from the newest readings. Alert is a Glasgow coma scale of 15. */
export function observationsAt(latest: Latest, atMs: number): Observations {
  const often = (vital: Vital) => measuredAt(latest, vital, atMs, validMs.often)?.value
  const seldom = (vital: Vital) => measuredAt(latest, vital, atMs, validMs.seldom)?.value
  const gcs = seldom('consciousness')
  return {
    ...{ respiration: often('respiration'), saturation: often('saturation') },
    ...{ systolic: often('systolic'), pulse: often('pulse'), temperature: seldom('temperature') },
    oxygen: oxygenAt(latest, atMs),
    alert: gcs === undefined ? undefined : gcs >= alertGcs,
  }
}

/** More than air is breathed where its fraction is above that of air, or a machine breathes. */
function oxygenAt({ FiO2, MechVent }: Latest, atMs: number): boolean | undefined {
  const fresh = [FiO2, MechVent].filter((each) => each !== undefined && atMs - each.atMs <= validMs.seldom)
  if (fresh.length === 0) return undefined
  const [fraction, machine] = [FiO2, MechVent].map((each) => (fresh.includes(each) ? each?.value : undefined))
  return (fraction ?? airFraction) > airFraction || machine === 1
}

/** The parameters that the score looks at. */
export const news2Parameters: ReadonlySet<Parameter> = new Set([
  ...(['RespRate', 'SaO2', 'FiO2', 'MechVent', 'SysABP', 'NISysABP', 'HR', 'GCS', 'Temp'] as const),
])
