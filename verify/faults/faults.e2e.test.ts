// The quick scenarios of the faults, each on a system of its own.
import { expect, it } from 'vitest'
import { linesOf } from './report.js'
import { run, violationsOf } from './run.js'
import { scenarios } from './scenarios.js'

const scale = 0.5
const tested = ['blackhole', 'reset', 'commit-cut', 'clock']

it.each(scenarios.filter(({ name }) => tested.includes(name)))(
  'survives $name: $what',
  { timeout: 120_000 },
  async (scenario) => {
    const report = await run(scenario, scale)
    console.log(linesOf(report))
    expect(violationsOf(report), linesOf(report)).toBe(0)
  },
)
