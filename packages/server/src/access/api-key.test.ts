import { expect, test } from 'vitest'
import { apiKeyRecord, createApiKey, KeyRing } from './api-key.js'

test('a key opens with itself and nothing else', () => {
  const one = createApiKey({ scopes: ['read'] })
  const two = createApiKey({ scopes: ['publish'], tenant: 'acme' })
  const ring = new KeyRing([one.record, two.record])
  expect(ring.find(one.key)).toBe(one.record)
  expect(ring.find(two.key)).toBe(two.record)
  const mixed = `${one.key.slice(0, 20)}${two.key.slice(20)}`
  expect(ring.find(mixed)).toBeUndefined()
  expect(ring.find('')).toBeUndefined()
})

test('no mutation of a key opens', () => {
  const { key, record } = createApiKey({ scopes: ['read'] })
  const ring = new KeyRing([record])
  for (let at = 0; at < key.length; at++) {
    for (const sign of ['A', 'b', '0', '_', '-', ' ']) {
      if (key[at] === sign) continue
      expect(ring.find(key.slice(0, at) + sign + key.slice(at + 1))).toBeUndefined()
    }
    expect(ring.find(key.slice(0, at))).toBeUndefined()
  }
})

test('a record with a damaged hash opens to nobody', () => {
  const { key, record } = createApiKey({ scopes: ['read'] })
  for (const hash of ['', 'zz', record.hash.slice(2), '0'.repeat(64)]) {
    expect(new KeyRing([{ ...record, hash }]).find(key)).toBeUndefined()
  }
})

test('what is no key gets no record', () => {
  expect(() => apiKeyRecord('secret', { scopes: ['read'] })).toThrow(/not an API key/)
})
