// `npm run verify:faults [-- --only NAME] [--quick] [--json]`: faults of link, disk, clock and database, one after
// another, each on a system of its own.
import { parseArgs } from 'node:util'
import { circumstances } from '../core/circumstances.js'
import { checkNames, optionsOf } from '../core/options.js'
import { jsonOf, linesOf } from './report.js'
import { run, violationsOf } from './run.js'
import { scenarios } from './scenarios.js'

const quickScale = 0.5

const usage = 'npm run verify:faults -- [--only NAME] [--quick] [--json]'
const { values } = optionsOf(usage, () => {
  const parsed = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  checkNames(
    'only',
    parsed.values.only ?? [],
    scenarios.map(({ name }) => name),
  )
  return parsed
})

process.exitCode = await main()

async function main(): Promise<number> {
  const chosen = scenarios.filter(
    ({ name, quick }) => values.only?.includes(name) ?? (quick || !values.quick),
  )
  const beganAt = performance.now()
  let [violations, skipped] = [0, 0]
  for (const scenario of chosen) {
    if (!values.json) console.log(`… ${scenario.name}: ${scenario.what}`)
    const report = await run(scenario, values.quick ? quickScale : 1)
    violations += violationsOf(report)
    if (report.skipped !== undefined) skipped++
    if (!values.json) console.log(linesOf(report))
    console.log(jsonOf(report))
  }
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10
  const runs = chosen.length - skipped
  console.log(
    JSON.stringify({
      ...{ check: 'faults', runs, violations, seed: null, seconds, skipped },
      ...circumstances({ scenarios: chosen.map(({ name }) => name), quick: values.quick }),
    }),
  )
  // What ran nothing has shown nothing.
  return violations > 0 || runs === 0 ? 1 : 0
}
