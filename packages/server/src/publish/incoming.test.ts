import { expect, test } from 'vitest'
import { attributeField, timeOf } from './incoming.js'

test.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31t12:00:00.123456789z', '2026-01-31T12:00:00.123Z'],
  ['2026-01-31T00:30:00+01:00', '2026-01-30T23:30:00.000Z'],
  ['2024-02-29T23:59:59-00:00', '2024-02-29T23:59:59.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
])('%s is a time', (text, iso) => expect(timeOf(text)?.toISOString()).toBe(iso))

test.each([
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:60:00Z',
  '2026-01-31T12:00:60Z',
  '2026-01-31 12:00:00Z',
  '2026-01-31T12:00:00',
  '2026-01-31T12:00:00+1:00',
  '2026-01-31T12:00:00+24:00',
  '2026-01-31',
  '20260131T120000Z',
  '12026-01-31T12:00:00Z',
  'now',
  '',
])('"%s" is none', (text) => expect(timeOf(text)).toBeUndefined())

test.each([
  ['/key', '/partitionkey'],
  ['/3/correlationId', '/3/correlationid'],
  ['/causationId', '/causationid'],
  ['/data/key', '/data/key'],
  ['/3/data/key', '/3/data/key'],
  ['/extensions/shop', '/shop'],
  ['/0/extensions/shop', '/0/shop'],
  ['/extensions', '/extensions'],
  ['/3', '/3'],
  ['', ''],
])('the field %s is what a sender of CloudEvents wrote as %s', (field, attribute) => {
  expect(attributeField(field)).toBe(attribute)
})
