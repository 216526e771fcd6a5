// When a single vital sign is an alarm, and when the score is. Priorities have the names of IEC 60601-1-8 (clause 6.1.2): high,
// a prompt response or somebody is harmed; medium; low.
import type { Vital } from './vitals.js'

export type Priority = 'high' | 'medium' | 'low'

/** Most urgent first. */
export const priorities = ['high', 'medium', 'low'] as const satisfies readonly Priority[]

/** What is true of every rule, whatever it looks at. */
export interface Rule {
  readonly name: string
  readonly priority: Priority
  /** How long it must hold, from reading to reading, before it is an alarm. */
  readonly delayMs: number
  /** While an alarm of one of these rules stands, nobody is told of this lesser one. */
  readonly coveredBy: readonly string[]
  readonly text: string
}

export interface LimitRule extends Rule {
  readonly vital: Vital
  readonly side: 'low' | 'high'
  /** The last value that is no alarm. */
  readonly limit: number
  /** Least and greatest limit that a patient may have, both included: what is beyond is mistyped, or switches the alarm off. */
  readonly allowed: readonly [number, number]
  /** The alarm ends when the value is so far within the limit again. */
  readonly hysteresis: number
}

export interface ScoreRule extends Rule {
  /** The least NEWS2 at which it holds; `single`: one part alone has 3 points. */
  readonly from: number | 'single'
}

const second = 1_000
const minute = 60 * second

/** The same rule of the same bed is told again no sooner: a value that swings about its limit would make people deaf. One that
 *  still holds then is told. */
export const repeatMs: Readonly<Record<Priority, number>> = {
  high: 5 * minute,
  medium: 15 * minute,
  low: 60 * minute,
}

const lasting = { delayMs: 10 * second, coveredBy: [] }
const atOnce = { delayMs: 0, coveredBy: [] }

/** Of an adult of whom nothing else is known. In each pair the urgent one comes first. */
export const limitRules: readonly LimitRule[] = [
  ...pair('pulse', 'heart rate', 'high', [150, [100, 220]], [130, [80, 200]], 5),
  ...pair('pulse', 'heart rate', 'low', [40, [20, 70]], [50, [25, 75]], 3),
  ...pair('saturation', 'oxygen saturation', 'low', [85, [70, 95]], [90, [75, 97]], 2),
  ...pair('systolic', 'systolic pressure', 'low', [75, [50, 110]], [90, [55, 120]], 5),
  rule('respiration', 'respiration', 'low', [8, [4, 16]], 1, { priority: 'high', ...atOnce }),
  rule('respiration', 'respiration', 'high', [30, [18, 60]], 2, { priority: 'medium', ...lasting }),
  rule('systolic', 'systolic pressure', 'high', [200, [125, 260]], 10, { priority: 'medium', ...lasting }),
  rule('mean', 'mean pressure', 'low', [60, [35, 100]], 5, { priority: 'medium', ...lasting }),
  rule('temperature', 'temperature', 'high', [39.5, [37, 42]], 0.5, { priority: 'low', ...lasting }),
  rule('temperature', 'temperature', 'low', [35, [30, 36.5]], 0.5, { priority: 'low', ...lasting }),
]

/** The responses of NEWS2, the most urgent first. */
export const scoreRules: readonly ScoreRule[] = [
  { name: 'news2-high', from: 7, priority: 'high', ...atOnce, text: 'NEWS2 of 7 or more' },
  {
    name: 'news2-medium',
    from: 5,
    priority: 'medium',
    delayMs: 0,
    coveredBy: ['news2-high'],
    text: 'NEWS2 of 5 or 6',
  },
  {
    name: 'news2-single',
    from: 'single',
    priority: 'low',
    delayMs: 0,
    coveredBy: ['news2-high', 'news2-medium'],
    text: 'NEWS2 with 3 points in one parameter',
  },
]

/** Nothing was heard of the monitor of a bed, whatever else speaks there. */
export const silenceRule: Rule = {
  ...{ name: 'device-silent', priority: 'medium', ...atOnce },
  text: 'no current reading comes from the monitor of this bed',
}

/** Devices speak of a bed that belongs to another ward. */
export const refusalRule: Rule = {
  ...{ name: 'bed-refused', priority: 'medium', ...atOnce },
  text: 'readings are refused, and no alarm is made of them: the bed belongs to ward',
}

export const ruleNames = [...limitRules, ...scoreRules, silenceRule].map(({ name }) => name)

/** Of those that a patient can have another limit of. */
export const limitNames = limitRules.map(({ name }) => name)

/** What a clinician has decided for one patient: other limits, by name of the rule, and the scale of saturation. */
export interface PatientLimits {
  readonly limits: Readonly<Record<string, number>>
  readonly saturationScale: 1 | 2
}

export const usualLimits: PatientLimits = { limits: {}, saturationScale: 1 }

/** The rule as it is for this patient. */
export const forPatient = (each: LimitRule, { limits }: PatientLimits): LimitRule =>
  limits[each.name] === undefined ? each : { ...each, limit: limits[each.name] as number }

export interface LimitFault {
  readonly rule: string
  readonly message: string
}

/** Why a patient cannot have these limits, of which `given` are new; undefined where they can. An urgent limit lies beyond the lesser one
 *  of its sign. */
export function faultOfLimits(
  before: PatientLimits,
  given: Readonly<Record<string, number | null>>,
): LimitFault | undefined {
  const limits = limitsWith(before, given)
  for (const { name, allowed } of limitRules) {
    const limit = given[name] ?? null
    const [least, most] = allowed
    if (limit !== null && !(limit >= least && limit <= most))
      return { rule: name, message: `is ${limit}; from ${least} to ${most} is allowed` }
  }
  const effective = limitRules.map((each) => forPatient(each, { ...before, limits }))
  for (const lesser of effective)
    for (const urgent of effective) {
      if (!lesser.coveredBy.includes(urgent.name)) continue
      const beyond = lesser.side === 'high' ? urgent.limit - lesser.limit : lesser.limit - urgent.limit
      const isNew = [lesser, urgent].find(({ name }) => name in given)
      if (beyond > 0 || isNew === undefined) continue
      const order = lesser.side === 'high' ? 'below' : 'above'
      return {
        rule: isNew.name,
        message: `does not fit: ${lesser.name} (${lesser.limit}) must be ${order} ${urgent.name} (${urgent.limit})`,
      }
    }
  return undefined
}

/** What is not named stays as it was; null makes it the usual one again. */
export const limitsWith = (
  { limits }: PatientLimits,
  given: Readonly<Record<string, number | null>>,
): PatientLimits['limits'] =>
  Object.fromEntries(
    Object.entries({ ...limits, ...given }).filter((each): each is [string, number] => each[1] !== null),
  )

/** A limit, and what is allowed in its place. */
type Bounded = readonly [limit: number, allowed: LimitRule['allowed']]

function pair(
  vital: Vital,
  called: string,
  side: LimitRule['side'],
  urgent: Bounded,
  lesser: Bounded,
  hysteresis: number,
): readonly LimitRule[] {
  const very = {
    ...rule(vital, called, side, urgent, hysteresis, { priority: 'high', ...atOnce }),
    ...{ name: `${vital}-very-${side}`, text: `${called} very ${side}` },
  }
  const plain = { priority: 'medium', ...lasting, coveredBy: [very.name] } as const
  return [very, rule(vital, called, side, lesser, hysteresis, plain)]
}

function rule(
  vital: Vital,
  called: string,
  side: LimitRule['side'],
  [limit, allowed]: Bounded,
  hysteresis: number,
  rest: Pick<Rule, 'priority' | 'delayMs' | 'coveredBy'>,
): LimitRule {
  const name = `${vital}-${side}`
  return { name, text: `${called} ${side}`, vital, side, limit, allowed, hysteresis, ...rest }
}

/** Beyond its limit, and so far within it again that the alarm ends. */
export function standingOf({ side, limit, hysteresis }: LimitRule, value: number) {
  const inside = side === 'high' ? limit - value : value - limit
  return { holds: inside < 0, over: inside >= hysteresis }
}
