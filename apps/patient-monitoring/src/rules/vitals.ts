// What the rules look at: a vital sign, which one of several parameters may tell.
import type { Parameter } from './parameters.js'

export interface Measured {
  readonly value: number
  /** When it was taken, in ms since 1970. */
  readonly atMs: number
}

/** The newest plausible value of each parameter. */
export type Latest = Readonly<Partial<Record<Parameter, Measured>>>

/** Which parameters tell a vital sign, the better one first. */
export const vitals = {
  pulse: ['HR'],
  respiration: ['RespRate'],
  saturation: ['SaO2'],
  systolic: ['SysABP', 'NISysABP'],
  mean: ['MAP', 'NIMAP'],
  temperature: ['Temp'],
  consciousness: ['GCS'],
} as const satisfies Readonly<Record<string, readonly Parameter[]>>

export type Vital = keyof typeof vitals

export const vitalNames = Object.keys(vitals) as readonly Vital[]

/** While the line in the artery has told a value so lately, the cuff is not asked: two that disagree would start and end
 *  alarms by turns. */
const betterValidMs = 30 * 60_000

/** The value of a vital sign at a time; undefined where nothing tells one that is not older than `validMs`. */
export function measuredAt(
  latest: Latest,
  vital: Vital,
  atMs: number,
  validMs = Number.POSITIVE_INFINITY,
): Measured | undefined {
  const known = vitals[vital].map((parameter) => latest[parameter]).filter((each) => each !== undefined)
  const [better, other] = known
  if (better === undefined) return undefined
  const chosen =
    other !== undefined && atMs - better.atMs > betterValidMs && other.atMs > better.atMs ? other : better
  return atMs - chosen.atMs <= validMs ? chosen : undefined
}

/** The vital sign that this reading tells: undefined where it tells none, or another parameter tells it better at this time. */
export function vitalToldBy(parameter: Parameter, latest: Latest, atMs: number): Vital | undefined {
  const vital = vitalNames.find((name) => (vitals[name] as readonly Parameter[]).includes(parameter))
  if (vital === undefined) return undefined
  return measuredAt(latest, vital, atMs) === latest[parameter] ? vital : undefined
}
