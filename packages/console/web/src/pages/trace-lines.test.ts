// Where the lines of a trace lead, and what they say.
import { expect, test } from 'vitest'
import type { Attempt, DeliveryWait, TraceEvent } from '../api/views.js'
import { linesOf } from './trace-lines.js'

const event: TraceEvent = {
  ...{ id: 'same-1', tenant: 'acme', type: 'orders.placed', version: 1, key: null, source: '/test' },
  ...{ causationId: null, recordedAt: '2026-01-01T00:00:00.000Z', publisher: null, deliveries: [] },
  workflows: [
    {
      ...{ workflow: 'refund', id: 'r-1', version: 1, state: 'running', startedAtMs: 0, endedAtMs: null },
      entries: [],
    },
  ],
}

test('lines lead to what is of the same tenant: ids repeat', () => {
  expect(linesOf([event], 0).map(({ href }) => href)).toEqual([
    { to: 'events', params: { id: 'same-1', tenant: 'acme' } },
    { to: 'workflows', params: { workflow: 'refund', id: 'r-1', tenant: 'acme' } },
  ])
})

test('a delivery that waits now has a bar until now that says why', () => {
  const delivery = { id: 'bill/1.1', subscription: 'bill', replay: null, dueAtMs: null } as const
  const attempt: Attempt = {
    ...{ round: 0, attempt: 1, worker: 'w', waitedMs: 10, message: 'away' },
    ...{ startedAtMs: Date.parse(event.recordedAt) + 10, endedAtMs: Date.parse(event.recordedAt) + 30 },
    outcome: 'retry',
    category: 'transient',
  }
  const nowMs = Date.parse(event.recordedAt) + 60_030
  const barsFor = (attempts: readonly Attempt[], wait: DeliveryWait | null) => {
    const deliveries = [{ ...delivery, state: 'retry' as const, attempts, wait }]
    return linesOf([{ ...event, deliveries, workflows: [] }], nowMs)[1]?.bars
  }
  const breaker = { kind: 'breaker', breaker: 'payments' } as const
  expect(barsFor([], breaker)).toMatchObject([
    {
      kind: 'wait',
      fromMs: nowMs - 60_030,
      untilMs: nowMs,
      says: 'waits for 1 min: breaker payments is open',
    },
  ])
  expect(barsFor([attempt], { kind: 'paused' })?.at(-1)).toEqual({
    ...{ kind: 'wait', fromMs: attempt.endedAtMs, untilMs: nowMs },
    says: 'waits for 1 min: its subscription is paused',
  })
  // A clock that is behind draws nothing backwards.
  expect(linesOf([event], 0)[0]?.bars[0]?.untilMs).toBe(Date.parse(event.recordedAt))
  expect(barsFor([], null)).toEqual([])
})

test('a delivery with a dead letter leads to that, when it was redriven, too', () => {
  const delivery = { id: 'bill/1.1', subscription: 'bill', replay: null, dueAtMs: null, wait: null } as const
  const leads = (state: 'completed' | 'redriven') => {
    const deliveries = [{ ...delivery, state, attempts: [] }]
    return linesOf([{ ...event, deliveries, workflows: [] }], 0)[1]?.href?.to
  }
  expect([leads('redriven'), leads('completed')]).toEqual(['dead-letters', 'subscriptions'])
})
