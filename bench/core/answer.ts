// What comes out of a question: a figure per system and metric, a verdict per target.
import type { Lab } from './lab.js'
import { Rejected } from './run.js'
import { type Spread, spreadOf } from './statistics.js'

export interface Figure extends Spread {
  readonly question: string
  readonly system: string
  readonly metric: string
  readonly unit: string
}

export interface Verdict {
  readonly question: string
  readonly target: string
  /** What was reached; null when it could not be measured. */
  readonly reached: number | null
  /** null where the run was too small to judge. */
  readonly pass: boolean | null
}

export interface Answer {
  readonly figures: readonly Figure[]
  readonly verdicts: readonly Verdict[]
  /** What else decided the figures, besides what holds for the whole run. */
  readonly settings?: Readonly<Record<string, unknown>>
}

export interface Question {
  readonly name: string
  readonly title: string
  measure(lab: Lab): Promise<Answer>
}

/** Values by metric. The unit follows the name: `{ 'publish events/s': 1 }` reads badly, so metrics name it apart. */
export type Sample = Readonly<Record<string, number>>
export type Units = Readonly<Record<string, string>>

export interface Contestant {
  readonly system: string
  run(): Promise<Sample>
}

const triesMax = 3

/** Runs them in turn, A B A B, so that a slow minute of the machine hits all alike. */
export async function alternate(
  lab: Lab,
  question: string,
  units: Units,
  contestants: readonly Contestant[],
  runs = lab.options.scale.runs,
): Promise<Figure[]> {
  const samples = new Map<string, Sample[]>()
  const failed = new Map<string, number>()
  const rejected = new Map<string, number>()
  const givenUp = new Set<string>()
  for (let run = 1; run <= runs; run++) {
    for (const contestant of contestants.filter(({ system }) => !givenUp.has(system))) {
      lab.say(`${question}: ${contestant.system}, run ${run} of ${runs}`)
      const reject = () => rejected.set(contestant.system, (rejected.get(contestant.system) ?? 0) + 1)
      const sample = await accepted(lab, contestant, reject).catch((error: unknown) => {
        if (!isPeer(contestant.system) || lab.stopped) throw error
        // A peer that breaks under the load has an answer, too; the others still have theirs to give.
        lab.say(`${contestant.system}: failed, ${error instanceof Error ? error.message : String(error)}`)
        failed.set(contestant.system, (failed.get(contestant.system) ?? 0) + 1)
        return null
      })
      // A peer that leaves the generator no time, or breaks, does so each time: it is not asked again.
      if (sample === null && isPeer(contestant.system)) givenUp.add(contestant.system)
      if (sample === null) continue
      samples.set(contestant.system, [...(samples.get(contestant.system) ?? []), sample])
    }
  }
  // Whoever has no figures must not look as if it had not been asked.
  const counted = (metric: string, counts: ReadonlyMap<string, number>) =>
    [...counts].map(([system, count]) => ({
      ...{ question, system, metric, unit: 'runs', median: count, min: count, max: count, runs },
    }))
  return [
    ...[...samples].flatMap(([system, taken]) => figuresOf(question, system, units, taken)),
    ...counted('failed', failed),
    ...counted('rejected', rejected),
  ]
}

const isPeer = (system: string) => !/^(eventspine|raw)/.test(system)

async function accepted(lab: Lab, { system, run }: Contestant, reject: () => void): Promise<Sample | null> {
  for (let tries = 1; tries <= triesMax; tries++) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof Rejected)) throw error
      reject()
      lab.say(`${system}: run rejected, ${error.message}${tries < triesMax ? '; repeated' : '; given up'}`)
    }
  }
  return null
}

export function figuresOf(
  question: string,
  system: string,
  units: Units,
  samples: readonly Sample[],
): Figure[] {
  const metrics = new Set(samples.flatMap((sample) => Object.keys(sample)))
  return [...metrics].map((metric) => ({
    question,
    system,
    metric,
    unit: units[metric] ?? 'ms',
    ...spreadOf(samples.flatMap((sample) => sample[metric] ?? [])),
  }))
}

/** The median, or null when there is no such figure. */
export function medianOf(figures: readonly Figure[], system: string, metric: string): number | null {
  return figures.find((figure) => figure.system === system && figure.metric === metric)?.median ?? null
}

/** The most of all runs, or null when there is no such figure: of what must never be, the median tells nothing. */
export function maxOf(figures: readonly Figure[], system: string, metric: string): number | null {
  return figures.find((figure) => figure.system === system && figure.metric === metric)?.max ?? null
}

/** The best median of the peers. */
export function bestPeer(figures: readonly Figure[], metric: string): number | null {
  const peers = figures.filter((figure) => figure.metric === metric && isPeer(figure.system))
  return peers.length === 0 ? null : Math.max(...peers.map(({ median }) => median))
}

export function ratio(value: number | null, to: number | null): number | null {
  return value === null || to === null || to === 0 ? null : value / to
}

export const atLeast = (
  question: string,
  target: string,
  reached: number | null,
  least: number,
): Verdict => ({
  question,
  target,
  reached,
  pass: reached !== null && reached >= least,
})

export const atMost = (question: string, target: string, reached: number | null, most: number): Verdict => ({
  question,
  target,
  reached,
  pass: reached !== null && reached <= most,
})
