// What stands in the way of a delivery: the first thing that would have to end.
import { expect, test } from 'vitest'
import type { BreakerState } from '../deliver/port.js'
import { type WaitFacts, waitOf } from './wait.js'

const place = { tenant: 'acme', key: 'o-1' }
const subscription = {
  ...{ name: 'bill', state: 'active' as const, owners: ['worker'] },
  policies: { breaker: { name: 'payments', scope: 'service' } },
}
const open: BreakerState = {
  ...{ name: 'payments', tenant: '', key: '', state: 'open', failures: 5 },
  ...{ openedAtMs: 0, opensForMs: 1_000, closedForMs: null, lastError: null },
}
const none: WaitFacts = { subscription, breakers: [], letter: undefined }
const pending = { state: 'pending', dueAtMs: null } as const
const retry = { state: 'retry', dueAtMs: 5_000 } as const

test('one that runs or is through waits for nothing', () => {
  for (const state of ['running', 'completed', 'dead', 'redriven', 'discarded'] as const)
    expect(waitOf({ state, dueAtMs: null }, place, { ...none, breakers: [open] })).toBeNull()
})

test('each reason, the one that has to end first before the others', () => {
  const paused = { ...none, subscription: { ...subscription, state: 'paused' as const }, breakers: [open] }
  expect(waitOf(pending, place, paused)).toEqual({ kind: 'paused' })
  expect(waitOf(pending, place, { ...none, breakers: [open] })).toEqual({
    kind: 'breaker',
    breaker: 'payments',
  })
  expect(waitOf(retry, place, { ...none, breakers: [open] })).toMatchObject({ kind: 'breaker' })
  expect(waitOf(retry, place, none)).toEqual({ kind: 'retry', dueAtMs: 5_000 })
  const waits = { state: 'waiting', dueAtMs: null } as const
  expect(waitOf(waits, place, { ...none, letter: 'bill/1.1' })).toEqual({
    kind: 'letter',
    letter: 'bill/1.1',
  })
  expect(waitOf(waits, place, none)).toEqual({ kind: 'key' })
  expect(waitOf(pending, place, { ...none, subscription: { ...subscription, owners: [] } })).toEqual({
    kind: 'worker',
  })
  expect(waitOf(pending, place, none)).toEqual({ kind: 'turn' })
})

test("another tenant's or key's breaker is in nobody's way", () => {
  const of = (scope: string, breaker: Partial<BreakerState>) =>
    waitOf(pending, place, {
      ...none,
      subscription: { ...subscription, policies: { breaker: { name: 'payments', scope } } },
      breakers: [{ ...open, ...breaker }],
    })?.kind
  expect(of('tenant', { tenant: 'acme' })).toBe('breaker')
  expect(of('tenant', { tenant: 'globex' })).toBe('turn')
  expect(of('key', { tenant: 'acme', key: 'o-1' })).toBe('breaker')
  expect(of('key', { tenant: 'acme', key: 'o-2' })).toBe('turn')
  expect(of('service', { state: 'closed' })).toBe('turn')
})
