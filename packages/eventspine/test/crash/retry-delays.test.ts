// What a class of work waits between attempts (I20): an alarm milliseconds, a queue up to a quarter of an hour.
import { retries } from 'eventspine'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/kernel/index.js'

const random = seededRandom(20)
const draws = 500
const range = (policy: ReturnType<typeof retries.alarm>, attempt: number) => {
  const delays = Array.from({ length: draws }, () => policy.delayMs(attempt, random))
  return {
    least: Math.min(...delays),
    most: Math.max(...delays),
    mean: delays.reduce((a, b) => a + b) / draws,
  }
}

it('spreads alarms over the whole of a doubling ceiling from 40 ms to 5 s', () => {
  for (let attempt = 1; attempt <= 12; attempt++) {
    const ceiling = Math.min(5_000, 40 * 2 ** (attempt - 1))
    const { least, most, mean } = range(retries.alarm(), attempt)
    expect(least).toBeGreaterThanOrEqual(0)
    expect(most).toBeLessThanOrEqual(ceiling)
    expect(least).toBeLessThan(ceiling * 0.05)
    expect(most).toBeGreaterThan(ceiling * 0.95)
    expect(mean / ceiling).toBeGreaterThan(0.4)
    expect(mean / ceiling).toBeLessThan(0.6)
  }
})

it('makes a queue wait min(2^(n−1), 300) s plus up to 5 min, at most 15 min', () => {
  for (let attempt = 1; attempt <= 8; attempt++) {
    const base = Math.min(2 ** (attempt - 1), 300) * 1_000
    const { least, most } = range(retries.queue(), attempt)
    expect(least).toBeGreaterThanOrEqual(base)
    expect(most).toBeLessThanOrEqual(Math.min(900_000, base + 300_000))
    expect(most - least).toBeGreaterThan(280_000)
  }
  expect(range(retries.queue(), 1).mean).toBeGreaterThan(100 * range(retries.alarm(), 1).mean)
})

it('scales every delay and never the number of attempts', () => {
  expect(range(retries.queue({ timeScale: 0.001 }), 3).most).toBeLessThanOrEqual(304)
  expect(retries.queue({ timeScale: 0.001 }).attemptsMax).toBe(retries.queue().attemptsMax)
  expect(range(retries.standard(), 30).most).toBeLessThanOrEqual(300_000)
})
