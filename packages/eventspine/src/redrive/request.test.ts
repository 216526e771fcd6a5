import { describe, expect, test } from 'vitest'
import type { RedriveRequest } from './port.js'
import { checkName, checkRounds, checkText, completeRedrive } from './request.js'

test('fills in the defaults and keeps what was asked', () => {
  expect(completeRedrive({ filter: {}, actor: 'anna' }, null)).toEqual({
    filter: {},
    rate: 50,
    canary: 10,
    stopAtErrorRate: 0.5,
    roundsMax: 3,
    actor: 'anna',
    editedData: null,
  })
  const asked = {
    filter: { tenant: 'a' },
    rate: 0.5,
    canary: 0,
    stopAtErrorRate: 0,
    roundsMax: 1,
    actor: 'anna',
    reason: 'x',
    idempotencyKey: 'k',
  }
  expect(completeRedrive({ ...asked, data: 1 }, '1')).toEqual({ ...asked, editedData: '1' })
})

describe('refuses', () => {
  test.each<[string, Partial<Record<keyof RedriveRequest, unknown>>]>([
    ['/rate', { rate: 0 }],
    ['/rate', { rate: -1 }],
    ['/rate', { rate: Number.NaN }],
    ['/rate', { rate: Number.POSITIVE_INFINITY }],
    ['/rate', { rate: '5' }],
    ['/canary', { canary: -1 }],
    ['/canary', { canary: 1.5 }],
    ['/stopAtErrorRate', { stopAtErrorRate: 1.1 }],
    ['/stopAtErrorRate', { stopAtErrorRate: Number.NaN }],
    ['/roundsMax', { roundsMax: 0 }],
    ['/actor', { actor: '' }],
    ['/actor', { actor: ' ' }],
    ['/actor', { actor: undefined }],
    ['/actor', { actor: 'a\nb' }],
    ['/reason', { reason: '' }],
    ['/reason', { reason: 'a\0b' }],
    ['/reason', { reason: '\ud800' }],
    ['/idempotencyKey', { idempotencyKey: 'x'.repeat(501) }],
    ['/filter', { filter: null }],
  ])('%s of %o', (field, given) => {
    const request = { filter: {}, actor: 'anna', ...given } as RedriveRequest
    expect(() => completeRedrive(request, null)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', field }),
    )
  })

  test('rounds, names and texts on their own', () => {
    expect(checkRounds(undefined)).toBe(3)
    expect(() => checkRounds(0)).toThrow(expect.objectContaining({ field: '/roundsMax' }))
    expect(checkName('actor', 'Zoë 👩‍💻')).toBe('Zoë 👩‍💻')
    expect(checkText('reason', 'two\nlines')).toBe('two\nlines')
    expect(() => checkText('note', 'x'.repeat(2_001))).toThrow(expect.objectContaining({ field: '/note' }))
  })
})
