// What a scenario says: a line for people, a line for machines.
import { type FaultReport, violationsOf } from './run.js'

const complaintCharactersMax = 400

export function jsonOf(report: FaultReport): string {
  const { ledger } = report
  return JSON.stringify({
    ...{ check: `faults: ${report.name}`, runs: report.skipped === undefined ? 1 : 0 },
    ...{ violations: violationsOf(report), seed: null, seconds: Math.round(report.seconds * 10) / 10 },
    ...{ skipped: report.skipped ?? null, met: report.met, recoveryMs: Math.round(report.recoveryMs) },
    ...{ published: ledger?.published, acknowledged: ledger?.acknowledged, ...ledger?.counts },
    ...{ codes: ledger?.journal.codes, slowestAnswerMs: ledger?.journal.slowestMs },
    ...{ memoryMebibytes: report.memoryMax, drained: report.drained, faults: report.faults },
  })
}

export function linesOf(report: FaultReport): string {
  const { ledger, name } = report
  if (report.skipped !== undefined || ledger === undefined)
    return `${name.padEnd(15)} SKIPPED  ${report.skipped}`
  const { counts, journal } = ledger
  const codes = Object.entries(journal.codes).map(([code, count]) => `${count} ${code}`)
  const wrong = violationsOf(report)
  return [
    [
      `${name.padEnd(15)} ${wrong === 0 ? 'holds ' : 'FAILED'}`,
      report.met,
      `${ledger.acknowledged} of ${ledger.published} acknowledged${codes.map((each) => `, ${each}`).join('')}`,
      `slowest answer ${journal.slowestMs} ms`,
      `${counts.lost} lost, ${counts.duplicateEffects} doubled, ${counts.duplicateRuns} runs repeated, ${counts.recovered} recovered`,
      `recovery ${Math.round(report.recoveryMs)} ms`,
      `${report.memoryMax} MiB`,
      report.drained ? 'drained' : 'NOT DRAINED',
    ].join('; '),
    ...[...report.faults, ...ledger.evidence].map((each) => `    ! ${each.slice(0, complaintCharactersMax)}`),
  ].join('\n')
}
