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
    const began = runs.reduce((least, run) => Math.min(least, run.startedAtMs), Number.POSITIVE_INFINITY)
    const row = [
      move,
      runs[0]?.epoch,
      min,
      max,
      began,
      braces(runs.map((run) => run.seq)),
      runs.every((run) => run.round === 0) ? null : braces(runs.map((run) => run.round)),
      runs.every((run) => run.attempt === 1) ? null : braces(runs.map((run) => run.attempt)),
      braces(runs.map((run) => Math.min(2_147_483_647, Math.round(run.startedAtMs - began)))),
      braces(runs.map((run) => Math.min(2_147_483_647, Math.round(run.durationMs * 1000)))),
      runs.every((run) => run.outcome === 'done')
        ? null
        : braces(runs.map((run) => outcomeCodes[run.outcome])),
      failuresOf(runs),
    ]
    row.forEach((value, column) => {
      columns[column]?.push(value)
    })
  }
  return columns
}

const braces = (values: readonly unknown[]) => `{${values.join(',')}}`

function failuresOf(runs: readonly Run[]): string | null {
  const failures = runs.flatMap((run, index) =>
    run.failure === null ? [] : [[String(index), run.failure] as const],
  )
  return failures.length === 0 ? null : JSON.stringify(Object.fromEntries(failures))
}
