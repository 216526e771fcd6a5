// `npm run verify:fuzz -- --requests N [--seed S] [--only N|N-M] [--json] [--mutant NAME | --mutants]`
import { parseArgs } from 'node:util'
import { circumstances } from '../core/circumstances.js'
import { checkNames, optionsOf, seedOf, wholeOf } from '../core/options.js'
import { mutantNames } from './mutants/catalogue.mjs'
import { rangeOf } from './range.js'
import { printReport, printViolations } from './report.js'
import { type Report, run } from './run.js'

const usage =
  'npm run verify:fuzz -- [--requests N] [--seed S] [--only N|N-M] [--json] [--mutant NAME | --mutants]'
const { values, seed, requests } = optionsOf(usage, () => {
  const parsed = parseArgs({
    options: {
      requests: { type: 'string', default: '20000' },
      seed: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      mutants: { type: 'boolean', default: false },
    },
  })
  const { mutant, mutants, only } = parsed.values
  // Of several a part of the name tells which.
  if (!mutants || !mutantNames.some((name) => name.includes(mutant ?? '')))
    checkNames('mutant', mutant === undefined ? [] : [mutant], mutantNames)
  const wanted = wholeOf('requests', parsed.values.requests)
  rangeOf(wanted, only)
  return { values: parsed.values, seed: seedOf(parsed.values.seed), requests: wanted }
})
process.exitCode = values.mutants ? await judgeOracle() : await fuzz()

function say(line: string): void {
  if (!values.json) console.log(line)
}

async function fuzz(): Promise<number> {
  say(`Fuzzing with seed ${seed}`)
  const report = await run({
    ...{ requests, seed, only: values.only, mutant: values.mutant },
    progress: (sent, all) => process.stderr.write(`${sent} of ${all} requests\n`),
  })
  if (!values.json) printReport(report)
  else printViolations(report, (line) => process.stderr.write(`${line}\n`))
  console.log(JSON.stringify(closingLine(report)))
  return report.violations.length > 0 ? 1 : 0
}

function closingLine(report: Report) {
  return {
    check: values.mutant === undefined ? 'fuzz' : `fuzz with mutant ${values.mutant}`,
    runs: report.requests + report.rawCases,
    ...{ requests: report.requests, rawCases: report.rawCases },
    violations: report.violations.length,
    seed,
    seconds: Math.round(report.seconds * 10) / 10,
    requestsPerSecond: Math.round(report.requests / report.fireSeconds),
    fiveHundreds: Object.fromEntries([...report.statuses].filter(([status]) => status >= 500)),
    worstStallMs: report.worstStall.ms,
    rssPeakMebibytes: report.rssPeakMebibytes,
    ...circumstances({ requests, only: values.only ?? null, mutant: values.mutant ?? null }),
  }
}

/** Every planted bug has to be found; otherwise a green run means nothing. */
async function judgeOracle(): Promise<number> {
  const beganAt = performance.now()
  let missed = 0
  const asked = mutantNames.filter((name) => values.mutant === undefined || name.includes(values.mutant))
  for (const mutant of asked) {
    const report = await run({ requests, seed, mutant, violationsMax: 1 })
    const [first] = report.violations
    if (first === undefined) missed++
    say(
      first === undefined
        ? `MISSED  ${mutant}: not found in ${report.requests} requests`
        : `found   ${mutant}: within ${report.requests} requests, ${first.fault.slice(0, 150)}`,
    )
  }
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10
  console.log(
    JSON.stringify({
      check: 'fuzz: planted bugs',
      runs: asked.length,
      violations: missed,
      seed,
      seconds,
      ...circumstances({ requests, mutants: asked }),
    }),
  )
  return missed > 0 ? 1 : 0
}
