// The functions that need no database, run for real in virtual time: what each makes of an event.
import { defineApp } from 'eventspine'
import { publishing, scenario } from 'eventspine/testing'
import { describe, expect, it } from 'vitest'
import { invoiceReceived, orderCancelled, orderProcessed } from '../events.js'
import { readInvoices } from '../invoices.js'
import { partnerBus, warehouseQueue } from '../services.js'
import { Failures } from '../story/failures.js'
import { announce } from './events.js'
import { publish } from './publish.js'
import { validate } from './validate.js'

const invoices = await readInvoices()
const invoice = (number: string) =>
  invoices.find(({ InvoiceNo }) => InvoiceNo === number) ?? expect.fail(number)

const received = (number: string) =>
  publishing(invoiceReceived, { ...invoice(number), lines: [...invoice(number).lines] })

describe('validate and publish', () => {
  const app = defineApp({ name: 'orders', subscriptions: [validate, publish] })

  it('turn an invoice of the shop into one with a key, and tell the warehouse', async () => {
    const before = warehouseQueue.received.length
    const { published, deadLetters } = await scenario(app).when(received('C536506'))
    expect(published.map(({ type }) => type)).toEqual(['orders.invoice-validated', 'orders.invoice-accepted'])
    expect(published[1]?.data).toMatchObject({
      idempotencyKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      invoice: { number: 'C536506', kind: 'cancellation', lines: [{ quantity: -6, unitPence: 425 }] },
    })
    expect(warehouseQueue.received.slice(before)).toMatchObject([{ number: 'C536506' }])
    expect(deadLetters).toEqual([])
  })

  it('keep what is no invoice as a dead letter that names the wrong cells', async () => {
    const [line = {}] = invoice('536365').lines
    const broken = publishing(invoiceReceived, { InvoiceNo: '536365', lines: [{ ...line, Quantity: 'six' }] })
    const { published, deadLetters } = await scenario(app).when(broken)
    expect(published).toEqual([])
    expect(deadLetters).toMatchObject([
      {
        subscription: 'validate',
        category: 'validation',
        message: 'lines.0.Quantity is not a whole number',
        attempts: 1,
      },
    ])
  })
})

describe('events', () => {
  const app = defineApp({ name: 'orders', subscriptions: [announce] })
  const result = { customer: '17897', lines: 1 }

  it('announces what became of an invoice', async () => {
    const before = partnerBus.received.length
    const { published } = await scenario(app).when(
      publishing(orderProcessed, { ...result, invoice: '536488', totalPence: 16_589 }),
      publishing(orderCancelled, {
        ...result,
        invoice: 'C536506',
        totalPence: -2_550,
        originals: ['536488'],
      }),
    )
    const announcements = [
      { invoice: '536488', result: 'processed', totalPence: 16_589 },
      { invoice: 'C536506', result: 'cancelled', totalPence: -2_550 },
    ]
    expect(published.map(({ data }) => data)).toEqual(announcements)
    expect(partnerBus.received.slice(before)).toEqual(announcements)
  })
})

describe('injected failures', () => {
  const app = (failures: Failures) =>
    defineApp({ name: 'orders', subscriptions: [validate, publish].map((each) => failures.inFrontOf(each)) })

  it('strike the planned invoices and no others', async () => {
    const { published, deadLetters } = await scenario(app(new Failures(true))).when(
      received('536365'),
      received('536376'),
      received('536390'),
    )
    expect(published.filter(({ type }) => type === 'orders.invoice-accepted')).toHaveLength(1)
    expect(deadLetters.map(({ category, attempts }) => [category, attempts])).toEqual(
      expect.arrayContaining([
        ['validation', 1],
        ['transient', 8],
      ]),
    )
  })

  it('are over when healed', async () => {
    const failures = new Failures(true)
    failures.heal()
    const { deadLetters } = await scenario(app(failures)).when(received('536376'), received('536390'))
    expect(deadLetters).toEqual([])
  })
})
