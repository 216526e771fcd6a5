// The export of the shop is read as it is, oddities included.
import { describe, expect, it } from 'vitest'
import { parseCsv, readInvoices } from './invoices.js'

describe('parseCsv', () => {
  it('reads quoted cells with commas, line breaks and doubled quotes', () => {
    const text = 'a,b,c\n1,"x, y",\r\n2,"7"" FRAME ","two\nlines"\n'
    expect(parseCsv(text)).toEqual([
      { a: '1', b: 'x, y', c: '' },
      { a: '2', b: '7" FRAME ', c: 'two\nlines' },
    ])
  })

  it('reads a last line without a line break, and an empty last cell', () => {
    expect(parseCsv('a,b\n1,2')).toEqual([{ a: '1', b: '2' }])
    expect(parseCsv('a,b\n1,')).toEqual([{ a: '1', b: '' }])
    expect(parseCsv('a,b\n')).toEqual([])
  })
})

describe('the shipped invoices', async () => {
  const invoices = await readInvoices()
  const byNumber = new Map(invoices.map((invoice) => [invoice.InvoiceNo, invoice.lines]))

  it('are 66 with 999 lines, in the order of the file', () => {
    expect(invoices).toHaveLength(66)
    expect(invoices.flatMap(({ lines }) => lines)).toHaveLength(999)
    expect(invoices[0]?.InvoiceNo).toBe('536365')
    expect(invoices.at(-1)?.InvoiceNo).toBe('536520')
  })

  it('keep every cell as it was', () => {
    expect(byNumber.get('536365')?.[0]).toEqual({
      StockCode: '85123A',
      Description: 'WHITE HANGING HEART T-LIGHT HOLDER',
      Quantity: '6',
      InvoiceDate: '12/1/10 8:26',
      UnitPrice: '2.55',
      CustomerID: '17850',
      Country: 'United Kingdom',
    })
  })

  it('keep their oddities: cancellations, a discount, postage, a line with hardly anything in it', () => {
    expect([...byNumber.keys()].filter((number) => number.startsWith('C'))).toHaveLength(4)
    expect(byNumber.get('C536379')?.[0]).toMatchObject({ StockCode: 'D', Quantity: '-1' })
    expect(byNumber.get('536370')?.at(-1)).toMatchObject({ StockCode: 'POST', UnitPrice: '18' })
    expect(byNumber.get('536414')).toEqual([
      expect.objectContaining({ CustomerID: '', UnitPrice: '0', Description: '' }),
    ])
    expect(
      byNumber.get('536477')?.some(({ Description }) => Description === 'RECORD FRAME 7" SINGLE SIZE '),
    ).toBe(true)
  })
})
