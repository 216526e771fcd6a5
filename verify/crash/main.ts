// `npm run verify:crash -- --seconds N [--seed S] [--workers N] [--lanes N] [--kills N] [--postgres-kills N]
// [--drain-seconds N] [--json] [--mutant NAME | --mutants]`: with a number of kills the run ends when they are done, `seconds` at the latest.
import { parseArgs } from 'node:util'
import { mutants } from './mutants.js'
import { jsonOf, tableOf, violationsOf, wrongsOf } from './report.js'
import { type CrashReport, crash, defaults } from './run.js'
import type { StrikeLimits } from './strikes.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    workers: { type: 'string' },
    lanes: { type: 'string' },
    kills: { type: 'string' },
    'postgres-kills': { type: 'string' },
    'drain-seconds': { type: 'string' },
    json: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
})

const number = (name: Exclude<keyof typeof values, 'json' | 'mutants'>, otherwise: number) => {
  const text = values[name]
  const value = text === undefined ? otherwise : Number(text)
  if (Number.isNaN(value) || value < 0) throw new Error(`--${name} takes a number, not "${text}"`)
  return value
}

const seed = number('seed', Date.now() % 1_000_000)
const say = (line: string) => (values.json ? console.error(line) : console.log(line))
const asked: StrikeLimits = {
  secondsMax: number('seconds', 60),
  workerKillsMax: number('kills', Number.POSITIVE_INFINITY),
  postgresKillsMax: number('postgres-kills', Number.POSITIVE_INFINITY),
}

process.exitCode = values.mutants
  ? await judgeOracle()
  : violationsOf(await run(asked, values.mutant)) > 0
    ? 1
    : 0

async function run(limits: StrikeLimits, mutant: string | undefined): Promise<CrashReport> {
  const beganAt = performance.now()
  const report = await crash({
    ...{
      ...limits,
      seed,
      workers: number('workers', defaults.workers),
      lanes: number('lanes', defaults.lanes),
    },
    drainMsMax: 1_000 * number('drain-seconds', mutant === undefined ? 120 : 30),
    ...(mutant === undefined ? {} : { mutant }),
    progress: (line) => say(`${((performance.now() - beganAt) / 1_000).toFixed(0).padStart(5)} s  ${line}`),
  })
  say(tableOf(report))
  console.log(jsonOf(mutant === undefined ? 'crash' : `crash with mutant ${mutant}`, report))
  return report
}

/** Every planted bug must be caught; otherwise a green run means nothing. That one was not drained catches nothing. */
async function judgeOracle(): Promise<number> {
  const missed: string[] = []
  const beganAt = performance.now()
  for (const { name, limits } of mutants) if (wrongsOf(await run(limits, name)) === 0) missed.push(name)
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10
  const violations = missed.length
  console.log(
    JSON.stringify({ check: 'crash: planted bugs', runs: mutants.length, violations, seed, seconds, missed }),
  )
  return violations > 0 ? 1 : 0
}
