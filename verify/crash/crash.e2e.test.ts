// The crash run as the tests have it: every kind of strike, and with a planted bug that it must find. All of them:
// `npm run verify:crash -- --mutants`.
import { expect, it } from 'vitest'
import { mutants } from './mutants.js'
import { jsonOf, tableOf, violationsOf, wrongsOf } from './report.js'
import { crash, defaults } from './run.js'

const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)
const common = { ...defaults, seed, progress: () => {} }

it('keeps the ledger exact through kills, pauses and late bytes', { timeout: 420_000 }, async () => {
  const report = await crash({ ...common, secondsMax: 240, workerKillsMax: 40, postgresKillsMax: 4 })
  console.log(jsonOf('crash', report))
  expect(violationsOf(report), tableOf(report)).toBe(0)
})

const found = ['effects-of-failed-attempts']

it.each(mutants.filter(({ name }) => found.includes(name)))(
  'finds the planted bug $name',
  { timeout: 240_000 },
  async ({ name, limits }) => {
    const report = await crash({ ...common, ...limits, mutant: name, drainMsMax: 30_000 })
    expect(wrongsOf(report), tableOf(report)).toBeGreaterThan(0)
  },
)
