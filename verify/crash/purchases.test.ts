// The count of wrong purchases, with evidence of each fault alone.
import { expect, it } from 'vitest'
import { type Purchase, wrongPurchases } from './purchases.js'

const bought: Purchase = { event: 'p0-17', n: 17, bookings: ['charge', 'order'], state: 'completed' }
const refused: Purchase = { event: 'p0-37', n: 37, bookings: ['charge', 'refund'], state: 'compensated' }

it('is satisfied with orders, and with refunds of what is refused', () => {
  expect(wrongPurchases([bought, refused])).toEqual([])
})

it.each<[string, Partial<Purchase>]>([
  ['a charge without an order', { bookings: ['charge'] }],
  ['an order without a charge', { bookings: ['order'] }],
  ['an order whose charge went back', { bookings: ['charge', 'order', 'refund'] }],
  ['one that was never begun', { bookings: [], state: null }],
  ['one that has not ended', { state: 'running' }],
])('finds %s', (_, parts) => {
  expect(wrongPurchases([{ ...bought, ...parts }])).toHaveLength(1)
})

it('finds what was refused and not given back', () => {
  expect(wrongPurchases([{ ...refused, bookings: ['charge'] }])).toHaveLength(1)
  expect(wrongPurchases([{ ...refused, bookings: ['charge', 'order'], state: 'completed' }])).toHaveLength(1)
})
