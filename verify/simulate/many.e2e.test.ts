// Many schedules over two processes, 75 to 118 a second on two cores (35 on such that others slow down), from seeds that are the same for all: a fresh seed that
// finds something belongs to whoever looks for it (`npm run verify:simulate`), not to whoever changes a comment. One seed
// in a hundred runs twice and must tell the same story.
import { expect, it } from 'vitest'
import { run } from './run.js'

const schedules = Number(process.env.EVENTSPINE_SCHEDULES ?? 20_000)
const seed = 30_000_000
/** It hangs then: three times as long as on the slowest machine so far. */
const runMsMax = 1_800_000

it('keeps every invariant in many schedules', { timeout: runMsMax }, async () => {
  const report = await run({
    ...{ schedules, seed, mutant: undefined, untilCaught: false },
    progress: (message) => {
      if (message.kind === 'violation')
        console.log(`npm run verify:simulate -- --seed ${message.seed} --trace: ${message.violations[0]}`)
    },
  })
  const violations = report.violations.length + report.divergences.length
  const seconds = Math.round(report.seconds * 10) / 10
  console.log(JSON.stringify({ check: 'simulate', runs: report.schedules, violations, seed, seconds }))
  expect(report.violations.map((each) => `seed ${each.seed}: ${each.violations[0]}`)).toEqual([])
  expect(report.divergences).toEqual([])
  expect(report.missed).toEqual([])
})
