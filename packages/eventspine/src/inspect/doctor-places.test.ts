// Each finding leads to where it can be mended, if that is a place here.
import { expect, test } from 'vitest'
import { breaker, failing, inDatabase, input, of, subscription } from './doctor.fixture.js'
import { type DoctorInput, diagnose, type FindingPlace } from './doctor.js'

const workflowInput = {
  app: { name: 'shop', subscriptions: [{ name: 'workflow-order' }], workflows: [] },
  versions: [],
  subscriptions: [subscription({ name: 'workflow-order', haltedKeys: 1 })],
}

test.each<[string, Partial<DoctorInput>, FindingPlace | null]>([
  ['a paused subscription', of({ state: 'paused' }), { kind: 'subscription', name: 'mails' }],
  ['one that is late', of({ lagSeconds: 61 }), { kind: 'subscription', name: 'mails' }],
  ['dead letters', of({ dead: 1, completed: 5 }), { kind: 'dead-letters', name: 'mails' }],
  ['halted keys', of({ haltedKeys: 2 }), { kind: 'dead-letters', name: 'mails' }],
  ['halted instances', workflowInput, { kind: 'workflows', name: null }],
  [
    'instances of a version that is gone',
    { versions: [{ workflow: 'order', version: 1, instances: 2 }] },
    { kind: 'workflows', name: 'order' },
  ],
  ['an open breaker', { breakers: [breaker] }, { kind: 'breakers', name: null }],
  ['keys of a breaker', { breakers: [{ ...breaker, key: 'k1' }] }, { kind: 'breakers', name: null }],
  ['no worker', { workers: [], ...of({ retrying: 0, completed: 7 }) }, { kind: 'workers', name: null }],
  ['a source', { sources: ['queue'], sourceLeases: [failing] }, null],
  ['a setting of the database', inDatabase({ settings: { fsync: 'off' } }), null],
])('%s', (_, given, place) => {
  const { findings } = diagnose(input(given))
  expect(findings.map((each) => each.place)).toEqual([place])
})

test.each<[string, Partial<DoctorInput>, RegExp | undefined]>([
  ['a paused subscription', of({ state: 'paused' }), /^Resume it$/],
  ['dead letters', of({ dead: 1, completed: 5 }), /redrive or discard/],
  ['halted keys', of({ haltedKeys: 2 }), /redrive or discard the letters/],
  ['halted instances', workflowInput, /retry, cancel or terminate each/],
  [
    'instances of a version that is gone',
    { versions: [{ workflow: 'order', version: 1, instances: 2 }] },
    /^List version 1/,
  ],
  ['keys of a breaker', { breakers: [{ ...breaker, key: 'k1' }] }, /^See which/],
  ['no worker, which only a command helps', { workers: [], ...of({ retrying: 0, completed: 7 }) }, undefined],
  ['one that is late', of({ lagSeconds: 61 }), undefined],
])('names no command where the console has a button: %s', (_, given, here) => {
  const [finding] = diagnose(input(given)).findings
  if (here === undefined) expect(finding).not.toHaveProperty('here')
  else expect(finding?.here).toMatch(here)
  expect(finding?.here ?? '').not.toContain('eventspine')
})
