// A run as a table for people.
import type { Violation } from './campaign.js'
import type { Report } from './run.js'

const shownMax = 10

export function printReport(report: Report): void {
  const rows = [...report.byOperation].sort(([a], [b]) => (a < b ? -1 : 1))
  console.log(
    `\n${'operation'.padEnd(22)}${'requests'.padStart(10)}${'of them 2xx'.padStart(13)}${'mean ms'.padStart(10)}`,
  )
  for (const [id, { requests, successes, ms }] of rows)
    console.log(
      `${id.padEnd(22)}${String(requests).padStart(10)}${String(successes).padStart(13)}${(ms / requests).toFixed(1).padStart(10)}`,
    )
  const statuses = [...report.statuses].sort(([a], [b]) => a - b)
  console.log(
    `\nstatus  ${statuses.map(([status, count]) => `${status === 0 ? 'cut' : status}: ${count}`).join('  ')}`,
  )
  const rate = Math.round(report.requests / report.fireSeconds)
  console.log(
    `${report.requests} requests in ${report.fireSeconds.toFixed(1)} s (${rate}/s), ${report.rawCases} raw cases`,
  )
  console.log(`${report.acceptedEvents} events accepted, all compared with the log`)
  console.log(`longest stall of the event loop ${report.worstStall.ms} ms (${report.worstStall.says})`)
  console.log(`slowest answer ${report.slowest.ms} ms (${report.slowest.says})`)
  console.log(
    `memory: heap +${report.heapGrowthMebibytes} MiB, ${report.rssPeakMebibytes} MiB resident at the peak`,
  )
  printViolations(report, console.log)
  console.log(`\n${report.violations.length} violations, seed ${report.seed}`)
}

export function printViolations(report: Report, print: (line: string) => void): void {
  const kinds = new Map<string, Violation[]>()
  for (const violation of report.violations) {
    const kind = `${violation.says.split(':')[0]} ${violation.fault.replaceAll(/[0-9a-f]*\d[0-9a-f-]*/g, '#').slice(0, 60)}`
    kinds.set(kind, [...(kinds.get(kind) ?? []), violation])
  }
  for (const [first, ...others] of [...kinds.values()].slice(0, shownMax)) {
    if (first === undefined) continue
    const { index, says, fault, shown } = first
    print(`\nVIOLATION ${says}: ${fault}${others.length === 0 ? '' : ` (and ${others.length} like it)`}`)
    if (index !== undefined) print(`again: npm run verify:fuzz -- --seed ${report.seed} --only ${index}`)
    if (shown !== '') print(shown)
  }
}
