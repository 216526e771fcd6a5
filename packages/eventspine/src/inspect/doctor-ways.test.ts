// What the doctor finds of the ways in and out: keys of breakers, endpoints of webhooks, tables that are followed.
import { expect, test } from 'vitest'
import { breaker, input, subscription } from './doctor.fixture.js'
import { diagnose } from './doctor.js'

test('many keys of a breaker are one finding, and those that are closed none', () => {
  const of = (key: string, state: 'open' | 'closed') => ({ ...breaker, name: 'hooks', key, state })
  const breakers = [of('a', 'open'), of('b', 'open'), of('c', 'closed'), { ...breaker, name: 'mail' }]
  const { findings } = diagnose(input({ breakers }))
  expect(findings.map(({ subject }) => subject)).toEqual(['breaker mail (tenant acme)', 'breaker hooks'])
  expect(findings[1]?.message).toMatch(/^Holds the work of 2 keys, among them "a" of tenant acme/)
})

test('what waits for an open breaker is not told to be faster', () => {
  const late = (state: 'open' | 'closed', tenant = '') =>
    diagnose(
      input({
        subscriptions: [subscription({ lagSeconds: 92, policies: { breaker: { name: breaker.name } } })],
        breakers: [{ ...breaker, tenant, state }],
      }),
    ).findings.find(({ message }) => message.includes('92 s'))
  expect(late('open')).toMatchObject({
    advice: `It waits for its breaker "${breaker.name}": see what is said of that`,
    place: { kind: 'breakers', name: null },
  })
  // That of one tenant holds up no other.
  for (const other of [late('closed'), late('open', 'acme')])
    expect(other).toMatchObject({
      advice: expect.stringMatching(/concurrency/),
      place: { kind: 'subscription' },
    })
})

test('endpoints of webhooks that are disabled are one finding for each webhooks', () => {
  const of = (webhooks: string, endpoint: string, tenant = 'acme') => ({
    ...{ webhooks, endpoint, tenant, failingSinceMs: 0, failures: 1, lastFailedAtMs: 0 },
    ...{ lastError: 'away', disabled: { atMs: 0, cause: 'gone' as const, by: 'eventspine', reason: null } },
  })
  const endpoints = [of('partners', 'a'), of('partners', 'b'), of('users', "a'b", 'globex')]
  const { findings, healthy } = diagnose(input({ endpoints }))
  expect(findings.map(({ subject, severity }) => `${severity} ${subject}`)).toEqual([
    ...['warning webhooks partners', 'warning webhooks users'],
  ])
  expect(findings[0]?.message).toMatch(/to 2 endpoints that are disabled, among them "a" of tenant acme/)
  expect(findings.map(({ place }) => place)).toEqual(Array(2).fill({ kind: 'webhooks', name: null }))
  // Each command names the tenant: another one may have an endpoint that is called alike.
  expect(findings.map(({ advice }) => advice.slice(advice.indexOf('mended: ')))).toEqual([
    "mended: eventspine webhooks enable partners 'a' --tenant 'acme', then eventspine redrive --subscription webhooks-partners-send --key 'a' --tenant 'acme'",
    "mended: eventspine webhooks enable users 'a'\\''b' --tenant 'globex', then eventspine redrive --subscription webhooks-users-send --key 'a'\\''b' --tenant 'globex'",
  ])
  expect(healthy).toBe(true)
})

test('alarms of a table source that is not followed', () => {
  const lag = { bytes: 0, seconds: 3, keptBytes: 16 * 1024 ** 2, walStatus: 'reserved' as const }
  const standing = { source: 'orders', table: 'public.orders', state: 'installed' as const, reason: null }
  const found = (given: object) =>
    diagnose(input({ tables: [{ ...standing, lag: { ...lag, ...given } }] })).findings.filter(
      ({ subject }) => subject === 'source orders',
    )
  expect(found({})).toEqual([])
  const late = { severity: 'error', message: expect.stringMatching(/grows until the disk is full/) }
  expect(found({ seconds: 61 })).toMatchObject([late])
  expect(found({ keptBytes: 2 * 1024 ** 3 })).toMatchObject([late])
  expect(found({ walStatus: 'unreserved' })).toMatchObject([
    { message: expect.stringMatching(/about to be lost/) },
  ])
  const lost = { ...standing, state: 'lost' as const, lag: { ...lag, walStatus: 'lost' as const } }
  expect(diagnose(input({ tables: [lost] })).findings[0]?.message).toMatch(/^Its slot is lost/)
})
