// The crash run as the tests have it: short, with every kind of strike, and with one planted bug that it must find.
import { expect, it } from 'vitest'
import { mutantEnvironment } from './mutants.js'
import { jsonOf, tableOf, violationsOf, wrongsOf } from './report.js'
import { crash } from './run.js'

const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)
const limits = { seed, workers: 3, progress: () => {} }

it('keeps the ledger exact through kills, pauses and late bytes', { timeout: 180_000 }, async () => {
  const report = await crash({ ...limits, secondsMax: 90, workerKillsMax: 20, postgresKillsMax: 3 })
  console.log(jsonOf('crash', report))
  expect(violationsOf(report), tableOf(report)).toBe(0)
})

it('finds that events are acknowledged before they are stored', { timeout: 120_000 }, async () => {
  const environment = mutantEnvironment('acknowledged-before-commit')
  const report = await crash({
    ...{ ...limits, environment, secondsMax: 20, workerKillsMax: 0, postgresKillsMax: 1, drainMsMax: 10_000 },
  })
  expect(wrongsOf(report), tableOf(report)).toBeGreaterThan(0)
})
