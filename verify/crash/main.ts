// `npm run verify:crash -- --seconds N [--seed S] [--workers N] [--lanes N] [--kills N] [--postgres-kills N]
// [--drain-seconds N] [--json] [--mutant NAME | --mutants]`: with a number of kills the run ends when they are done, `seconds` at the latest.
import { parseArgs } from 'node:util'
import { circumstances } from '../core/circumstances.js'
import { checkNames, Misuse, optionsOf, secondsOf, seedOf, wholeOf } from '../core/options.js'
import { mutants } from './mutants.js'
import { jsonOf, tableOf, violationsOf, wrongsOf } from './report.js'
import { type CrashReport, crash, defaults } from './run.js'
import type { StrikeLimits } from './strikes.js'

const usage =
  'npm run verify:crash -- [--seconds N] [--seed S] [--workers N] [--lanes N] [--kills N] [--postgres-kills N] [--drain-seconds N] [--json] [--mutant NAME | --mutants]'
const { values, seed, asked, size } = optionsOf(usage, () => {
  const parsed = parseArgs({
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
  const given = parsed.values
  checkNames(
    'mutant',
    given.mutant === undefined ? [] : [given.mutant],
    mutants.map(({ name }) => name),
  )
  const number = (name: 'workers' | 'lanes' | 'kills' | 'postgres-kills', otherwise: number, least = 1) => {
    const text = given[name]
    return text === undefined ? otherwise : wholeOf(name, text, least)
  }
  const limits: StrikeLimits = {
    secondsMax: secondsOf('seconds', given.seconds),
    workerKillsMax: number('kills', Number.POSITIVE_INFINITY, 0),
    postgresKillsMax: number('postgres-kills', Number.POSITIVE_INFINITY, 0),
  }
  if (limits.workerKillsMax + limits.postgresKillsMax === 0)
    throw new Misuse('--kills 0 --postgres-kills 0 strikes nobody: write a number of one of them')
  const drainText = given['drain-seconds']
  return {
    values: given,
    seed: given.seed === undefined ? Date.now() % 1_000_000 : seedOf(given.seed),
    asked: limits,
    size: {
      workers: number('workers', defaults.workers),
      lanes: number('lanes', defaults.lanes),
      drainSeconds: drainText === undefined ? undefined : secondsOf('drain-seconds', drainText),
    },
  }
})
const say = (line: string) => (values.json ? console.error(line) : console.log(line))

process.exitCode = values.mutants
  ? await judgeOracle()
  : violationsOf(await run(asked, values.mutant)) > 0
    ? 1
    : 0

async function run(limits: StrikeLimits, mutant: string | undefined): Promise<CrashReport> {
  const beganAt = performance.now()
  const drainSeconds = size.drainSeconds ?? (mutant === undefined ? 120 : 30)
  const report = await crash({
    ...{ ...limits, seed, workers: size.workers, lanes: size.lanes },
    drainMsMax: 1_000 * drainSeconds,
    ...(mutant === undefined ? {} : { mutant }),
    progress: (line) => say(`${((performance.now() - beganAt) / 1_000).toFixed(0).padStart(5)} s  ${line}`),
  })
  say(tableOf(report))
  const where = circumstances({ ...limits, ...size, drainSeconds, mutant: mutant ?? null })
  console.log(jsonOf(mutant === undefined ? 'crash' : `crash with mutant ${mutant}`, report, where))
  return report
}

/** Every planted bug must be caught; otherwise a green run means nothing. That one was not drained catches nothing. */
async function judgeOracle(): Promise<number> {
  const missed: string[] = []
  const beganAt = performance.now()
  for (const { name, limits } of mutants) if (wrongsOf(await run(limits, name)) === 0) missed.push(name)
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10
  const violations = missed.length
  const line = { check: 'crash: planted bugs', runs: mutants.length, violations, seed, seconds, missed }
  console.log(JSON.stringify({ ...line, ...circumstances({ ...size }) }))
  return violations > 0 ? 1 : 0
}
