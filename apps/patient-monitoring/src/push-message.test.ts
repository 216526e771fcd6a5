// What the answer of a push service means for an alarm.
import { expect, test } from 'vitest'
import { outcomeOf, patienceMs, retryAfterOf } from './push-message.js'

const answer = (status: number, retryAfterMs = 0) => outcomeOf({ status, retryAfterMs }).kind

test('an answer is taken, is final, or is asked again', () => {
  expect([200, 201, 202].map((status) => answer(status))).toEqual([
    'handed-over',
    'handed-over',
    'handed-over',
  ])
  expect([404, 410].map((status) => answer(status))).toEqual(['gone', 'gone'])
  expect([400, 401, 403, 413].map((status) => answer(status))).toEqual([
    'refused',
    'refused',
    'refused',
    'refused',
  ])
  expect([429, 500, 503].map((status) => answer(status))).toEqual(['later', 'later', 'later'])
  expect([answer(429, patienceMs), answer(429, patienceMs + 1), answer(503, patienceMs + 1)]).toEqual([
    'later',
    'refused',
    'refused',
  ])
})

test('Retry-After is seconds or a date, and nothing else', () => {
  const nowMs = Date.UTC(2026, 0, 1)
  const after = (text: string | null) => retryAfterOf(text, nowMs)
  expect([after('7'), after('0'), after('Thu, 01 Jan 2026 00:00:30 GMT')]).toEqual([7_000, 0, 30_000])
  expect([after(null), after('soon'), after('-5'), after('Wed, 31 Dec 2025 00:00:00 GMT')]).toEqual([
    0, 0, 0, 0,
  ])
})
