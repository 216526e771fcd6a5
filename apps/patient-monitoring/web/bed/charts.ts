// From what the server says of a bed to a chart for each of its parameters, with the alarms that are about it.
import { news2Max } from '../../src/rules/news2.js'
import { isParameter, parameterNames, parameters } from '../../src/rules/parameters.js'
import { type Vital, vitals } from '../../src/rules/vitals.js'
import type { ChartPoint, ScorePoint } from '../../src/views.js'
import type { Alarm } from './alarms.js'
import { type ChartOf, chartOf, type Flag, type Point } from './chart.js'

export type Points = Readonly<
  Record<
    string,
    readonly (Omit<ChartPoint, 'start' | 'lastAt'> & {
      readonly start: string
      readonly lastAt: string | null
    })[]
  >
>
export type Scores = readonly (Omit<ScorePoint, 'at'> & { readonly at: string })[]

export interface Told {
  readonly points: Points
  readonly scores: Scores
  readonly alarms: readonly Alarm[]
  /** Parts of the score of now are not known. */
  readonly isLeast: boolean
}

export interface Window {
  readonly fromMs: number
  readonly toMs: number
  /** Of what one point stands for. */
  readonly grainMs: number
  readonly zoom: ChartOf['zoom']
}

export function chartsOf(
  { points: told, scores, alarms, isLeast }: Told,
  window: Window,
): readonly HTMLElement[] {
  const charts = parameterNames.flatMap((parameter) => {
    const ofParameter = told[parameter]
    if (ofParameter === undefined || !isParameter(parameter)) return []
    // What is drawn is no artefact, and so lies between these two.
    const { name, unit, plausible: possible } = parameters[parameter]
    const flags = flagsOf(alarms, (rule) => tells(rule, parameter))
    return [chartOf({ ...window, name, unit, possible, flags, ...drawn(ofParameter, window) })]
  })
  const flags = flagsOf(alarms, (rule) => /^(news2|device)-/.test(rule))
  const points = courseOf(scores, heardMs(told), window)
  const last = points.at(-1)
  const score = {
    ...{ name: 'NEWS2', unit: '', possible: news2Possible, artefacts: [], tooLate: [], flags, isStep: true },
    points,
    latest: last === undefined ? undefined : { value: last.mean, atMs: last.atMs, isLeast },
  }
  return [chartOf({ ...window, ...score }), ...charts]
}

/** A rule is named by its vital sign. */
const tells = (rule: string, parameter: string) =>
  ((vitals[rule.split('-')[0] as Vital] ?? []) as readonly string[]).includes(parameter)

const news2Possible: ChartOf['possible'] = [0, news2Max]

const flagsOf = (alarms: readonly Alarm[], isAbout: (rule: string) => boolean): readonly Flag[] =>
  alarms
    .filter(({ rule }) => isAbout(rule))
    .map(({ raisedAt, priority, text }) => ({ atMs: Date.parse(raisedAt), priority, text }))

function drawn(
  told: Points[string],
  { grainMs, toMs }: Window,
): Pick<ChartOf, 'points' | 'artefacts' | 'tooLate' | 'latest'> {
  // Of one that has begun the middle may not have come.
  const middle = (start: string) => Math.min(Date.parse(start) + grainMs / 2, toMs)
  const points = told.flatMap(({ start, mean, lowest, highest }): Point[] =>
    mean === null || lowest === null || highest === null
      ? []
      : [{ atMs: middle(start), mean, lowest, highest }],
  )
  const last = told.findLast(({ lastAt }) => lastAt !== null)
  const isKnown = last !== undefined && last.last !== null && last.lastAt !== null
  return {
    points,
    latest: isKnown ? { value: last.last, atMs: Date.parse(last.lastAt) } : undefined,
    artefacts: told.filter(({ artefacts }) => artefacts > 0).map(({ start }) => middle(start)),
    tooLate: told.filter(({ tooLate }) => tooLate > 0).map(({ start }) => middle(start)),
  }
}

/** When the last reading was taken that is shown. */
const heardMs = (told: Points) =>
  Math.max(0, ...Object.values(told).map((of) => Date.parse(of.at(-1)?.lastAt ?? '') || 0))

/** The score at the beginning is the one that was told before; it stays until the last reading, and nobody knows it from there on. */
function courseOf(scores: Scores, lastMs: number, { fromMs, toMs }: Window): readonly Point[] {
  const all = scores.map(({ at, total }) => ({
    atMs: Date.parse(at),
    mean: total,
    lowest: total,
    highest: total,
  }))
  const before = all.findLast(({ atMs }) => atMs < fromMs)
  const within = all.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
  const course = before === undefined ? within : [{ ...before, atMs: fromMs }, ...within]
  const last = course.at(-1)
  return last === undefined ? [] : [...course, { ...last, atMs: Math.min(toMs, Math.max(last.atMs, lastMs)) }]
}
