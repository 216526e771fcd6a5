// A short run of the simulation with every test run, from seeds that are the same for all; fresh ones belong to
// `npm run verify:simulate`. Beside them the seeds that once found a fault.
import { describe, expect, it } from 'vitest'
import { simulate } from './schedule.js'

const fixedSeed = 20_000_000
const schedules = 40
/** Each violated an invariant before its fault was mended. */
const once = [
  142, 1183, 7177, 7599, 50851, 50935, 302031, 302257, 402177, 20001010, 20003239, 77004393, 40571, 30000364,
  30016842,
]

async function violationsFrom(seed: number, mutant?: string): Promise<string[]> {
  const violations: string[] = []
  for (let index = 0; index < schedules; index++) {
    const verdict = await simulate(seed + index, { trace: false, mutant })
    violations.push(...verdict.violations.map((each) => `seed ${seed + index}: ${each}`))
    if (mutant !== undefined && violations.length > 0) break
  }
  return violations
}

describe('simulated schedules', () => {
  it('keep every invariant from a fixed seed', async () => {
    expect(await violationsFrom(fixedSeed)).toEqual([])
  })

  it('keep every invariant where one was broken before', async () => {
    for (const seed of once) expect((await simulate(seed, quiet)).violations, `seed ${seed}`).toEqual([])
  })

  it('tell the same story twice', async () => {
    for (let seed = fixedSeed; seed < fixedSeed + 3; seed++) {
      const [first, second] = [await simulate(seed, quiet), await simulate(seed, quiet)]
      expect(second.hash).toBe(first.hash)
    }
  })

  it('are seen through by the oracle', async () => {
    // The first shows in one schedule of a hundred and more.
    const from = {
      'settle without revision': 20_000_106,
      'dedupe forgets': fixedSeed,
      'retry without attempt count': fixedSeed,
    }
    for (const [mutant, seed] of Object.entries(from))
      expect(await violationsFrom(seed, mutant), mutant).not.toEqual([])
  })
})

const quiet = { trace: false, mutant: undefined }
