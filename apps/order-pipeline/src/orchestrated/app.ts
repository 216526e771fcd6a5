// The orchestrated variant as one value, beside the choreographed one of `app.ts`: the same events come in, the same
// books and announcements come out.
import { defineApp } from 'eventspine'
import type { Source } from 'eventspine/source'
import { invoiceReceived, orderAnnounced } from '../events.js'
import { type Books, invoiceWorkflow } from './invoice.js'

export const orchestratedApp = (books: Books, sources: readonly Source[] = []) =>
  defineApp({
    name: 'orders-orchestrated',
    events: [invoiceReceived, orderAnnounced],
    workflows: [invoiceWorkflow(books)],
    sources,
  })
