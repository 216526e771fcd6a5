// `npm run verify:crash -- --seconds N [--seed S] [--workers N] [--kills N] [--postgres-kills N] [--json]
// [--mutant NAME | --mutants]`: with a number of kills the run ends when they are done, `seconds` at the latest.
import { parseArgs } from 'node:util'
import { mutantEnvironment, mutants } from './mutants.js'
import { jsonOf, tableOf, violationsOf, wrongsOf } from './report.js'
import { type CrashReport, crash } from './run.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    workers: { type: 'string', default: '3' },
    kills: { type: 'string' },
    'postgres-kills': { type: 'string' },
    json: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
})

const number = (name: string, text: string | undefined, otherwise: number) => {
  const value = text === undefined ? otherwise : Number(text)
  if (Number.isNaN(value) || value < 0) throw new Error(`--${name} takes a number, not "${text}"`)
  return value
}

const seed = number('seed', values.seed, Date.now() % 1_000_000)
const say = (line: string) => (values.json ? console.error(line) : console.log(line))

process.exitCode = values.mutants ? await judgeOracle() : violationsOf(await run(values.mutant)) > 0 ? 1 : 0

async function run(mutant: string | undefined): Promise<CrashReport> {
  const beganAt = performance.now()
  const report = await crash({
    seed,
    workers: number('workers', values.workers, 3),
    secondsMax: number('seconds', values.seconds, 60),
    workerKillsMax: number('kills', values.kills, Number.POSITIVE_INFINITY),
    postgresKillsMax: number('postgres-kills', values['postgres-kills'], Number.POSITIVE_INFINITY),
    ...(mutant === undefined ? {} : { environment: mutantEnvironment(mutant) }),
    progress: (line) => say(`${((performance.now() - beganAt) / 1_000).toFixed(0).padStart(5)} s  ${line}`),
  })
  say(tableOf(report))
  console.log(jsonOf(mutant === undefined ? 'crash' : `crash with mutant ${mutant}`, report))
  return report
}

// That a run met too little says nothing about the bug.
const isCaught = (report: CrashReport) => wrongsOf(report) > 0 || !report.drained

/** Every planted bug must be caught; otherwise a green run means nothing. */
async function judgeOracle(): Promise<number> {
  const missed: string[] = []
  const beganAt = performance.now()
  for (const mutant of mutants) if (!isCaught(await run(mutant))) missed.push(mutant)
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10
  const violations = missed.length
  console.log(
    JSON.stringify({ check: 'crash: planted bugs', runs: mutants.length, violations, seed, seconds, missed }),
  )
  return violations > 0 ? 1 : 0
}
