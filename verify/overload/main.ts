// `npm run verify:overload [-- --seconds N] [--only http|library] [--json]`
import { parseArgs } from 'node:util'
import { type OverloadReport, overload } from './run.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

const seconds = Number(values.seconds)
if (!Number.isFinite(seconds) || seconds <= 0)
  throw new Error(`--seconds takes a number, not "${values.seconds}"`)
const subjects = (['http', 'library'] as const).filter(
  (each) => values.only === undefined || values.only === each,
)
if (subjects.length === 0) throw new Error(`--only takes http or library, not "${values.only}"`)
process.exitCode = await main()

async function main(): Promise<number> {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  let bad = 0
  for (const subject of subjects) {
    const beganAt = performance.now()
    const report = await overload({ subject, seconds, say })
    bad += report.violations.length
    if (!values.json) print(report)
    const { violations, ...figures } = report
    const took = Math.round((performance.now() - beganAt) / 100) / 10
    const line = { check: `overload ${subject}`, runs: report.acknowledged, violations: violations.length }
    console.log(JSON.stringify({ ...line, seed: null, seconds: took, ...figures }))
    for (const violation of violations) say(`VIOLATION ${violation}`)
  }
  return bad > 0 ? 1 : 0
}

function print(report: OverloadReport): void {
  const percent = (share: number) => `${rounded(share * 100)} %`
  const rows: readonly (readonly [string, string])[] = [
    ['through', report.subject],
    ['capacity', `${report.capacityPerSecond} events/s`],
    ['offered', `${report.offeredTimes} times as much`],
    ['goodput meanwhile', `${percent(report.goodputShare)} of the capacity`],
    ['shed before the acknowledgement', percent(report.shedShare)],
    ['acknowledged', String(report.acknowledged)],
    ['acknowledged and lost', String(report.lost)],
    ['stored twice', String(report.twice)],
    ['memory at the peak', `${report.rssPeakMebibytes} MiB`],
    ['longest delay of the event loop', `${report.loopLagMsMax} ms`],
    [
      'p99 before, during, after',
      `${report.latencyMs99Before}, ${report.latencyMs99During}, ${report.latencyMs99After} ms`,
    ],
    ['as before after', report.recoverySeconds === null ? 'not in time' : `${report.recoverySeconds} s`],
    ['alarms acknowledged, handled', `${report.alarms.acknowledged}, ${report.alarms.handled}`],
    ['an alarm took, p99 and at most', `${report.alarms.ms99}, ${report.alarms.msMax} ms`],
  ]
  console.log('')
  for (const [name, value] of rows) console.log(`${name.padEnd(34)}${value}`)
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
