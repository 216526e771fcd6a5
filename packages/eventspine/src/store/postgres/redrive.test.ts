import { describe, expect, test } from 'vitest'
import { allowance, judge } from './redrive.js'

describe('judgement', () => {
  const progress = {
    state: 'running' as const,
    stop_at_error_rate: 0.5,
    selected: 5,
    sent: 0,
    succeeded: 0,
    failed: 0,
    canary_open: 0,
  }
  test.each([
    ['few have ended', { failed: 9 }, 'send'],
    ['ten have ended badly', { failed: 10 }, 'stopped'],
    ['half failed, which is allowed', { failed: 5, succeeded: 5 }, 'send'],
    ['the canary ended badly', { state: 'canary' as const, failed: 1 }, 'stopped'],
    ['the canary has not ended', { state: 'canary' as const, failed: 1, canary_open: 1 }, 'send'],
    ['nothing is left, however badly it ended', { failed: 20, selected: 0 }, 'completed'],
    ['the last ones run', { selected: 0, sent: 1, failed: 20 }, 'send'],
  ] as const)('%s', (_, given, verdict) => {
    expect(judge({ ...progress, ...given })).toBe(verdict)
  })

  test.each([
    [10, 1, { count: 10, secondsLeft: 0 }],
    [10, 0.05, { count: 0, secondsLeft: 0.05 }],
    [10, 100, { count: 20, secondsLeft: 0 }],
    [0.1, 9, { count: 0, secondsLeft: 9 }],
    [0.1, 100, { count: 1, secondsLeft: 0 }],
    [10_000, 100, { count: 1_000, secondsLeft: 1.9 }],
  ])('at %d a second, %d s allow', (rate, seconds, expected) => {
    const { count, secondsLeft } = allowance(rate, seconds)
    expect(count).toBe(expected.count)
    expect(secondsLeft).toBeCloseTo(expected.secondsLeft)
  })
})
