// What a run of crashes says: a table for people, one line for machines.
import { strikeKinds } from './killer.js'
import type { CrashReport } from './run.js'

const evidenceCharactersMax = 400

/** What must never be: the counts of the ledger, and processes that ended by themselves. */
export function wrongsOf({ ledger, faults }: Pick<CrashReport, 'ledger' | 'faults'>): number {
  const { recovered: _, duplicateRuns: __, ...wrong } = ledger.counts
  return Object.values(wrong).reduce((sum, count) => sum + count, 0) + faults.length
}

/** The same, and one each for a run that was not drained, recovered late or met too little. */
export function violationsOf(report: CrashReport): number {
  const { drained, missed, recoveries } = report
  return wrongsOf(report) + missed.length + (drained ? 0 : 1) + (late(recoveries) ? 1 : 0)
}

// A strike in the middle of a recovery makes one or the other late: one in a hundred may be.
const late = ({ workers, late: count }: CrashReport['recoveries']) => count > workers.length / 100

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
}

const spread = (values: readonly number[]) => ({
  p50: quantile(values, 0.5),
  p99: quantile(values, 0.99),
  max: quantile(values, 1),
})

export function jsonOf(check: string, report: CrashReport): string {
  const { ledger, strikes, recoveries } = report
  return JSON.stringify({
    ...{ check, runs: 1, violations: violationsOf(report), seed: report.seed },
    seconds: Math.round(report.seconds * 10) / 10,
    ...{ published: ledger.published, acknowledged: ledger.acknowledged, ...ledger.counts },
    ...{ plainRuns: ledger.plainRuns, quarantined: report.quarantined, drained: report.drained },
    strikes,
    recoveryMs: {
      worker: spread(recoveries.workers),
      restart: spread(recoveries.restarts),
      postgres: spread(recoveries.postgres),
      late: recoveries.late,
    },
    ...{ codes: ledger.journal.codes, faults: report.faults.length, missed: report.missed },
  })
}

export function tableOf(report: CrashReport): string {
  const { ledger, strikes, recoveries } = report
  const { counts } = ledger
  const rate = ((counts.duplicateRuns / Math.max(1, ledger.plainRuns)) * 100).toFixed(2)
  const times = (values: readonly number[]) => {
    const { p50, p99, max } = spread(values)
    return `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms of ${values.length}`
  }
  const rows: [string, string | number][] = [
    ...strikeKinds.map((kind): [string, string] => [
      `strikes: ${kind}`,
      `${strikes[kind].struck} (${strikes[kind].duringHandlers} while handlers ran)`,
    ]),
    ['published', `${ledger.published}, ${ledger.acknowledged} acknowledged`],
    ['answers besides', JSON.stringify(ledger.journal.codes)],
    ['lost', counts.lost],
    ['aborted', counts.aborted],
    ['recovered', counts.recovered],
    ['duplicate effects', counts.duplicateEffects],
    ['duplicate runs', `${counts.duplicateRuns} of ${ledger.plainRuns} (${rate} %)`],
    ['order breaks', counts.orderBreaks],
    ['concurrent key', counts.concurrentKey],
    ['limbo', counts.limbo],
    ['wrong answers', counts.wrongAnswers],
    ['quarantined, then redriven', report.quarantined],
    ['recovery from a worker', `${times(recoveries.workers)}, ${recoveries.late} beyond lease + 2 s`],
    ['Postgres answers again', times(recoveries.restarts)],
    ['then the first record', times(recoveries.postgres)],
    ['drained', report.drained ? `after ${(report.drainMs / 1_000).toFixed(1)} s` : 'NOT DRAINED'],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const complaints = [
    ...ledger.evidence,
    ...report.faults,
    ...report.missed.map((each) => `met too little: ${each}`),
  ]
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...complaints.map((each) => `! ${each.slice(0, evidenceCharactersMax)}`),
    `${violationsOf(report)} violations, seed ${report.seed}, ${report.seconds.toFixed(1)} s`,
  ].join('\n')
}
