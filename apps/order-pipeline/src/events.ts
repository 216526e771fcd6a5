// The facts that the five functions pass on, in the order in which they happen to an invoice. Schemas describe,
// they do not transform: what is published is what is stored and what a handler receives.
import { defineEvent } from 'eventspine'
import { z } from 'zod'

const line = z.object({
  stockCode: z.string().min(1),
  description: z.string().nullable(),
  quantity: z.int(),
  /** Money is counted in whole pence: fractions of a pound do not add up in binary. */
  unitPence: z.int().min(0),
})

const invoice = z.object({
  number: z.string().min(1),
  kind: z.enum(['order', 'cancellation']),
  customer: z.string().nullable(),
  country: z.string().min(1),
  issuedAt: z.iso.datetime(),
  lines: z.array(line).min(1),
})

export type Line = z.infer<typeof line>
export type Invoice = z.infer<typeof invoice>

// The key is the customer, so that the cancellation of an order never overtakes the order. An invoice without
// customer is in nobody's way: its own number is its key.
const customerOf = ({ number, customer }: Invoice) => customer ?? number

export const invoiceReceived = defineEvent({
  type: 'orders.invoice-received',
  description: 'The shop sent an invoice: strings as they were in its export, nothing checked yet.',
  schema: z.object({ InvoiceNo: z.string().min(1), lines: z.array(z.record(z.string(), z.string())).min(1) }),
  key: ({ InvoiceNo, lines }) => lines[0]?.CustomerID || InvoiceNo,
  subject: ({ InvoiceNo }) => InvoiceNo,
})

export const invoiceValidated = defineEvent({
  type: 'orders.invoice-validated',
  description: 'It has the form of an invoice.',
  schema: invoice,
  key: customerOf,
  subject: ({ number }) => number,
})

const identified = z.object({ idempotencyKey: z.string().length(64), invoice })

export const invoiceAccepted = defineEvent({
  type: 'orders.invoice-accepted',
  description: 'The warehouse has it, and it carries the key by which a repeat is recognised.',
  schema: identified,
  key: ({ invoice }) => customerOf(invoice),
  subject: ({ invoice }) => invoice.number,
})

export const processingRequested = defineEvent({
  type: 'orders.processing-requested',
  description: 'It was seen for the first time, or nobody finished it within its lease.',
  schema: identified,
  key: ({ invoice }) => customerOf(invoice),
  subject: ({ invoice }) => invoice.number,
})

const result = z.object({
  invoice: z.string(),
  customer: z.string(),
  lines: z.int(),
  /** Negative for a cancellation. */
  totalPence: z.int(),
})

export const orderProcessed = defineEvent({
  type: 'orders.order-processed',
  description: 'The order obeys every business rule and is in the books.',
  schema: result,
  key: ({ customer }) => customer,
  subject: ({ invoice }) => invoice,
})

export const orderCancelled = defineEvent({
  type: 'orders.order-cancelled',
  description: 'Goods or money went back; `originals` are the invoices that it takes back from.',
  schema: result.extend({ originals: z.array(z.string()).readonly() }),
  key: ({ customer }) => customer,
  subject: ({ invoice }) => invoice,
})

export const announcement = z.object({
  invoice: z.string(),
  result: z.enum(['processed', 'cancelled']),
  totalPence: z.int(),
})

export const orderAnnounced = defineEvent({
  type: 'orders.order-announced',
  description: 'The world has been told. The end of the story of one invoice.',
  schema: announcement,
  subject: ({ invoice }) => invoice,
})
