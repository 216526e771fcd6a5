// The verdict of one glance, and what it counts.
import { expect, it } from 'vitest'
import { breaker, database, input, of } from './doctor.fixture.js'
import { overviewOf } from './overview.js'

const tally = { atMs: 5, appended: 7, deadLetters: [], awaitingApproval: 2 }
const seen = (given: Parameters<typeof input>[0] = {}) => overviewOf({ seen: input(given), tally })

it('is as bad as the worst finding', () => {
  expect(seen()).toMatchObject({
    verdict: 'healthy',
    findings: [],
    atMs: 5,
    appended: 7,
    awaitingApproval: 2,
    workers: 1,
  })
  expect(seen(of({ state: 'paused' }))).toMatchObject({
    verdict: 'healthy',
    findings: [{ severity: 'info' }],
  })
  expect(seen({ breakers: [breaker] }).verdict).toBe('warning')
  expect(seen({ breakers: [breaker], ...of({ matched: 11 }) }).verdict).toBe('critical')
})

it('counts breakers by state, and tells the age of the oldest transaction', () => {
  const breakers = (['open', 'closed', 'half-open', 'open'] as const).map((state) => ({ ...breaker, state }))
  const oldestTransaction = { ageSeconds: 1.2345, application: '', state: '', processId: 1 }
  const found = seen({ breakers, database: { ...database, oldestTransaction } })
  expect(found).toMatchObject({ breakers: { open: 2, halfOpen: 1 }, oldestTransactionMs: 1_235 })
  expect(seen().oldestTransactionMs).toBeNull()
})
