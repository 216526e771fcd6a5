// What the functions compute by themselves. How they work together is shown by order-pipeline.e2e.test.ts.
import { ValidationError } from 'eventspine'
import { describe, expect, it } from 'vitest'
import { readInvoices } from '../invoices.js'
import { contentKey } from './publish.js'
import { parseInvoice } from './validate.js'

const raw = await readInvoices()
const first = raw[0] ?? expect.fail('the file is empty')

describe('validate', () => {
  it('reads every invoice of the shop', () => {
    const invoices = raw.map(parseInvoice)
    expect(invoices.flatMap(({ lines }) => lines)).toHaveLength(999)
    expect(invoices.filter(({ kind }) => kind === 'cancellation')).toHaveLength(4)
    expect(invoices.filter(({ customer }) => customer === null).map(({ number }) => number)).toEqual([
      '536414',
    ])
  })

  it('turns strings into numbers, pounds into pence and dates into UTC', () => {
    const { lines, ...invoice } = parseInvoice(first)
    expect(invoice).toEqual({
      number: '536365',
      kind: 'order',
      customer: '17850',
      country: 'United Kingdom',
      issuedAt: '2010-12-01T08:26:00.000Z',
    })
    expect(lines[0]).toEqual({
      stockCode: '85123A',
      description: 'WHITE HANGING HEART T-LIGHT HOLDER',
      quantity: 6,
      unitPence: 255,
    })
  })

  it('names every cell that is wrong', () => {
    const broken = { ...first, lines: [{ ...first.lines[0], Quantity: 'six', UnitPrice: '2,55' }] }
    expect(() => parseInvoice(broken)).toThrow(ValidationError)
    expect(() => parseInvoice(broken)).toThrow(
      'lines.0.Quantity is not a whole number; lines.0.UnitPrice is not an amount in pounds',
    )
  })
})

describe('publish', () => {
  const invoice = parseInvoice(first)

  it('gives the same content the same key, and another content another', () => {
    const [line] = invoice.lines
    const changed = line === undefined ? [] : [{ ...line, quantity: 7 }, ...invoice.lines.slice(1)]
    expect(contentKey(parseInvoice(first))).toBe(contentKey(invoice))
    expect(contentKey({ ...invoice, lines: changed })).not.toBe(contentKey(invoice))
    expect(new Set(raw.map((each) => contentKey(parseInvoice(each)))).size).toBe(66)
  })
})
