// What the doctor says of apps that share the log with the one that asks: what the log tells of them, and no more.
import { describe, expect, test } from 'vitest'
import { input, subscription } from './doctor.fixture.js'
import { type DoctorInput, diagnose } from './doctor.js'
import type { SubscriptionView } from './port.js'

const own = subscription()
const theirs = (name: string, given: Partial<SubscriptionView> = {}) =>
  subscription({ app: 'bank', owners: ['w9'], ...given, name })

const findingsOf = (others: readonly SubscriptionView[], given: Partial<DoctorInput> = {}) =>
  diagnose(input({ subscriptions: [own, ...others], ...given }))

const info = {
  severity: 'info',
  subject: 'app bank',
  message: expect.stringMatching(/^Shares this log/),
  place: null,
}

describe('of another app on the same log', () => {
  test('that is well only that it is there, and what nobody but its own doctor judges', () => {
    const { findings, healthy } = findingsOf([theirs('alarms', { lagSeconds: 60 })])
    expect(findings).toMatchObject([info])
    expect(findings[0]?.message).toMatch(/1 subscription of its own: alarms\..*not its sources/)
    expect(healthy).toBe(true)
  })

  test('that nobody runs, though this app has a worker: how far it is behind', () => {
    const down = { owners: [], lagEvents: 9, lagSeconds: 220.4 }
    const { findings, healthy } = findingsOf([theirs('books', { owners: [] }), theirs('alarms', down)])
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        subject: 'app bank',
        message: 'No worker runs any of its 2 subscriptions: "alarms" is 220 s and 9 events behind.',
        advice: expect.stringMatching(/eventspine subscriptions remove alarms …$/),
        place: { kind: 'workers', name: null },
      },
      info,
    ])
    expect(healthy).toBe(true)
  })

  test('that runs some of its subscriptions: those that nobody runs', () => {
    expect(findingsOf([theirs('books'), theirs('alarms', { owners: [] })]).findings).toMatchObject([
      {
        severity: 'warning',
        message: 'No worker runs alarms.',
        place: { kind: 'subscription', name: 'alarms' },
      },
      info,
    ])
  })

  test('that is late: the furthest of its subscriptions', () => {
    const late = { lagSeconds: 1_320, lagEvents: 83_743, lagExact: false }
    const { findings } = findingsOf([
      theirs('alarms', { lagSeconds: 61, lagEvents: 1 }),
      theirs('books', late),
    ])
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        message: '"books" is 1,320 s and about 83,743 events behind, the furthest of 2 that are late.',
        place: { kind: 'subscription', name: 'books' },
      },
      info,
    ])
  })

  test('nothing of what it paused, and what stands still for it then', () => {
    const paused = theirs('books', { state: 'paused', owners: [], lagSeconds: 9_999, lagEvents: 5 })
    expect(findingsOf([paused]).findings).toMatchObject([info])
  })

  test('its dead letters, and the keys that they halt', () => {
    const dead = { dead: 3, completed: 3, haltedKeys: 1 }
    const { findings } = findingsOf([theirs('alarms', { replayDead: 1 }), theirs('books', dead)])
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        message: '3 dead letters wait for a person, and 1 of replays. 1 key is halted by them.',
        advice: 'eventspine dead list --subscription books has the most of them',
        place: { kind: 'dead-letters', name: 'books' },
      },
      info,
    ])
  })

  test('what does not add up is a fault of the log', () => {
    const { findings, healthy } = findingsOf([theirs('books', { matched: 11 })])
    expect(findings).toMatchObject([
      { severity: 'error', subject: 'subscription books', message: expect.stringMatching(/11 matched/) },
      info,
    ])
    expect(healthy).toBe(false)
  })
})

test('a schedule whose tick is late, where a worker runs what takes its ticks', () => {
  const late = { name: 'nightly', lateSeconds: 61 }
  const takers = [theirs('schedule-nightly'), theirs('reconcile-books', { owners: [] })]
  const found = (schedules: DoctorInput['schedules']) =>
    findingsOf(takers, { schedules }).findings.filter(({ subject }) => subject.startsWith('schedule'))
  expect(found([late])).toEqual([
    {
      ...{ severity: 'warning', subject: 'schedule nightly', place: null },
      message: 'Its tick is 61 s late, though app "bank" has a worker.',
      advice: expect.any(String),
    },
  ])
  // Not yet late; gone from the code; and one that nobody runs, which is said already.
  const others = ['gone', 'reconcile-books'].map((name) => ({ name, lateSeconds: 9_999 }))
  expect(found([{ ...late, lateSeconds: 60 }, ...others])).toEqual([])
})
