// What the doctor finds of the keys that encipher those of persons.
import { expect, test } from 'vitest'
import { input } from './doctor.fixture.js'
import { diagnose } from './doctor.js'

const found = (masters: readonly string[], ...standings: readonly (readonly [string, number])[]) =>
  diagnose(
    input({
      personal: { masters, standings: standings.map(([wrappedBy, keys]) => ({ wrappedBy, keys })) },
    }),
  )

test('nothing where all is enciphered by the one key, or by none', () => {
  expect(found(['new'], ['new', 9]).findings).toEqual([])
  expect(found([]).findings).toEqual([])
})

test('keys under a master that this process does not have, by its fingerprint, with what to set', () => {
  const { findings, healthy } = found(['new', 'old'], ['new', 4], ['lost', 12], ['gone', 1])
  expect(findings).toEqual([
    {
      severity: 'error',
      subject: 'personal data',
      message: expect.stringMatching(/\(12 persons by lost, 1 person by gone; its own keys are new, old\)/),
      advice: expect.stringMatching(/EVENTSPINE_PERSONAL_KEY to both.*eventspine personal rewrap/),
      place: null,
    },
  ])
  expect(healthy).toBe(false)
})

test('a change of the master key that is not over', () => {
  const { findings, healthy } = found(['new', 'old'], ['new', 4], ['old', 2])
  expect(findings).toMatchObject([
    {
      severity: 'info',
      message: expect.stringMatching(/2 persons by old/),
      advice: expect.stringMatching(/^eventspine personal rewrap/),
    },
  ])
  expect(healthy).toBe(true)
})

test('of a process without any master key only that it cannot tell', () => {
  expect(found([], ['new', 4]).findings).toMatchObject([
    { severity: 'info', message: expect.stringMatching(/no master key.*not judged/) },
  ])
})
