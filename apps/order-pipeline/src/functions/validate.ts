// First of five. Form only: is this an invoice at all? Whether it is a good one is judged in `process`.
import { defineSubscription, ValidationError } from 'eventspine'
import { z } from 'zod'
import { type Invoice, invoiceReceived, invoiceValidated } from '../events.js'
import { queueClass } from '../policies.js'

const rawLine = z.object({
  StockCode: z.string().min(1),
  Description: z.string(),
  Quantity: z.string().regex(/^-?\d{1,9}$/, 'is not a whole number'),
  UnitPrice: z.string().regex(/^\d{1,9}(\.\d{1,2})?$/, 'is not an amount in pounds'),
  InvoiceDate: z
    .string()
    .regex(/^\d{1,2}\/\d{1,2}\/\d{2} \d{1,2}:\d{2}$/, 'is not a date such as 12/1/10 8:26'),
  CustomerID: z.string().regex(/^(\d{5})?$/, 'is not a customer number of five digits'),
  Country: z.string().min(1),
})

const rawInvoice = z.object({
  InvoiceNo: z.string().regex(/^C?\d{6}$/, 'is not an invoice number such as 536365 or C536379'),
  lines: z.tuple([rawLine], rawLine),
})

export const validate = defineSubscription({
  name: 'validate',
  description: 'Turns the strings of the shop into an invoice, or says which of them is wrong.',
  on: invoiceReceived,
  ...queueClass,
  async handle({ data }, context) {
    await context.publish(invoiceValidated, parseInvoice(data))
  },
})

/** Throws a ValidationError that names every cell that is wrong. */
export function parseInvoice(data: unknown): Invoice {
  const { success, data: raw, error } = rawInvoice.safeParse(data)
  if (!success)
    throw new ValidationError(
      error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '),
    )
  const { InvoiceNo: number, lines } = raw
  return {
    number,
    kind: number.startsWith('C') ? 'cancellation' : 'order',
    customer: lines[0].CustomerID || null,
    country: lines[0].Country,
    issuedAt: readDate(lines[0].InvoiceDate),
    lines: lines.map(({ StockCode, Description, Quantity, UnitPrice }) => ({
      stockCode: StockCode,
      description: Description || null,
      quantity: Number(Quantity),
      unitPence: Math.round(Number(UnitPrice) * 100),
    })),
  }
}

/** The shop writes month/day/year in London time, which in December is UTC. */
function readDate(text: string): string {
  const [month = 0, day = 0, year = 0, hour, minute] = text.split(/\D/).map(Number)
  return new Date(Date.UTC(2000 + year, month - 1, day, hour, minute)).toISOString()
}
