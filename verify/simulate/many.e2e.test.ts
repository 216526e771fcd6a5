// As many schedules over two processes as a test run has time for, 36 a second on two cores: most from seeds that are the same for all, some from seeds that nobody has seen.
// One seed in a hundred runs twice and must tell the same story; every fault and every rare branch must have been met.
import { expect, it } from 'vitest'
import { type RunReport, run } from './run.js'

const schedules = Number(process.env.EVENTSPINE_SCHEDULES ?? 4_000)
const fixedSeed = 30_000_000
const freshShare = 0.2
const runMsMax = 600_000

async function simulated(what: string, seed: number, count: number): Promise<RunReport> {
  const report = await run({
    ...{ schedules: count, seed, mutant: undefined, untilCaught: false },
    progress: (message) => {
      if (message.kind === 'violation')
        console.log(`npm run verify:simulate -- --seed ${message.seed} --trace: ${message.violations[0]}`)
    },
  })
  const violations = report.violations.length + report.divergences.length
  const seconds = Math.round(report.seconds * 10) / 10
  console.log(
    JSON.stringify({ check: `simulate: ${what}`, runs: report.schedules, violations, seed, seconds }),
  )
  return report
}

function expectWhole({ violations, divergences, missed }: RunReport): void {
  expect(violations.map(({ seed, violations: [first] }) => `seed ${seed}: ${first}`)).toEqual([])
  expect(divergences).toEqual([])
  expect(missed).toEqual([])
}

it('keeps every invariant in many schedules from fixed seeds', { timeout: runMsMax }, async () => {
  expectWhole(await simulated('fixed seeds', fixedSeed, Math.ceil(schedules * (1 - freshShare))))
})

it('keeps every invariant in many schedules from fresh seeds', { timeout: runMsMax }, async () => {
  expectWhole(await simulated('fresh seeds', Date.now() % 4_294_967_296, Math.ceil(schedules * freshShare)))
})
