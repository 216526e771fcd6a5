// Packs the attempts of a flush: a row per consumer and stretch of the log, its attempts in arrays.
import type { Run, Settlement } from '../../settle/port.js'

/** `seq_max − seq_min` of one row: the range that a look-up of one event's runs has to search. */
export const runSpanMax = 65_536

const outcomeCodes = { done: 'd', retry: 'r', dead: 'x' } as const

interface Stretch {
  readonly move: number
  readonly runs: Run[]
  min: number
  max: number
}

function stretches(settlements: readonly Settlement[]): Stretch[] {
  const result: Stretch[] = []
  settlements.forEach((settlement, index) => {
    let current: Stretch | undefined
    for (const run of settlement.runs) {
      const min = Math.min(current?.min ?? run.seq, run.seq)
      const max = Math.max(current?.max ?? run.seq, run.seq)
      if (current === undefined || max - min > runSpanMax || current.runs[0]?.epoch !== run.epoch) {
        current = { move: index + 1, runs: [], min: run.seq, max: run.seq }
        result.push(current)
      } else {
        current.min = min
        current.max = max
      }
      current.runs.push(run)
    }
  })
  return result
}

/** Twelve column arrays, one entry per row: see `runs` in settle-sql.ts for their names. */
export function packRuns(settlements: readonly Settlement[]): unknown[][] {
  const columns: unknown[][] = Array.from({ length: 12 }, () => [])
  for (const { move, runs, min, max } of stretches(settlements)) {
    const row = [move, runs[0]?.epoch, min, max, ...packed(runs)]
    row.forEach((value, column) => {
      columns[column]?.push(value)
    })
  }
  return columns
}

// One pass, and text from the start: arrays of values that are joined afterwards were 4 % of a busy process.
function packed(runs: readonly Run[]): unknown[] {
  let began = Number.POSITIVE_INFINITY
  for (const run of runs) if (run.startedAtMs < began) began = run.startedAtMs
  const columns = { seqs: '', rounds: '', attempts: '', after: '', duration: '', outcomes: '' }
  let plainRounds = true
  let plainAttempts = true
  let plainOutcomes = true
  let comma = ''
  for (const run of runs) {
    columns.seqs += comma + run.seq
    columns.rounds += comma + run.round
    columns.attempts += comma + run.attempt
    columns.after += comma + int4(run.startedAtMs - began)
    columns.duration += comma + int4(run.durationMs * 1000)
    columns.outcomes += comma + outcomeCodes[run.outcome]
    plainRounds &&= run.round === 0
    plainAttempts &&= run.attempt === 1
    plainOutcomes &&= run.outcome === 'done'
    comma = ','
  }
  return [
    began,
    `{${columns.seqs}}`,
    plainRounds ? null : `{${columns.rounds}}`,
    plainAttempts ? null : `{${columns.attempts}}`,
    `{${columns.after}}`,
    `{${columns.duration}}`,
    plainOutcomes ? null : `{${columns.outcomes}}`,
    plainOutcomes ? null : failuresOf(runs),
  ]
}

const int4 = (value: number) => Math.min(2_147_483_647, Math.round(value))

function failuresOf(runs: readonly Run[]): string | null {
  const failures = runs.flatMap((run, index) =>
    run.failure === null ? [] : [[String(index), run.failure] as const],
  )
  return failures.length === 0 ? null : JSON.stringify(Object.fromEntries(failures))
}
