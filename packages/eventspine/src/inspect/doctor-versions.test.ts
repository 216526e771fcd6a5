// What the doctor finds while versions change.
import { describe, expect, test } from 'vitest'
import { input, subscription } from './doctor.fixture.js'
import { diagnose } from './doctor.js'
import type { NewerEvents } from './port.js'

const waiting: NewerEvents = {
  ...{ subscription: 'mails', type: 'shop.order-placed', version: 3, events: 12 },
  ...{ sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5), ageSeconds: 61 },
}
const found = (given: Partial<NewerEvents>, reads: Readonly<Record<string, number>> = {}) =>
  diagnose(
    input({
      newer: [{ ...waiting, ...given }],
      subscriptions: [subscription({ policies: { reads } }), subscription({ name: 'books', app: 'bank' })],
    }),
  ).findings.filter(({ subject }) => subject.startsWith('subscription'))

describe('events that are newer than all who could read them', () => {
  test('are named, with since when, and what to start', () => {
    expect(found({}, { 'shop.order-placed': 2 })).toEqual([
      {
        severity: 'error',
        subject: 'subscription mails',
        message: expect.stringMatching(
          /^12 events wait.*"shop.order-placed" version 3, of which they know version 2 at most.*2026-01-02T03:04:05.000Z/,
        ),
        advice: expect.stringMatching(/defines "shop.order-placed" version 3: eventspine worker/),
        place: { kind: 'subscription', name: 'mails' },
      },
    ])
  })

  test('are a warning while a deployment may be under way', () => {
    expect(found({ ageSeconds: 60, events: 1 })).toMatchObject([
      { severity: 'warning', message: expect.stringMatching(/^1 event waits.*they know none/) },
    ])
  })

  test('are nothing where what runs knows them by now, or where another app judges them', () => {
    expect(found({}, { 'shop.order-placed': 3 })).toEqual([])
    expect(found({ subscription: 'books' })).toEqual([])
  })
})
