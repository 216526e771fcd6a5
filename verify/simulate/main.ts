// `npm run verify:simulate -- --schedules N --seed S [--json] [--trace] [--mutant NAME | --mutants]`
import process from 'node:process'
import { parseArgs } from 'node:util'
import { circumstances } from '../core/circumstances.js'
import { checkNames, optionsOf, seedOf, wholeOf } from '../core/options.js'
import { mutants } from './mutants.js'
import { planOf } from './plan.js'
import { type RunReport, run } from './run.js'
import { simulate } from './schedule.js'
import { allMet } from './tally.js'

/** Violations of one seed that are shown. */
const shownMax = 3
/** Seeds in the closing line. */
const listedMax = 100
const violationCharactersMax = 140

const usage =
  'npm run verify:simulate -- [--schedules N] [--seed S] [--json] [--trace] [--mutant NAME | --mutants]'
const { values, seed, schedules } = optionsOf(usage, () => {
  const parsed = parseArgs({
    options: {
      schedules: { type: 'string', default: '2000' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      mutants: { type: 'boolean', default: false },
    },
  })
  const { mutant } = parsed.values
  checkNames('mutant', mutant === undefined ? [] : [mutant], Object.keys(mutants))
  return {
    values: parsed.values,
    seed: seedOf(parsed.values.seed),
    schedules: wholeOf('schedules', parsed.values.schedules),
  }
})
process.exitCode = await main()

async function main(): Promise<number> {
  if (values.trace) return replay()
  if (values.mutants) return judgeOracle()
  return simulateAll()
}

function say(line: string): void {
  if (!values.json) console.log(line)
}

/** One seed, told in full. */
async function replay(): Promise<number> {
  const verdict = await simulate(seed, { trace: true, mutant: values.mutant })
  console.log(planOf(seed))
  for (const line of verdict.trace) console.log(line)
  for (const violation of verdict.violations) console.log(`VIOLATION ${violation}`)
  console.log(`seed ${seed}: ${verdict.violations.length} violations, trace ${verdict.hash.toString(16)}`)
  return verdict.violations.length > 0 ? 1 : 0
}

async function simulateAll(): Promise<number> {
  const report = await run({
    ...{ schedules, seed, mutant: values.mutant, untilCaught: false },
    progress: (message) => {
      if (message.kind === 'violation') {
        say(`seed ${message.seed} violates: npm run verify:simulate -- --seed ${message.seed} --trace`)
        for (const violation of message.violations.slice(0, shownMax)) say(`    ${violation}`)
      }
      if (message.kind === 'divergence') say(`seed ${message.seed} told two different stories`)
    },
  })
  print(report)
  // What was met too seldom was not checked.
  const bad = report.violations.length + report.divergences.length + report.missed.length
  console.log(
    JSON.stringify({
      check: values.mutant === undefined ? 'simulate' : `simulate with mutant ${values.mutant}`,
      runs: report.schedules,
      violations: bad,
      seed,
      seconds: Math.round(report.seconds * 10) / 10,
      violating: report.violations.map((each) => each.seed).slice(0, listedMax),
      ...{ repeated: report.again, divergences: report.divergences.length, missed: report.missed },
      ...circumstances({ schedules, mutant: values.mutant ?? null }),
    }),
  )
  return bad > 0 ? 1 : 0
}

function print(report: RunReport): void {
  say('')
  for (const what of allMet) say(`${String(report.met.get(what) ?? 0).padStart(10)}  ${what}`)
  say('')
  say(
    `${report.schedules} schedules, ${Math.round(report.virtualMs / 1000)} virtual seconds, from seed ${seed}`,
  )
  say(
    `${report.violations.length} schedules with violations; ${report.again} seeds run twice, ${report.divergences.length} divergences`,
  )
  say(`${Math.round(report.schedules / report.seconds)} schedules/s in ${report.seconds.toFixed(1)} s`)
  for (const what of report.missed) say(`met too seldom: ${what}`)
}

/** Every planted bug must be caught; otherwise a green run means nothing. */
async function judgeOracle(): Promise<number> {
  let [missed, runs] = [0, 0]
  const beganAt = Date.now()
  for (const mutant of Object.keys(mutants)) {
    const report = await run({ schedules, seed, mutant, untilCaught: true, progress: () => {} })
    const first = [...report.violations].sort((a, b) => a.index - b.index)[0]
    runs += report.schedules
    if (first === undefined) missed++
    say(
      first === undefined
        ? `MISSED  ${mutant}: not caught in ${report.schedules} schedules`
        : `caught  ${mutant}: after ${first.index + 1} schedules, ${first.violations[0]?.slice(0, violationCharactersMax)}`,
    )
    if (values.json)
      console.log(
        JSON.stringify({
          mutant,
          caught: first !== undefined,
          schedules: first === undefined ? report.schedules : first.index + 1,
          violation: first?.violations[0] ?? null,
        }),
      )
  }
  const seconds = Math.round((Date.now() - beganAt) / 100) / 10
  const line = { check: 'simulate: planted bugs', runs, violations: missed, seed, seconds }
  console.log(JSON.stringify({ ...line, ...circumstances({ schedules }) }))
  return missed > 0 ? 1 : 0
}
