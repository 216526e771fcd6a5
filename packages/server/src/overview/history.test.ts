// The history holds one hour, says when it begins, and tells averages between its readings.
import type { Overview } from 'eventspine'
import { expect, test } from 'vitest'
import { History } from './history.js'

type Subscription = Overview['subscriptions'][number]

const start = Date.UTC(2026, 0, 1)
const everyMs = 30_000

const subscription = (name: string, completed: number, lagSeconds = 0) =>
  ({ name, completed, lagSeconds }) as Subscription

function reading(atMs: number, appended: number, subscriptions: readonly Subscription[], dead = 0): Overview {
  const deadLetters = dead === 0 ? [] : [{ category: 'permanent' as const, count: dead }]
  const state = {
    awaitingApproval: 0,
    workers: 1,
    oldestTransactionMs: null,
    verdict: 'healthy' as const,
    findings: [],
  }
  return { atMs, appended, subscriptions, deadLetters, breakers: { open: 0, halfOpen: 0 }, ...state }
}

test('a point holds averages since the one before, the longest lag and the dead', () => {
  const history = new History()
  history.add(reading(start, 100, [subscription('a', 10), subscription('b', 5)]))
  expect([history.points, history.since]).toEqual([[], '2026-01-01T00:00:00.000Z'])
  history.add(reading(start + everyMs, 400, [subscription('a', 40, 2), subscription('b', 35, 7)], 3))
  expect(history.points).toEqual([{ at: '2026-01-01T00:00:30.000Z', in: 10, out: 2, lagSeconds: 7, dead: 3 }])
})

test('what was removed, is new, or counts from nothing again is no rate below zero', () => {
  const history = new History()
  history.add(reading(start, 100, [subscription('gone', 1_000), subscription('again', 500)]))
  history.add(reading(start + everyMs, 90, [subscription('new', 700), subscription('again', 3)]))
  expect(history.points).toMatchObject([{ in: 0, out: 0 }])
})

test('a reading that is not later adds nothing', () => {
  const history = new History()
  history.add(reading(start, 1, []))
  history.add(reading(start, 5, []))
  expect(history.points).toEqual([])
})

test('the last hour is kept, and since moves with it', () => {
  const history = new History()
  for (let at = 0; at <= 130; at++) history.add(reading(start + at * everyMs, at, []))
  expect(history.points).toHaveLength(120)
  const [first] = history.points
  expect(first?.at).toBe(new Date(start + 11 * everyMs).toISOString())
  expect(history.since).toBe(new Date(start + 10 * everyMs).toISOString())
})
