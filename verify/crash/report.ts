// What a run of crashes says: a table for people, a line for each check for machines.
import { faultCounts } from './ledger.js'
import type { Recoveries } from './recovery.js'
import type { CrashReport } from './run.js'
import { strikeKinds } from './strikes.js'

const complaintCharactersMax = 400

/** What says nothing before all is drained: it may be on its way. */
const onlyDrained: readonly string[] = ['lost', 'limbo', 'money']

const judgedOf = (drained: boolean) => faultCounts.filter((name) => drained || !onlyDrained.includes(name))

/** What must never be: the counts of the ledger, and processes that ended by themselves. */
export function wrongsOf({ ledger, faults, drained }: Pick<CrashReport, 'ledger' | 'faults' | 'drained'>) {
  return judgedOf(drained).reduce((sum, name) => sum + ledger.counts[name], 0) + faults.length
}

/** The same, and one each for a run that was not drained, recovered late or met too little. */
export const violationsOf = (report: CrashReport): number =>
  checksOf(report).reduce((sum, { violations }) => sum + violations, 0)

interface Check {
  readonly check: string
  /** What was judged. */
  readonly runs: number
  readonly violations: number
}

function checksOf({ ledger, faults, drained, recoveries, missed, strikes }: CrashReport): readonly Check[] {
  const counts = judgedOf(drained).map((name) => ({
    check: `crash: ${name}`,
    runs: name === 'wrongAnswers' ? ledger.published : ledger.acknowledged,
    violations: ledger.counts[name],
  }))
  const struck = strikeKinds.reduce((sum, kind) => sum + strikes[kind].struck, 0)
  return [
    ...counts,
    { check: 'crash: processes and dead letters', runs: struck, violations: faults.length },
    { check: 'crash: drained', runs: 1, violations: drained ? 0 : 1 },
    { check: 'crash: recovery', runs: recoveries.killed.length, violations: isLate(recoveries) ? 1 : 0 },
    { check: 'crash: strikes met', runs: struck, violations: missed.length },
  ]
}

// The 99th percentile is what has to be in time.
const isLate = ({ killed, late }: Recoveries) => late > killed.length / 100

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
}

const spread = (values: readonly number[]) => ({
  p50: quantile(values, 0.5),
  p99: quantile(values, 0.99),
  max: quantile(values, 1),
  of: values.length,
})

/** Each check on a line, and the run on the last. */
export function jsonOf(check: string, report: CrashReport, where: object = {}): string {
  const { ledger, strikes, recoveries, seed, quarantined, redriven, drained } = report
  const seconds = Math.round(report.seconds * 10) / 10
  const { killed, away, restarts, postgres, late } = recoveries
  const run = {
    ...{ check, runs: 1, violations: violationsOf(report), seed, seconds, strikes },
    strikeSeconds: Math.round(report.strikeSeconds * 10) / 10,
    ...{ published: ledger.published, acknowledged: ledger.acknowledged, ...ledger.counts },
    ...{
      handlerRuns: ledger.runs,
      plainRuns: ledger.plainRuns,
      deadLetters: ledger.deadLetters,
      purchases: ledger.purchases,
    },
    ...{ quarantined, redriven, drained, drainMs: Math.round(report.drainMs) },
    recoveryMs: {
      ...{ killed: spread(killed), away: spread(away), late },
      ...{ restart: spread(restarts), postgres: spread(postgres) },
    },
    ...{ codes: ledger.journal.codes, faults: report.faults, missed: report.missed },
    ...where,
  }
  return [...checksOf(report).map((each) => ({ ...each, seed, seconds })), run]
    .map((each) => JSON.stringify(each))
    .join('\n')
}

const times = (values: readonly number[]) => {
  const { p50, p99, max, of } = spread(values)
  return `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms of ${of}`
}

function rowsOf(report: CrashReport): readonly (readonly [string, string | number])[] {
  const { ledger, strikes, recoveries } = report
  const { counts } = ledger
  const share = (part: number, all: number) =>
    `${part} of ${all} (${((part / Math.max(1, all)) * 100).toFixed(2)} %)`
  const { killed, away, late, restarts, postgres } = recoveries
  return [
    ...strikeKinds.map(
      (kind) =>
        [`strikes: ${kind}`, `${strikes[kind].struck} (${strikes[kind].met} met their moment)`] as const,
    ),
    ['published', `${ledger.published}, ${ledger.acknowledged} acknowledged (${rateOf(report)} a second)`],
    ['answers besides', JSON.stringify(ledger.journal.codes)],
    ...faultCounts.map((name) => [wordsOf[name], counts[name]] as const),
    ['recovered', counts.recovered],
    ['purchases', ledger.purchases],
    ['runs repeated', share(counts.duplicateRuns, ledger.runs)],
    ['of them plain', share(counts.duplicatePlainRuns, ledger.plainRuns)],
    [
      'dead letters',
      `${ledger.deadLetters}, ${report.redriven} redriven, ${report.quarantined} of them quarantined`,
    ],
    ['from a killed worker', `${times(killed)}, ${late} beyond lease + 2 s`],
    ['from one that is away', times(away)],
    ['Postgres answers again', times(restarts)],
    ['then the first record', times(postgres)],
    ['drained', report.drained ? `after ${(report.drainMs / 1_000).toFixed(1)} s` : 'NOT DRAINED'],
  ]
}

const rateOf = ({ ledger, strikeSeconds }: CrashReport) => Math.round(ledger.acknowledged / strikeSeconds)

const wordsOf: Readonly<Record<(typeof faultCounts)[number], string>> = {
  lost: 'lost',
  aborted: 'aborted',
  duplicateEffects: 'duplicate effects',
  orderBreaks: 'order breaks',
  concurrentKey: 'concurrent key',
  limbo: 'limbo',
  wrongAnswers: 'wrong answers',
  money: 'purchases without order or refund',
}

export function tableOf(report: CrashReport): string {
  const rows = rowsOf(report)
  const width = Math.max(...rows.map(([name]) => name.length))
  const complaints = [
    ...report.ledger.evidence,
    ...report.faults,
    ...report.missed.map((each) => `met too little: ${each}`),
  ]
  const { seed, seconds, strikeSeconds } = report
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...complaints.map((each) => `! ${each.slice(0, complaintCharactersMax)}`),
    `${violationsOf(report)} violations, seed ${seed}, ${seconds.toFixed(1)} s, ${strikeSeconds.toFixed(1)} s of them under strikes`,
  ].join('\n')
}
