// What devices measure, and what each of it can be in a living person. A value outside is an artefact: an open line, a
// probe that fell off. It is kept and marked, and no alarm is made of it.

export interface ParameterFacts {
  readonly name: string
  readonly unit: string
  /** Least and greatest plausible value, both included. */
  readonly plausible: readonly [number, number]
}

// A heart rate or a breath rate of zero is plausible: it may be the one reading that counts, and a needless alarm costs less
// than a missed one. A pressure of zero is not: it is what an open line reads, and the pulse tells the rest.
export const parameters = {
  HR: { name: 'heart rate', unit: '/min', plausible: [0, 300] },
  RespRate: { name: 'respiration', unit: '/min', plausible: [0, 80] },
  SaO2: { name: 'oxygen saturation', unit: '%', plausible: [30, 100] },
  SysABP: { name: 'systolic pressure (artery)', unit: 'mmHg', plausible: [30, 300] },
  DiasABP: { name: 'diastolic pressure (artery)', unit: 'mmHg', plausible: [10, 200] },
  MAP: { name: 'mean pressure (artery)', unit: 'mmHg', plausible: [20, 250] },
  NISysABP: { name: 'systolic pressure (cuff)', unit: 'mmHg', plausible: [30, 300] },
  NIDiasABP: { name: 'diastolic pressure (cuff)', unit: 'mmHg', plausible: [10, 200] },
  NIMAP: { name: 'mean pressure (cuff)', unit: 'mmHg', plausible: [20, 250] },
  Temp: { name: 'temperature', unit: '°C', plausible: [25, 45] },
  GCS: { name: 'Glasgow coma scale', unit: '', plausible: [3, 15] },
  FiO2: { name: 'inspired oxygen', unit: '', plausible: [0.21, 1] },
  MechVent: { name: 'mechanical ventilation', unit: '', plausible: [0, 1] },
} as const satisfies Readonly<Record<string, ParameterFacts>>

export type Parameter = keyof typeof parameters

const continuous: ReadonlySet<string> = new Set<Parameter>([
  ...(['HR', 'RespRate', 'SaO2', 'SysABP', 'DiasABP', 'MAP'] as const),
])

/** What a monitor tells all the time. The rest is told by hand or now and then, and says nothing of the monitor. */
export const isContinuous = (parameter: string): boolean => continuous.has(parameter)

export const parameterNames = Object.keys(parameters) as readonly Parameter[]

export const isParameter = (name: string): name is Parameter => Object.hasOwn(parameters, name)

/** Not a number is one, too. */
export function isArtefact(parameter: Parameter, value: number): boolean {
  const [least, greatest] = parameters[parameter].plausible
  return !(value >= least && value <= greatest)
}
