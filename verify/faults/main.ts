// `npm run verify:faults [-- --only NAME] [--quick] [--json]`: faults of link, disk, clock and database, one after
// another, each on a system of its own.
import { parseArgs } from 'node:util'
import { jsonOf, linesOf } from './report.js'
import { run, violationsOf } from './run.js'
import { scenarios } from './scenarios.js'

const quickScale = 0.5

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  const chosen = scenarios.filter(
    ({ name, quick }) => values.only?.includes(name) ?? (quick || !values.quick),
  )
  if (chosen.length === 0)
    throw new Error(`No such scenario. There are: ${scenarios.map(({ name }) => name).join(', ')}`)
  const beganAt = performance.now()
  let violations = 0
  for (const scenario of chosen) {
    if (!values.json) console.log(`… ${scenario.name}: ${scenario.what}`)
    const report = await run(scenario, values.quick ? quickScale : 1)
    violations += violationsOf(report)
    if (!values.json) console.log(linesOf(report))
    console.log(jsonOf(report))
  }
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10
  console.log(JSON.stringify({ check: 'faults', runs: chosen.length, violations, seed: null, seconds }))
  return violations > 0 ? 1 : 0
}
