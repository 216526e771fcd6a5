// What was run so far, a line for each part: a run of hours is made of parts that fit into an evening.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Closing, Programme } from './programmes.js'

export interface PartRun extends Closing {
  readonly programme: string
  /** What was run, with `+` when files were changed. */
  readonly commit: string
  readonly node: string
  /** When it ended, ISO 8601. */
  readonly at: string
}

/** Programmes with how far they are. */
export interface Standing {
  readonly programme: Programme
  readonly runs: readonly PartRun[]
  readonly done: number
  /** Of what is wanted: 0 to 1, and more. */
  readonly share: number
  readonly nextSeed: number
  /** Of a part, as measured. 0 where there was none. */
  readonly secondsOfPart: number
}

export function readRuns(file: string): readonly PartRun[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}

export const addRun = (file: string, run: PartRun) => appendFileSync(file, `${JSON.stringify(run)}\n`)

export function standingOf(programme: Programme, all: readonly PartRun[]): Standing {
  const runs = all.filter((run) => run.programme === programme.name)
  // A part with a violation shows that one, and nothing about what else was in it.
  const clean = runs.filter(({ violations }) => violations === 0)
  const done = clean.reduce((sum, run) => sum + programme.counted(run), 0)
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0)
  return {
    ...{ programme, runs, done, share: done / programme.wanted },
    nextSeed: Math.max(programme.seed, ...runs.map(({ seed }) => seed + programme.seedsOfPart)),
    secondsOfPart: runs.length === 0 ? 0 : seconds / runs.length,
  }
}

/** The programme that lags behind most of those whose next part is over in `secondsLeft`. */
export function nextOf(standings: readonly Standing[], secondsLeft: number): Standing | undefined {
  return standings
    .filter(({ share, secondsOfPart }) => share < 1 && secondsOfPart <= secondsLeft)
    .sort((a, b) => a.share - b.share)[0]
}
