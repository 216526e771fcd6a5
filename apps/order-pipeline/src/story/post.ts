// Posts invoices to the HTTP API, as any program in any language would: one CloudEvent each.
import { setTimeout as sleep } from 'node:timers/promises'
import { invoiceReceived } from '../events.js'
import type { RawInvoice } from '../invoices.js'

/** Where the API is and what opens it. */
export interface Api {
  readonly url: string
  readonly key: string
}

/** An id made from the invoice: whoever posts it twice under this id has posted it once. */
export const eventIdOf = (invoice: string) => `invoice-${invoice}`

const triesMax = 60

/** Resolves when the invoice is in the log for good. Throws what the API has to say against it. */
export async function postInvoice({ url, key }: Api, id: string, invoice: RawInvoice): Promise<void> {
  const body = JSON.stringify({
    specversion: '1.0',
    type: invoiceReceived.type,
    source: '/shop',
    id,
    data: invoice,
  })
  const headers = { 'content-type': 'application/cloudevents+json', authorization: `Bearer ${key}` }
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`${url}/v1/events`, { method: 'POST', headers, body })
    if (response.ok) return
    // Refused for now, as when the database restarts. Nothing was stored, or the id makes the repeat harmless.
    const retryAfterSeconds = response.headers.get('retry-after')
    if (retryAfterSeconds === null || tries === triesMax) throw await refusal(invoice, response)
    await sleep(Number(retryAfterSeconds) * 1000)
  }
}

async function refusal({ InvoiceNo }: RawInvoice, response: Response): Promise<Error> {
  return new Error(
    `The API refused invoice ${InvoiceNo} with status ${response.status}: ${await response.text()}`,
  )
}
