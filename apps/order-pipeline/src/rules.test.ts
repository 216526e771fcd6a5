// The rules of the business, one by one.
import { ValidationError } from 'eventspine'
import { describe, expect, it } from 'vitest'
import type { Invoice, Line } from './events.js'
import { type Holdings, judge } from './rules.js'

const line = (stockCode: string, quantity: number, unitPence = 100): Line => ({
  stockCode,
  description: null,
  quantity,
  unitPence,
})

const invoice = (kind: Invoice['kind'], lines: Line[], customer: string | null = '17850'): Invoice => ({
  number: kind === 'order' ? '536365' : 'C536365',
  kind,
  customer,
  country: 'United Kingdom',
  issuedAt: '2010-12-01T08:26:00.000Z',
  lines,
})

const nothing: Holdings = new Map()
const holds = (stockCode: string, quantity: number): Holdings =>
  new Map([[stockCode, { quantity, invoices: ['536365', '536370'] }]])

describe('an order', () => {
  it('is worth the sum of its lines, in whole pence', () => {
    const order = judge(
      invoice('order', [line('A1', 3, 10), line('B2', 6, 255), line('POST', 1, 1800)]),
      nothing,
    )
    expect(order).toMatchObject({ totalPence: 3 * 10 + 6 * 255 + 1800, originals: [], customer: '17850' })
  })

  it('needs a customer', () => {
    expect(() => judge(invoice('order', [line('A1', 1)], null), nothing)).toThrow(/no customer/)
  })

  it('sells, at a price; every broken rule is named at once', () => {
    const broken = invoice('order', [line('A1', -2), line('B2', 56, 0)], null)
    expect(() => judge(broken, nothing)).toThrow(ValidationError)
    expect(() => judge(broken, nothing)).toThrow(
      'invoice 536365: it names no customer; it sells -2 × A1: only a cancellation gives back; it sells 56 × B2 without a price',
    )
  })
})

describe('a cancellation', () => {
  it('takes back from the orders that sold it', () => {
    const order = judge(invoice('cancellation', [line('A1', -6, 425)]), holds('A1', 8))
    expect(order).toMatchObject({ totalPence: -2550, originals: ['536365', '536370'] })
  })

  it('returns no more than the customer holds, summed over its lines', () => {
    const twice = invoice('cancellation', [line('A1', -5), line('A1', -4)])
    expect(() => judge(twice, holds('A1', 8))).toThrow('it returns 9 × A1, of which the customer holds 8')
    expect(() => judge(twice, nothing)).toThrow('of which the customer holds 0')
    expect(judge(twice, holds('A1', 9)).totalPence).toBe(-900)
  })

  it('may give back money alone: a discount has no original', () => {
    expect(judge(invoice('cancellation', [line('D', -1, 2750)]), nothing)).toMatchObject({
      totalPence: -2750,
      originals: [],
    })
  })

  it('does not sell', () => {
    expect(() => judge(invoice('cancellation', [line('A1', 1)]), holds('A1', 8))).toThrow(/only gives back/)
  })
})
