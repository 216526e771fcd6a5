// Where the lines of a trace lead, and what they say.
import { expect, test } from 'vitest'
import type { TraceEvent } from '../api/views.js'
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
  expect(linesOf([event]).map(({ href }) => href)).toEqual([
    { to: 'events', params: { id: 'same-1', tenant: 'acme' } },
    { to: 'workflows', params: { workflow: 'refund', id: 'r-1', tenant: 'acme' } },
  ])
})
