import { describe, expect, it } from 'vitest'
import { tableOf, written } from './page.js'
import { type Programme, programmes } from './programmes.js'
import { nextOf, type PartRun, standingOf } from './runs.js'

const [simulate] = programmes as readonly [Programme]
const closing = { check: 'simulate', runs: 20_000, violations: 0, seconds: 200 }
const run = (seed: number): PartRun => ({
  ...closing,
  ...{ seed, programme: 'simulate', commit: 'abc', node: '24', at: '2026-11-28T00:00:00Z' },
})

describe('the long run', () => {
  it('goes on with seeds that nobody had', () => {
    expect(standingOf(simulate, []).nextSeed).toBe(simulate.seed)
    const two = standingOf(simulate, [run(simulate.seed + 20_000), run(simulate.seed)])
    expect(two).toMatchObject({ done: 40_000, nextSeed: simulate.seed + 40_000, secondsOfPart: 200 })
  })

  it('takes what lags behind, as long as a part of it fits, and ends when all is done', () => {
    const ahead = standingOf(simulate, [run(simulate.seed)])
    const untouched = programmes.map((programme) => standingOf(programme, []))
    expect(nextOf([ahead, ...untouched.slice(1)], 1_000)?.programme.name).toBe('crash')
    expect(nextOf([ahead], 200)?.programme.name).toBe('simulate')
    expect(nextOf([ahead], 199)).toBeUndefined()
    const all = Array.from({ length: 50 }, (_, index) => run(simulate.seed + index * 20_000))
    expect(nextOf([standingOf(simulate, all)], 1_000)).toBeUndefined()
  })

  it('does not count what a part did that found something', () => {
    const found = { ...run(simulate.seed), violations: 1 }
    const both = standingOf(simulate, [found, run(simulate.seed + 20_000)])
    expect(both).toMatchObject({ done: 20_000, nextSeed: simulate.seed + 40_000 })
    expect(tableOf([both])).toContain('| simulated schedules | 20,000 of 1,000,000 (2 %) | 1 |')
  })

  it('counts kills by what was struck', () => {
    const crash = programmes.find(({ name }) => name === 'crash') as Programme
    expect(crash.counted({ ...closing, seed: 1, strikes: { kill: { struck: 38, met: 20 } } })).toBe(38)
  })

  it('counts requests, and no raw cases beside them', () => {
    const fuzz = programmes.find(({ name }) => name === 'fuzz') as Programme
    expect(fuzz.counted({ ...closing, seed: 1, runs: 26_520 })).toBe(25_000)
    expect(fuzz.counted({ ...closing, seed: 1, runs: 26_520, requests: 25_120 })).toBe(25_120)
  })

  it('writes its table between the marks, and says when they are gone', () => {
    const standings = [standingOf(simulate, [run(40_000_000)])]
    const marks = '<!-- long run: written by npm run verify:long -->\nold\n<!-- end of long run -->'
    const page = written(`before\n${marks}\nafter`, standings)
    expect(page).toContain(tableOf(standings))
    expect(page).toContain(
      '| simulated schedules | 20,000 of 1,000,000 (2 %) | 0 | 40000000 to 40019999 | 3 min | abc |',
    )
    expect(page).not.toContain('old')
    expect(page).toMatch(/^before\n[^]*\nafter$/)
    expect(() => written('nothing', standings)).toThrow(/lacks/)
  })
})
