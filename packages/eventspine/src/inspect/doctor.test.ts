import { describe, expect, test } from 'vitest'
import {
  breaker,
  database,
  failing,
  inDatabase,
  input,
  of,
  sourceLease,
  subscription,
} from './doctor.fixture.js'
import { type DoctorInput, diagnose } from './doctor.js'

test('says nothing of a healthy cell, and shows how each subscription adds up', () => {
  const report = diagnose(input())
  expect(report.findings).toEqual([])
  expect(report.healthy).toBe(true)
  expect(report.subscriptions).toEqual([
    {
      name: 'mails',
      app: 'shop',
      state: 'active',
      priority: 'normal',
      shards: 1,
      matched: 10,
      completed: 6,
      retrying: 1,
      dead: 2,
      replayDead: 0,
      discarded: 2,
      skipped: 1,
      haltedKeys: 0,
      balanced: true,
      lagEvents: 0,
      lagExact: true,
      lagSeconds: 0,
      leaseMs: 60_000,
      batchEvents: 40,
      owners: ['w1'],
    },
  ])
})

test('says among equals the cause first, then who is late, then who has the most letters', () => {
  const own = (name: string, given: object = {}) =>
    subscription({ name, matched: 10, completed: 6, dead: 0, discarded: 2, ...given })
  const names = ['address', 'bill', 'charge', 'dunning']
  const { findings } = diagnose(
    input({
      app: { name: 'shop', subscriptions: names.map((name) => ({ name })), workflows: [] },
      versions: [],
      subscriptions: [
        own('address', { dead: 3, matched: 13, haltedKeys: 3, lagSeconds: 2 }),
        own('bill', { dead: 6_013, matched: 6_023, haltedKeys: 6_013, lagSeconds: 1 }),
        own('charge', { lagEvents: 5, lagSeconds: 265 }),
        own('dunning', { lagEvents: 5, lagSeconds: 900 }),
      ],
      breakers: [breaker],
    }),
  )
  expect(new Set(findings.map(({ severity }) => severity))).toEqual(new Set(['warning']))
  expect(findings.map(({ subject }) => subject)).toEqual([
    expect.stringContaining('breaker stripe'),
    ...['dunning', 'charge', 'bill', 'bill', 'address', 'address'].map((name) => `subscription ${name}`),
  ])
})

test('takes the limit of the batch where the subscription runs elsewhere', () => {
  expect(diagnose(input({ batches: new Map() })).subscriptions[0]?.batchEvents).toBe(1_000)
})

describe('finds', () => {
  test.each<[string, Partial<DoctorInput>, string, string, RegExp, RegExp]>([
    [
      'what does not add up',
      of({ matched: 11 }),
      'error',
      'subscription mails',
      /11 matched, but 6 completed \+ 1 retrying \+ 2 dead \+ 1 skipped is 10/,
      /report/,
    ],
    [
      'a pause',
      of({ state: 'paused', lagEvents: 5, lagSeconds: 500, owners: [] }),
      'info',
      'subscription mails',
      /Paused, with 5/,
      /eventspine subscriptions resume mails/,
    ],
    [
      'lag',
      of({ lagEvents: 900, lagExact: false, lagSeconds: 61 }),
      'warning',
      'subscription mails',
      /61 s and about 900/,
      /concurrency/,
    ],
    [
      'lag with shards that nobody holds',
      of({ lagEvents: 9, lagSeconds: 61, shards: 2 }),
      'warning',
      'subscription mails',
      /61 s/,
      /another worker/,
    ],
    [
      'lag of an alarm',
      of({ priority: 'alarm', lagSeconds: 61 }),
      'error',
      'subscription mails',
      /61 s/,
      /./,
    ],
    [
      'lag that nobody works off',
      of({ owners: [], lagEvents: 9, lagSeconds: 61 }),
      'error',
      'subscription mails',
      /61 s/,
      /No worker runs it/,
    ],
    [
      'a subscription that nobody runs',
      of({ owners: [] }),
      'warning',
      'subscription mails',
      /No worker runs it/,
      /eventspine worker/,
    ],
    [
      'dead letters',
      of({ dead: 1, completed: 5 }),
      'warning',
      'subscription mails',
      /1 dead letter waits/,
      /eventspine dead list --subscription mails/,
    ],
    [
      'dead letters of a replay beside its own',
      of({ dead: 1, completed: 5, replayDead: 453 }),
      'warning',
      'subscription mails',
      /^1 dead letter waits for a person, and 453 of replays\.$/,
      /eventspine dead list --subscription mails/,
    ],
    [
      'dead letters of a replay alone',
      of({ replayDead: 2 }),
      'warning',
      'subscription mails',
      /^2 dead letters of replays wait for a person\.$/,
      /eventspine redrive --subscription mails/,
    ],
    ['halted keys', of({ haltedKeys: 2 }), 'warning', 'subscription mails', /2 keys are halted/, /redrive/],
    [
      'an open breaker',
      { breakers: [breaker] },
      'warning',
      'breaker stripe (tenant acme)',
      /open, probes go in 2 s.*refused/,
      /./,
    ],
    [
      'no worker',
      { workers: [], ...of({ retrying: 0, completed: 7 }) },
      'warning',
      'workers',
      /No worker/,
      /eventspine worker/,
    ],
    [
      'no worker while events wait',
      { workers: [], ...of({ lagEvents: 1 }) },
      'error',
      'workers',
      /nothing is delivered/,
      /./,
    ],
    [
      'few partitions ahead',
      inDatabase({ partitionsAhead: 1 }),
      'error',
      'database',
      /1 partitions/,
      /worker/,
    ],
    [
      'rows in the default partition',
      inDatabase({ rowsInDefaultPartition: 3 }),
      'error',
      'database',
      /3 events/,
      /./,
    ],
    [
      'an old transaction',
      inDatabase({
        oldestTransaction: {
          ageSeconds: 61,
          application: 'report',
          state: 'idle in transaction',
          processId: 42,
        },
      }),
      'warning',
      'database',
      /"report" \(process 42, idle in transaction\).*61 s/,
      /pg_terminate_backend\(42\)/,
    ],
    [
      'a forgotten prepared transaction',
      inDatabase({
        oldestTransaction: { ageSeconds: 61, application: 'tx1', state: 'prepared', processId: 0 },
      }),
      'warning',
      'database',
      /prepared transaction "tx1"/,
      /ROLLBACK PREPARED 'tx1'/,
    ],
    [
      'instances of a version that the app does not list',
      { versions: [{ workflow: 'order', version: 1, instances: 3 }] },
      'warning',
      'workflow order',
      /3 instances run on version 1/,
      /workflows list --workflow order --state open --of-version 1/,
    ],
    ['an old server', inDatabase({ version: '14.9' }), 'error', 'database', /14\.9/, /15 or newer/],
    [
      'fsync off',
      inDatabase({ settings: { ...database.settings, fsync: 'off' } }),
      'error',
      'database',
      /fsync/,
      /SET fsync = on/,
    ],
    [
      'synchronous_commit off',
      inDatabase({ settings: { synchronous_commit: 'off' } }),
      'error',
      'database',
      /synchronous_commit/,
      /SET synchronous_commit = on/,
    ],
    [
      'autovacuum off',
      inDatabase({ settings: { autovacuum: 'off' } }),
      'error',
      'database',
      /autovacuum/,
      /SET autovacuum = on/,
    ],
    [
      'a source that nobody runs',
      { sources: ['queue'], sourceLeases: [{ ...sourceLease, live: false }] },
      'warning',
      'source queue',
      /No worker runs it/,
      /eventspine worker/,
    ],
    [
      'a source that fails everywhere',
      { sources: ['queue'], sourceLeases: [failing, { ...failing, slot: 'w2', failures: 4 }] },
      'error',
      'source queue',
      /Ended 4 times in a row, the last time with: no route/,
      /started again by itself/,
    ],
    [
      'a source that fails in one place',
      { sources: ['queue'], sourceLeases: [failing, { ...sourceLease, slot: 'w2' }] },
      'warning',
      'source queue',
      /Ended 3 times in a row in 1 of 2 workers/,
      /Mend what it says/,
    ],
    [
      'a source that has just failed',
      { sources: ['queue'], sourceLeases: [{ ...failing, failures: 1 }] },
      'warning',
      'source queue',
      /Ended 1 time, the last time with/,
      /Mend what it says/,
    ],
  ])('%s', (_, given, severity, subject, message, advice) => {
    const report = diagnose(input(given))
    expect(report.findings).toHaveLength(1)
    expect(report.findings).toMatchObject([
      { severity, subject, message: expect.stringMatching(message), advice: expect.stringMatching(advice) },
    ])
    expect(report.healthy).toBe(severity !== 'error')
  })

  test.each<[string, Partial<DoctorInput>]>([
    ['a minute of lag', of({ lagSeconds: 60 })],
    ['letters that were discarded', of({ discarded: 2, dead: 0 })],
    ['a closed breaker', { breakers: [{ ...breaker, state: 'closed' }] }],
    [
      'a short transaction',
      inDatabase({ oldestTransaction: { ageSeconds: 60, application: '', state: 'active', processId: 1 } }),
    ],
    ['synchronous replication', inDatabase({ settings: { synchronous_commit: 'remote_apply' } })],
    ['a source that runs', { sources: ['queue'], sourceLeases: [sourceLease] }],
    ['a source of another app', { sourceLeases: [failing] }],
    ['no worker where nothing subscribes', { workers: [], subscriptions: [] }],
    [
      'what an app of before is about to define no more, while a worker runs it',
      { app: { name: 'shop', subscriptions: [], workflows: [] }, versions: [] },
    ],
  ])('nothing in %s', (_, given) => {
    expect(diagnose(input(given)).findings).toEqual([])
  })

  test('no worker of this app, though another app has one', () => {
    const subscriptions = [subscription({ owners: [] }), subscription({ name: 'books', app: 'bank' })]
    expect(diagnose(input({ subscriptions })).findings).toMatchObject([
      { severity: 'warning', subject: 'subscription mails', message: 'No worker runs it.' },
      { severity: 'info', subject: 'app bank' },
    ])
    const others = [subscription({ name: 'books', app: 'bank' })]
    const idle = diagnose(input({ subscriptions: others, workers: [] }))
    expect(idle.findings.map(({ subject }) => subject)).toEqual(['app bank'])
  })

  test('what its app defines no more, with how to forget it', () => {
    const gone = subscription({
      name: 'faxes',
      owners: [],
      lagEvents: 7,
      lagSeconds: 9_999,
      priority: 'alarm',
    })
    expect(diagnose(input({ subscriptions: [subscription(), gone] })).findings).toEqual([
      {
        severity: 'warning',
        subject: 'subscription faxes',
        message: expect.stringMatching(/"shop" defines it no more.*7 events/),
        advice: expect.stringMatching(/eventspine subscriptions remove faxes$/),
        place: { kind: 'subscription', name: 'faxes' },
      },
    ])
  })

  test('errors first', () => {
    const { findings } = diagnose(
      input({ ...of({ state: 'paused', matched: 11, dead: 1 }), breakers: [breaker] }),
    )
    expect(findings.map(({ severity }) => severity)).toEqual(['warning', 'warning', 'info'])
    const worse = diagnose(input({ ...of({ state: 'paused', matched: 99 }), breakers: [breaker] }))
    expect(worse.findings.map(({ severity }) => severity)).toEqual(['error', 'warning', 'info'])
  })
})
